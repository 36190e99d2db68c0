import type { ActionTable, AnyAction } from '../actions/action.ts';
import { httpAction } from '../actions/outside-actions.ts';
import { httpRequest } from '../cacao/http-command.ts';
import type { CacaoCommand, CacaoStep, Playbook } from '../cacao/playbook.ts';
import { fillIn, type Variables } from '../cacao/variables.ts';
import { ActionInputInvalid } from '../errors.ts';

/** Why Cordon parses, checks and simulates a command, but doesn't run it. */
const REFUSED: Readonly<Record<string, string>> = {
  ssh: 'Cordon holds no shell access to other machines: a playbook that could run any command there could not be judged before it is approved.',
  bash: 'Cordon runs no shell commands: what they do can neither be verified nor undone.',
  powershell: 'Cordon runs no shell commands: what they do can neither be verified nor undone.',
  jupyter: 'Cordon runs no notebooks: they are programs of any kind.',
  kestrel: 'Cordon has no Kestrel runtime; search the lake instead (lake.search).',
  elastic: 'Cordon has no Elastic client; search the lake instead (lake.search).',
  sigma: 'A Sigma rule is a detection here, not a step: add it to the detections, or search the lake (lake.search).',
  yara: 'Cordon scans no files with YARA.',
  'caldera-cmd': 'Cordon drives no Caldera server.',
  'openc2-http': 'Cordon speaks no OpenC2: say the same as an http-api command, which can be verified.',
};

export type CommandKind =
  | { readonly kind: 'action'; readonly action: AnyAction }
  | { readonly kind: 'http' }
  | { readonly kind: 'manual' }
  | { readonly kind: 'refused'; readonly reason: string };

/** How Cordon treats a command, before any variable is known. */
export function commandKind({ type, command }: CacaoCommand, actions: ActionTable): CommandKind {
  if (type === 'manual') return { kind: 'manual' };
  if (type === 'http-api') return { kind: 'http' };
  if (type === 'cordon') {
    const action = actions.get(command ?? '');
    if (action) return { kind: 'action', action };
    return { kind: 'refused', reason: `Cordon has no action "${command ?? ''}".` };
  }
  return { kind: 'refused', reason: REFUSED[type] ?? `Cordon doesn't know commands of the type ${type}.` };
}

export function commandName({ type, command }: CacaoCommand): string {
  return type === 'cordon' ? (command ?? 'cordon') : type;
}

/** What a person is asked to do. */
export function manualText(command: CacaoCommand, variables: Variables): string {
  const text = command.command ?? (command.command_b64 && Buffer.from(command.command_b64, 'base64').toString());
  return fillIn(text ?? command.description ?? 'Do what the step says.', variables);
}

export interface PlannedAct {
  readonly action: AnyAction;
  readonly input: unknown;
  /** What is put on record of the input. Headers may hold secrets, so of an HTTP call only the line is kept. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly needsApproval: boolean;
}

function planHttp(command: CacaoCommand, target: string, playbook: Playbook, variables: Variables): PlannedAct {
  const party = playbook.target_definitions?.[target] ?? playbook.agent_definitions?.[target];
  if (!party) throw new ActionInputInvalid('An http-api command needs a target with an address.');
  const make = (line: string | undefined) =>
    line === undefined ? null : httpRequest({ line }, party, playbook, variables);
  const request = httpRequest(
    {
      line: command.command ?? '',
      headers: command.headers,
      content: command.content,
      contentB64: command.content_b64,
    },
    party,
    playbook,
    variables,
  );
  const input = { request, verify: make(command.cordon?.verify), undo: make(command.cordon?.undo) };
  const action = httpAction(input);
  return {
    action,
    input,
    shown: { method: request.method, url: request.url },
    needsApproval: (command.cordon?.approval ?? action.approval) === 'required',
  };
}

/** Fills in the variables and checks the input. A change always needs approval unless its author said `none`. */
export function planAct(
  command: CacaoCommand,
  step: { readonly target: string | undefined; readonly playbook: Playbook; readonly variables: Variables },
  action: AnyAction | null,
): PlannedAct {
  const { playbook, variables } = step;
  if (!action) return planHttp(command, step.target ?? '', playbook, variables);
  const filled = Object.fromEntries(
    Object.entries(command.arguments ?? {}).map(([name, text]) => [name, fillIn(text, variables)]),
  );
  const parsed = action.input.safeParse(filled);
  if (!parsed.success) {
    const why = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new ActionInputInvalid(`${action.name} can't be asked like this: ${why}`);
  }
  return {
    action,
    input: parsed.data,
    shown: filled,
    needsApproval: (command.cordon?.approval ?? action.approval) === 'required',
  };
}

/** Steps that keep a playbook from running for real, each with the reason. */
export function refusals(
  playbook: Playbook,
  actions: ActionTable,
): { stepId: string; command: string; reason: string }[] {
  return Object.entries(playbook.workflow).flatMap(([stepId, { commands = [] }]: [string, CacaoStep]) =>
    commands.flatMap((command) => {
      const plan = commandKind(command, actions);
      return plan.kind === 'refused' ? [{ stepId, command: commandName(command), reason: plan.reason }] : [];
    }),
  );
}
