import { createHash } from 'node:crypto';
import type { ActContext, ActResult, AnyAction, Verdict } from '../actions/action.ts';
import type { Transport } from '../actions/transport.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { type Act, isOver, type Journal, type Run } from './run.ts';

/** What connectors and most tools take as an idempotency key. */
const KEY_CHARS_MAX = 180;
export const ACT_MS_MAX = 120_000;
const VERIFY_AGAIN_MS = 5_000;

/** The run can't go on by itself: it waits for a person, or until `wakeAt`. Also thrown by a journal that can't write. */
export class Parked extends Error {
  readonly wakeAt: number | null;

  constructor(wakeAt: number | null) {
    super('parked');
    this.wakeAt = wakeAt;
  }
}

export interface PerformContext {
  readonly run: Pick<Run, 'id' | 'mode' | 'approval' | 'caseId' | 'playbookName'>;
  readonly journal: Journal;
  readonly transport: Transport;
  readonly now: () => number;
  /** Asked before each act: false when somebody stopped the run meanwhile. */
  readonly isWanted?: () => Promise<boolean>;
}

export function freshAct(
  given: Pick<Act, 'key' | 'stepId' | 'kind' | 'title' | 'command' | 'effect'> & Partial<Act>,
  at: number,
): Act {
  return {
    status: 'started',
    input: {},
    prepared: {},
    result: null,
    proof: null,
    error: null,
    approval: null,
    attempts: 0,
    createdAt: at,
    startedAt: null,
    finishedAt: null,
    dueAt: null,
    undoTitle: null,
    ...given,
  };
}

/** The same for the same act of the same run, however often it is tried. */
export function idempotencyKey(runId: string, key: string): string {
  const whole = `${runId}:${key}`;
  return whole.length <= KEY_CHARS_MAX ? whole : `${runId}:${createHash('sha256').update(key).digest('hex')}`;
}

export function contextOf(context: PerformContext, act: Act, signal: AbortSignal): ActContext {
  const { run, transport } = context;
  return {
    ...transport,
    key: idempotencyKey(run.id, act.key),
    runId: run.id,
    caseId: run.caseId,
    mark: `[playbook "${run.playbookName}", run ${run.id}]`,
    signal,
    prepared: act.prepared,
  };
}

async function inTime<Result>(limitMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`ACTION_TIMEOUT: no end after ${limitMs} ms`)), {
      once: true,
    });
  });
  return Promise.race([work(signal), late]);
}

type Planned = {
  readonly action: AnyAction;
  readonly input: unknown;
  readonly needsApproval: boolean;
  readonly timeoutMs: number;
};

/**
 * Takes one act to its end. Every line that changes the outside stands between two journal entries: `started`, written
 * before, and the outcome, written after. Found `started`, it was cut short: it is verified before it is repeated, and
 * where nothing tells, a person says.
 */
export async function performAct(context: PerformContext, draft: Act, planned: Planned): Promise<Act> {
  const { journal, run } = context;
  let act = journal.find(draft.key) ?? draft;
  if (isOver(act)) return act;
  const keep = async (change: Partial<Act>): Promise<Act> => {
    act = { ...act, ...change };
    await journal.write(act);
    return act;
  };
  if (run.mode === 'simulate') return simulate(context, keep, planned);
  if (act.status === 'doubtful') throw new Parked(null);
  const wasCutShort = journal.find(draft.key) !== null && act.status === 'started' && act.attempts > 0;
  if (!wasCutShort) {
    if (planned.needsApproval && !(run.approval?.approved ?? false)) {
      if (!act.approval) {
        await keep({ status: 'waiting-approval' });
        throw new Parked(null);
      }
      if (!act.approval.approved) {
        return keep({ status: 'refused', error: `Refused: ${act.approval.reason}`, finishedAt: context.now() });
      }
    }
    if (context.isWanted && !(await context.isWanted())) throw new Parked(null);
    const { reads } = context.transport;
    const dry = { reads, runId: run.id, caseId: run.caseId };
    try {
      const prepared = (await planned.action.prepare?.(planned.input, dry)) ?? {};
      await keep({ status: 'started', attempts: 1, prepared, startedAt: context.now() });
    } catch (error) {
      if (error instanceof Parked) throw error;
      return keep({ status: 'failed', error: messageOf(error), finishedAt: context.now() });
    }
  } else {
    const verdict = await verdictOf(context, act, planned).catch(() => null);
    // What was cut short is never repeated unverified: when the outside doesn't answer, the run waits for it.
    if (!verdict) throw new Parked(context.now() + VERIFY_AGAIN_MS);
    if (verdict.state === 'done') return finish(context, keep, planned, verdict.result, verdict.proof);
    if (verdict.state === 'unknown' && !planned.action.repeatable) {
      await keep({ status: 'doubtful' });
      throw new Parked(null);
    }
    await keep({ attempts: act.attempts + 1 });
  }
  return attempt(context, act, keep, planned);
}

type Keep = (change: Partial<Act>) => Promise<Act>;

function verdictOf(context: PerformContext, act: Act, { action, input }: Planned): Promise<Verdict> {
  return inTime(ACT_MS_MAX, (signal) => action.verify(input, contextOf(context, act, signal)));
}

async function attempt(context: PerformContext, act: Act, keep: Keep, planned: Planned): Promise<Act> {
  const { action, input, timeoutMs } = planned;
  try {
    const result = await inTime(timeoutMs, (signal) => action.run(input, contextOf(context, act, signal)));
    if (action.effect === 'read') return await finish(context, keep, planned, result, null);
    const verdict = await verdictOf(context, act, planned);
    if (verdict.state === 'absent') {
      return await keep({
        status: 'failed',
        error: 'It was asked for, but verification finds that it did not happen.',
        finishedAt: context.now(),
      });
    }
    return await finish(context, keep, planned, result, verdict.state === 'done' ? verdict.proof : null);
  } catch (error) {
    if (error instanceof Parked) throw error;
    // The call failed, but what it asked for may have happened: only verification tells.
    const verdict = action.effect === 'read' ? null : await verdictOf(context, act, planned).catch(() => null);
    if (verdict?.state === 'done') return finish(context, keep, planned, verdict.result, verdict.proof);
    return keep({ status: 'failed', error: messageOf(error), finishedAt: context.now() });
  }
}

function finish(
  context: PerformContext,
  keep: Keep,
  { action }: Planned,
  result: ActResult,
  proof: ActResult | null,
): Promise<Act> {
  return keep({
    status: 'done',
    result,
    proof,
    error: null,
    finishedAt: context.now(),
    undoTitle: action.compensation?.title ?? null,
  });
}

async function simulate(context: PerformContext, keep: Keep, { action, input }: Planned): Promise<Act> {
  const { run, transport, now } = context;
  const at = { startedAt: now(), finishedAt: now(), attempts: 1 };
  try {
    const dry = { reads: transport.reads, runId: run.id, caseId: run.caseId };
    const { would, result } = await action.simulate(input, dry);
    return await keep({ ...at, status: 'simulated', result, proof: { would } });
  } catch (error) {
    if (error instanceof Parked) throw error;
    return keep({ ...at, status: 'failed', error: messageOf(error) });
  }
}
