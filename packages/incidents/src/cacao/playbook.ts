import { z } from 'zod';
import { PlaybookInvalid } from '../errors.ts';

/** A playbook larger than this is refused unread. */
export const PLAYBOOK_BYTES_MAX = 1024 * 1024;
export const STEP_TYPES = [
  'start',
  'end',
  'action',
  'playbook-action',
  'parallel',
  'if-condition',
  'while-condition',
  'switch-condition',
] as const;
export type StepType = (typeof STEP_TYPES)[number];

// What the interpreter reads of a document. Loose everywhere: CACAO is extended freely, and the document itself, not
// this reading of it, is what is stored and written.
const variable = z.looseObject({
  type: z.string(),
  description: z.string().optional(),
  value: z.string().nullable().optional(),
  constant: z.boolean().optional(),
  external: z.boolean().optional(),
});
const variables = z.record(z.string(), variable);

const command = z.looseObject({
  type: z.string(),
  description: z.string().optional(),
  command: z.string().optional(),
  command_b64: z.string().optional(),
  content: z.string().optional(),
  content_b64: z.string().optional(),
  headers: z.record(z.string(), z.array(z.string())).optional(),
  /** Of the command type `cordon`: what the act is told, each with variables in it. */
  arguments: z.record(z.string(), z.string()).optional(),
  /** Of any command: how Cordon treats it. */
  cordon: z
    .looseObject({
      approval: z.enum(['none', 'required']).optional(),
      /** HTTP command that answers 2xx when the act was done; sent before the act is repeated. */
      verify: z.string().optional(),
      /** HTTP command that takes the act back. */
      undo: z.string().optional(),
    })
    .optional(),
});
export type CacaoCommand = z.output<typeof command>;

const step = z.looseObject({
  type: z.enum(STEP_TYPES),
  name: z.string().optional(),
  description: z.string().optional(),
  delay: z.int().nonnegative().optional(),
  timeout: z.int().nonnegative().optional(),
  step_variables: variables.optional(),
  on_completion: z.string().optional(),
  on_success: z.string().optional(),
  on_failure: z.string().optional(),
  commands: z.array(command).optional(),
  agent: z.string().optional(),
  targets: z.array(z.string()).optional(),
  in_args: z.array(z.string()).optional(),
  out_args: z.array(z.string()).optional(),
  playbook_id: z.string().optional(),
  playbook_version: z.string().optional(),
  next_steps: z.array(z.string()).optional(),
  condition: z.string().optional(),
  on_true: z.string().optional(),
  on_false: z.string().optional(),
  switch: z.string().optional(),
  cases: z.record(z.string(), z.string()).optional(),
});
export type CacaoStep = z.output<typeof step>;

const party = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  address: z.record(z.string(), z.array(z.union([z.string(), z.number()]))).optional(),
  port: z.string().optional(),
  authentication_info: z.string().optional(),
});

const document = z.looseObject({
  type: z.literal('playbook'),
  spec_version: z.literal('cacao-2.0'),
  id: z.string().startsWith('playbook--').max(60),
  name: z.string().min(1),
  description: z.string().optional(),
  playbook_types: z.array(z.string()).optional(),
  created: z.string(),
  modified: z.string(),
  revoked: z.boolean().optional(),
  valid_from: z.string().optional(),
  valid_until: z.string().optional(),
  severity: z.number().optional(),
  labels: z.array(z.string()).optional(),
  playbook_variables: variables.optional(),
  workflow_start: z.string(),
  workflow_exception: z.string().optional(),
  workflow: z.record(z.string(), step),
  agent_definitions: z.record(z.string(), party).optional(),
  target_definitions: z.record(z.string(), party).optional(),
  authentication_info_definitions: z.record(z.string(), z.looseObject({ type: z.string() })).optional(),
});

/** A CACAO 2.0 playbook: what was read, everything in it kept. Frozen in effect: nothing in this package changes one. */
export type Playbook = z.output<typeof document>;

export function parsePlaybook(value: unknown): Playbook {
  const parsed = document.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`);
  throw new PlaybookInvalid(`This is no CACAO 2.0 playbook: ${problems[0] ?? 'it has no shape'}`, { problems });
}

export function readPlaybook(text: string): Playbook {
  if (Buffer.byteLength(text) > PLAYBOOK_BYTES_MAX) {
    throw new PlaybookInvalid(`A playbook has at most ${PLAYBOOK_BYTES_MAX} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PlaybookInvalid(
      `The playbook is not JSON: ${cause instanceof Error ? cause.message : 'it cannot be read'}`,
      {},
      cause,
    );
  }
  return parsePlaybook(value);
}

/** What was read, whole: `readPlaybook(writePlaybook(p))` is `p`. */
export function writePlaybook(playbook: Playbook): string {
  return `${JSON.stringify(playbook, null, 2)}\n`;
}

/** The steps that may follow a step in its own branch. */
export function nextSteps({ on_completion, on_success, on_failure }: CacaoStep): string[] {
  return [on_completion, on_success, on_failure].filter((id) => id !== undefined);
}

/** The first steps of the branches that a step opens; each ends at an end step of its own. */
export function branchSteps(at: CacaoStep): string[] {
  const ids = [...(at.next_steps ?? []), at.on_true, at.on_false, ...Object.values(at.cases ?? {})];
  return ids.filter((id) => id !== undefined);
}

export function stepTitle(id: string, at: CacaoStep | undefined): string {
  return at?.name ?? id.split('--', 1)[0] ?? id;
}
