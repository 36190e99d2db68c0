import { z } from 'zod';
import { ActionUnknown, ConnectorInputInvalid, UndoUnavailable } from './errors.ts';
import type { LoadedManifest } from './load-manifest.ts';
import type { ActionCall, ActionSpec } from './manifest-action.ts';
import { checkPlan } from './read-stream.ts';
import { type Bindings, fillText } from './request-template.ts';
import { judgeFailure, type ToolClient } from './tool-client.ts';

const VERIFY_ATTEMPTS_MAX = 4;
const VERIFY_PAUSE_MS = 1_000;

export const ACTION_MODES = ['dry-run', 'run', 'verify', 'undo'] as const;
export type ActionMode = (typeof ACTION_MODES)[number];

/**
 * `done`: it was done now and seen to have taken effect. `already`: it was so before. `unverified`: the tool accepted
 * it, and nothing shows the effect (the manifest has no state, or the tool did not show it in time). `would_run` and
 * `would_do_nothing` end a dry run; `not_done` a verification; `undone` an undo; `unclear`: a crash left open whether
 * it was done, it can't be seen, and doing it twice would do harm: a person decides.
 */
export const OUTCOMES = [
  'done',
  'already',
  'unverified',
  'would_run',
  'would_do_nothing',
  'not_done',
  'undone',
  'unclear',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface ActionOutcome {
  readonly outcome: Outcome;
  /** What it does or did, in a sentence. */
  readonly summary: string;
  /** The present state as the manifest shows it; absent when it can't be seen. */
  readonly state?: unknown;
  readonly result?: unknown;
  /** What undo needs. */
  readonly captured: Readonly<Record<string, unknown>>;
  /** A new secret; the caller seals it at once. */
  readonly secret?: string;
}

export interface ActionContext {
  readonly loaded: LoadedManifest;
  /** Refuses whatever could change something: `createToolClient(…, 'read')`. */
  readonly reader: ToolClient;
  readonly writer: () => ToolClient;
  readonly config: Readonly<Record<string, string>>;
  readonly plan?: string | null;
  readonly pause: (ms: number) => Promise<void>;
  /** Called with what undo needs before the first change. */
  readonly onCaptured: (captured: Readonly<Record<string, unknown>>) => Promise<void>;
}

export interface ActionRequest {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly mode: ActionMode;
  /** The bytes that `upload` sends. */
  readonly file?: Uint8Array | undefined;
  /** From an earlier run: for undo, or after a crash. */
  readonly captured?: Readonly<Record<string, unknown>>;
  /** An earlier attempt died in the middle: look before acting again. */
  readonly resumed?: boolean;
}

export function findAction(loaded: LoadedManifest, name: string): ActionSpec {
  const action = Object.hasOwn(loaded.manifest.actions, name) ? loaded.manifest.actions[name] : undefined;
  if (!action) throw new ActionUnknown(`${loaded.manifest.title} has no action ${name}.`, { action: name });
  return action;
}

/** Throws `ConnectorInputInvalid` unless the input has exactly what the action asks for. */
export function checkInput(spec: ActionSpec, input: unknown): Readonly<Record<string, unknown>> {
  const kinds = {
    text: z.string().min(1).max(8_192),
    number: z.number(),
    boolean: z.boolean(),
    json: z.json(),
  };
  const shape = Object.entries(spec.input).map(
    ([name, field]) => [name, field.required ? kinds[field.kind] : kinds[field.kind].optional()] as const,
  );
  const parsed = z.strictObject(Object.fromEntries(shape)).safeParse(input);
  if (!parsed.success)
    throw new ConnectorInputInvalid(z.prettifyError(parsed.error), { fields: Object.keys(spec.input) });
  return parsed.data;
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

interface Seen {
  /** Undefined: the manifest has no way to see. */
  readonly done: boolean | undefined;
  readonly captured: Readonly<Record<string, unknown>>;
  readonly summary?: unknown;
}

interface Work extends ActionContext {
  readonly spec: ActionSpec;
  readonly bindings: Bindings & { readonly input: Readonly<Record<string, unknown>> };
}

async function look(work: Work, captured: Readonly<Record<string, unknown>>): Promise<Seen> {
  const { state } = work.spec;
  if (!state) return { done: undefined, captured };
  const { loaded, reader, bindings } = work;
  const result = await reader.call(state.request, { ...bindings, captured });
  if (!result) return { done: undefined, captured };
  const isAbsent =
    state.absentStatuses.includes(result.status) || (result.code !== null && state.absentCodes.includes(result.code));
  if (!result.ok && !isAbsent) throw judgeFailure(loaded.manifest.title, result, []);
  const body = isAbsent ? null : result.body;
  const variables = { input: bindings.input, captured, status: result.status, config: work.config };
  const done = (await loaded.expression(state.done).evaluate(body, variables)) === true;
  const found = state.capture === undefined ? {} : await loaded.expression(state.capture).evaluate(body, variables);
  const shown =
    state.summary === undefined ? undefined : await loaded.expression(state.summary).evaluate(body, variables);
  return { done, captured: { ...captured, ...objectOf(found) }, ...(shown === undefined ? {} : { summary: shown }) };
}

async function perform(work: Work, calls: readonly ActionCall[], before: Readonly<Record<string, unknown>>) {
  const { loaded, bindings } = work;
  const writer = work.writer();
  let captured = before;
  let body: unknown = null;
  for (const call of calls) {
    const variables = { input: bindings.input, captured, config: work.config };
    if (call.when !== undefined && (await loaded.expression(call.when).evaluate(variables)) !== true) continue;
    const result = await writer.call(call.request, { ...bindings, captured });
    if (!result) throw new ConnectorInputInvalid(`A value is missing for ${call.request.method} ${call.request.path}.`);
    const isDone =
      result.ok ||
      call.doneStatuses.includes(result.status) ||
      (result.code !== null && call.doneCodes.includes(result.code));
    if (!isDone) throw judgeFailure(loaded.manifest.title, result, []);
    body = result.body;
    if (call.capture !== undefined && result.ok) {
      captured = { ...captured, ...objectOf(await loaded.expression(call.capture).evaluate(body, variables)) };
      await work.onCaptured(captured);
    }
  }
  return { body, captured };
}

/** Tools take a moment to show what they accepted. */
async function lookUntil(work: Work, wanted: boolean, captured: Readonly<Record<string, unknown>>): Promise<Seen> {
  for (let tries = 1; ; tries++) {
    const seen = await look(work, captured);
    if (seen.done === undefined || seen.done === wanted || tries >= VERIFY_ATTEMPTS_MAX) return seen;
    await work.pause(VERIFY_PAUSE_MS);
  }
}

async function run(work: Work, request: ActionRequest, summary: string): Promise<ActionOutcome> {
  const { spec, loaded } = work;
  const before = await look(work, request.captured ?? {});
  const { resumed = false } = request;
  // What was captured before the crash is the state to go back to, not what the half-done attempt left.
  const captured = resumed && request.captured ? { ...before.captured, ...request.captured } : before.captured;
  if (before.done === true) return { outcome: resumed ? 'done' : 'already', summary, state: before.summary, captured };
  if (resumed && before.done === undefined && !spec.repeatable) return { outcome: 'unclear', summary, captured };
  await work.onCaptured(captured);
  const { body, captured: after } = await perform(work, spec.run, captured);
  const seen = await lookUntil(work, true, after);
  const result = spec.result === undefined ? undefined : await loaded.expression(spec.result).evaluate(body);
  const secret = spec.secret === undefined ? undefined : await loaded.expression(spec.secret).evaluate(body);
  return {
    outcome: seen.done === true ? 'done' : seen.done === false ? 'not_done' : 'unverified',
    summary,
    ...(seen.summary === undefined ? {} : { state: seen.summary }),
    ...(result === undefined ? {} : { result }),
    ...(typeof secret === 'string' ? { secret } : {}),
    captured: after,
  };
}

async function undo(work: Work, request: ActionRequest, summary: string): Promise<ActionOutcome> {
  const { spec } = work;
  if (spec.undo.length === 0) {
    throw new UndoUnavailable(`${work.loaded.manifest.title} has no way back from this.`, { action: request.action });
  }
  const captured = request.captured ?? {};
  const before = await look(work, captured);
  if (before.done === false) return { outcome: 'undone', summary, state: before.summary, captured };
  await perform(work, spec.undo, captured);
  const seen = await lookUntil(work, false, captured);
  return {
    outcome: seen.done === false ? 'undone' : 'unverified',
    summary,
    ...(seen.summary === undefined ? {} : { state: seen.summary }),
    captured,
  };
}

/** Runs, tries, verifies or undoes one action. Knows no database: who calls it keeps what it returns. */
export async function performAction(context: ActionContext, request: ActionRequest): Promise<ActionOutcome> {
  const spec = findAction(context.loaded, request.action);
  const input = checkInput(spec, request.input);
  checkPlan(context.loaded, spec.plans, context.plan);
  const { file } = request;
  const bindings = { input, config: context.config, ...(file && { file }) };
  const work: Work = { ...context, spec, bindings };
  const summary = fillText(spec.preview, work.bindings) ?? spec.title;
  if (request.mode === 'run') return run(work, request, summary);
  if (request.mode === 'undo') return undo(work, request, `Undo: ${summary}`);
  const seen = await look(work, request.captured ?? {});
  const shown = { summary, captured: seen.captured, ...(seen.summary === undefined ? {} : { state: seen.summary }) };
  if (request.mode === 'dry-run') return { outcome: seen.done === true ? 'would_do_nothing' : 'would_run', ...shown };
  return { outcome: seen.done === true ? 'done' : seen.done === false ? 'not_done' : 'unverified', ...shown };
}
