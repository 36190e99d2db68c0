import type { ActionTable } from '../actions/action.ts';
import type { Transport } from '../actions/transport.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { parseCondition } from '../cacao/condition.ts';
import { type CacaoStep, type Playbook, stepTitle } from '../cacao/playbook.ts';
import { assign, declareVariables, fillIn, startVariables, type Variables } from '../cacao/variables.ts';
import { ConditionInvalid } from '../errors.ts';
import { runCommands } from './action-step.ts';
import { freshAct, Parked, type PerformContext } from './perform-act.ts';
import type { Journal, Run } from './run.ts';

export const LOOPS_MAX = 1_000;
/** A dry run goes through a loop this often: what would end it doesn't really happen. */
const DRY_LOOPS_MAX = 1;
const VISITS_MAX = 20_000;
const NESTING_MAX = 5;

export interface InterpreterDeps {
  readonly actions: ActionTable;
  readonly transport: Transport;
  readonly journal: Journal;
  readonly now: () => number;
  /** Playbooks that others call. */
  readonly findPlaybook: (id: string, version?: string) => Promise<Playbook | null>;
  readonly isWanted?: () => Promise<boolean>;
}

export type DriveOutcome =
  | { readonly state: 'ended'; readonly ok: boolean; readonly error: string | null; readonly variables: Variables }
  | { readonly state: 'parked'; readonly wakeAt: number | null };

/** One playbook on its way: its own, or one that a step calls. */
export interface Frame extends PerformContext {
  readonly playbook: Playbook;
  readonly actions: ActionTable;
  readonly findPlaybook: InterpreterDeps['findPlaybook'];
  readonly depth: number;
  readonly counter: { visits: number };
}

/** What a branch came to, and the variables as it leaves them. */
export interface Outcome {
  readonly ok: boolean;
  readonly error: string | null;
  readonly variables: Variables;
}

/**
 * Takes a run as far as it can go. Called again, it walks the same way: what the journal holds isn't done again, and
 * whatever isn't there yet is done next. Nothing else decides the way, so a crash can't change it.
 */
export async function driveRun(
  run: Pick<Run, 'id' | 'mode' | 'approval' | 'caseId' | 'playbookName' | 'inputs'>,
  playbook: Playbook,
  deps: InterpreterDeps,
): Promise<DriveOutcome> {
  const frame: Frame = { ...deps, run, playbook, depth: 0, counter: { visits: 0 } };
  try {
    const outcome = await runPlaybook(frame, '', startVariables(playbook, run.inputs));
    return { state: 'ended', ...outcome };
  } catch (error) {
    if (error instanceof Parked) return { state: 'parked', wakeAt: error.wakeAt };
    throw error;
  }
}

/** From start to end; where a step failed that nobody looks after, through the playbook's exception step. */
async function runPlaybook(frame: Frame, path: string, variables: Variables): Promise<Outcome> {
  const { playbook } = frame;
  const outcome = await walk(frame, playbook.workflow_start, path, variables);
  const { workflow_exception: handler } = playbook;
  if (outcome.ok || handler === undefined || frame.playbook.workflow[handler]?.type === 'end') return outcome;
  const handled = await walk(frame, handler, `${path}exception/`, outcome.variables);
  return { ...handled, ok: false, error: outcome.error };
}

/** One branch, step by step to its end step. */
async function walk(frame: Frame, first: string, path: string, given: Variables): Promise<Outcome> {
  let id = first;
  let variables = given;
  for (let count = 0; ; count++) {
    const step = frame.playbook.workflow[id];
    if (!step) return { ok: false, error: `There is no step ${id}.`, variables };
    if (++frame.counter.visits > VISITS_MAX) return { ok: false, error: `More than ${VISITS_MAX} steps.`, variables };
    const key = `${path}${count}.${id}`;
    await delay(frame, id, step, key);
    const outcome = await visit(frame, id, step, key, variables);
    variables = outcome.variables;
    if (step.type === 'end') return { ok: true, error: null, variables };
    const next = step.on_completion ?? (outcome.ok ? step.on_success : step.on_failure);
    if (next === undefined) return { ...outcome, error: outcome.error ?? `Nothing follows ${stepTitle(id, step)}.` };
    id = next;
  }
}

async function delay({ run, journal, now }: Frame, id: string, step: CacaoStep, key: string): Promise<void> {
  if (step.delay === undefined || run.mode === 'simulate') return;
  const at = `${key}.delay`;
  const found = journal.find(at);
  if (found?.status === 'done') return;
  const dueAt = found?.dueAt ?? now() + step.delay;
  const title = `Wait ${step.delay} ms`;
  const act = freshAct({ key: at, stepId: id, kind: 'control', title, command: 'delay', effect: 'read', dueAt }, now());
  if (now() < dueAt) {
    if (!found) await journal.write({ ...act, status: 'delayed' });
    throw new Parked(dueAt);
  }
  await journal.write({ ...(found ?? act), status: 'done', finishedAt: now() });
}

/** Writes down which way a step went, once; a replay takes the way that was written. */
async function note(frame: Frame, id: string, key: string, result: () => Record<string, unknown>) {
  const found = frame.journal.find(key);
  if (found?.result) return found.result;
  const step = frame.playbook.workflow[id];
  const at = frame.now();
  const act = freshAct(
    { key, stepId: id, kind: 'control', title: stepTitle(id, step), command: step?.type ?? '', effect: 'read' },
    at,
  );
  const decided = result();
  const status = frame.run.mode === 'simulate' ? 'simulated' : 'done';
  await frame.journal.write({ ...act, status, result: decided, startedAt: at, finishedAt: at });
  return decided;
}

function local(step: CacaoStep, variables: Variables): Variables {
  return { ...variables, ...declareVariables(step.step_variables) };
}

/** What a step's own variables came to stays in the step; the rest goes on. */
function withoutLocal(step: CacaoStep, before: Variables, after: Variables): Variables {
  const own = step.step_variables ?? {};
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, value]): [string, Variables[string]][] => {
      if (!(name in own)) return [[name, value]];
      const was = before[name];
      return was ? [[name, was]] : [];
    }),
  );
}

async function visit(frame: Frame, id: string, step: CacaoStep, key: string, variables: Variables): Promise<Outcome> {
  const inner = local(step, variables);
  const outcome = await visitInside(frame, id, step, key, inner);
  return { ...outcome, variables: withoutLocal(step, variables, outcome.variables) };
}

async function visitInside(
  frame: Frame,
  id: string,
  step: CacaoStep,
  key: string,
  variables: Variables,
): Promise<Outcome> {
  const done: Outcome = { ok: true, error: null, variables };
  try {
    switch (step.type) {
      case 'start':
      case 'end':
        await note(frame, id, key, () => ({}));
        return done;
      case 'action':
        return await runCommands(frame, id, step, key, variables);
      case 'playbook-action':
        return await callPlaybook(frame, id, step, key, variables);
      case 'parallel':
        return await runParallel(frame, id, step, key, variables);
      case 'if-condition': {
        const { condition } = await note(frame, id, key, () => ({ condition: decide(step, variables) }));
        const branch = condition === true ? step.on_true : step.on_false;
        return branch === undefined ? done : await walk(frame, branch, `${key}/${condition === true}/`, variables);
      }
      case 'switch-condition': {
        const { case: chosen } = await note(frame, id, key, () => ({ case: choose(step, variables) }));
        const branch = typeof chosen === 'string' ? step.cases?.[chosen] : undefined;
        return branch === undefined ? done : await walk(frame, branch, `${key}/${String(chosen)}/`, variables);
      }
      case 'while-condition':
        break;
    }
    return await runWhile(frame, id, step, key, variables);
  } catch (error) {
    if (error instanceof Parked || !(error instanceof ConditionInvalid)) throw error;
    return { ok: false, error: messageOf(error), variables };
  }
}

function decide(step: CacaoStep, variables: Variables): boolean {
  return parseCondition(step.condition ?? '', variables).holds(variables);
}

function choose(step: CacaoStep, variables: Variables): string | null {
  const text = step.switch ?? '';
  const value = /:value/.test(text) ? fillIn(text, variables) : (variables[text]?.value ?? '');
  if (step.cases?.[value] !== undefined) return value;
  return step.cases?.['default'] === undefined ? null : 'default';
}

async function runWhile(frame: Frame, id: string, step: CacaoStep, key: string, given: Variables): Promise<Outcome> {
  let variables = given;
  const max = frame.run.mode === 'simulate' ? DRY_LOOPS_MAX : LOOPS_MAX;
  for (let loop = 0; ; loop++) {
    const at = `${key}.${loop}`;
    const now = variables;
    const { condition } = await note(frame, id, at, () => ({ condition: decide(step, now), loop }));
    if (condition !== true) return { ok: true, error: null, variables };
    if (loop >= max) {
      if (frame.run.mode === 'simulate') return { ok: true, error: null, variables };
      return { ok: false, error: `The loop was not over after ${max} rounds.`, variables };
    }
    const outcome = await walk(frame, step.on_true ?? '', `${at}/`, variables);
    variables = outcome.variables;
    if (!outcome.ok) return outcome;
  }
}

/**
 * Each branch starts from the same variables; what each changed is put together in the order in which the step names
 * them. So the outcome doesn't depend on which was faster, and a replay comes to the same.
 */
async function runParallel(
  frame: Frame,
  id: string,
  step: CacaoStep,
  key: string,
  variables: Variables,
): Promise<Outcome> {
  const branches = step.next_steps ?? [];
  await note(frame, id, key, () => ({ branches: branches.length }));
  const settled = await Promise.allSettled(
    branches.map((first, index) => walk(frame, first, `${key}/${index}/`, variables)),
  );
  const parked: Parked[] = [];
  let merged = variables;
  let error: string | null = null;
  for (const one of settled) {
    if (one.status === 'rejected') {
      if (!(one.reason instanceof Parked)) throw one.reason;
      parked.push(one.reason);
      continue;
    }
    const changed = Object.entries(one.value.variables).filter(([name, value]) => value !== variables[name]);
    merged = { ...merged, ...Object.fromEntries(changed) };
    if (!one.value.ok) error ??= one.value.error;
  }
  if (parked.length > 0) {
    const times = parked.flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]));
    throw new Parked(times.length === 0 ? null : Math.min(...times));
  }
  return { ok: error === null, error, variables: merged };
}

async function callPlaybook(
  frame: Frame,
  id: string,
  step: CacaoStep,
  key: string,
  variables: Variables,
): Promise<Outcome> {
  const called = await frame.findPlaybook(step.playbook_id ?? '', step.playbook_version);
  const failed = (error: string): Outcome => ({ ok: false, error, variables });
  const { name } = await note(frame, id, key, () => ({ playbook: step.playbook_id, name: called?.name ?? null }));
  if (!called) return failed(`There is no playbook ${step.playbook_id ?? ''} here.`);
  if (frame.depth >= NESTING_MAX) return failed(`Playbooks call each other more than ${NESTING_MAX} deep.`);
  const given = (step.in_args ?? []).flatMap((one) => {
    const value = variables[one]?.value;
    return typeof value === 'string' ? [[one, value] as const] : [];
  });
  let inner: Variables;
  try {
    inner = startVariables(called, Object.fromEntries(given));
  } catch (error) {
    return failed(`${String(name)}: ${messageOf(error)}`);
  }
  const outcome = await runPlaybook({ ...frame, playbook: called, depth: frame.depth + 1 }, `${key}/`, inner);
  let after = variables;
  for (const one of step.out_args ?? []) {
    const value = outcome.variables[one]?.value;
    if (typeof value === 'string') after = assign(after, one, value);
  }
  return { ok: outcome.ok, error: outcome.error, variables: after };
}
