import { appendAudit, type Clock, type Database, type Logger, type WorkflowDefinition } from '@cordon/kernel';
import type { LeaverPorts, LeaverRun, Outcome, Target } from './leaver.ts';
import {
  addTargets,
  endIfClosed,
  loadRun,
  markAttempt,
  markDispatched,
  settle,
  waitingTargets,
} from './leaver-store.ts';

export interface LeaverInput {
  readonly runId: string;
}

/** What commands enqueue; the worker runs `createLeaverWorkflow`. */
export const leaverWorkflow = { name: 'lifecycle.leaver' } as const;

/** Tools are asked side by side: one that is slow keeps no other waiting. */
const AT_ONCE_MAX = 16;
const ATTEMPTS_MAX = 4;
const SYSTEM = { kind: 'system', name: 'leaver' } as const;

export interface LeaverDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: LeaverPorts;
  /** Waits between attempts, milliseconds; a test passes its own. */
  readonly pause: (ms: number) => Promise<void>;
}

async function tryTarget(deps: LeaverDeps, run: LeaverRun, target: Target): Promise<Outcome> {
  const { db, logger, ports, pause } = deps;
  for (let attempt = 1; ; attempt += 1) {
    await markAttempt(db, run.id, target.key);
    try {
      return await ports.carryOut(run.person, target, `leaver:${run.id}:${target.key}`);
    } catch (error) {
      logger.warn({ err: error, run: run.id, target: target.key, attempt }, 'a leaver could not be carried out there');
      if (attempt >= ATTEMPTS_MAX) {
        const detail = error instanceof Error ? error.message : String(error);
        return { state: 'failed', detail };
      }
      await pause(500 * 2 ** attempt);
    }
  }
}

async function carryOut(deps: LeaverDeps, run: LeaverRun, target: Target): Promise<void> {
  const outcome = await tryTarget(deps, run, target);
  const at = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    // A crash right after the commit runs this step again: the trail holds each outcome once.
    if (!(await settle(tx, run.id, target.key, { ...outcome, at, from: ['waiting'] }))) return;
    await appendAudit(tx, {
      actor: SYSTEM,
      action: `leaver.${outcome.state === 'nothing' ? 'nothing_there' : outcome.state}`,
      target: { type: 'person', id: run.person.id, name: run.person.name },
      detail: { run: run.id, of: target.kind, name: target.name, act: target.act, outcome: outcome.detail },
      at,
    });
  });
}

/**
 * Takes from a leaver what the transaction of their disabling couldn't reach: what they answer for, and what they have in
 * the tools. Each target is settled once, with its evidence; what only a person can do stays open as a task.
 */
export function createLeaverWorkflow(deps: LeaverDeps): WorkflowDefinition<LeaverInput> {
  const { db, clock, ports } = deps;
  return {
    name: leaverWorkflow.name,
    async run({ runId }, steps) {
      await steps.step('find', async () => {
        const run = await loadRun(db, runId);
        await addTargets(db, runId, await ports.find(run.person), clock.now());
      });
      await steps.step('carry out', async () => {
        const run = await loadRun(db, runId);
        const waiting = [...(await waitingTargets(db, runId))];
        const work = async (): Promise<void> => {
          for (let next = waiting.shift(); next; next = waiting.shift()) await carryOut(deps, run, next);
        };
        await Promise.all(Array.from({ length: AT_ONCE_MAX }, work));
        await markDispatched(db, runId, clock.now());
      });
      await steps.step('close', () =>
        db.transaction(async (tx) => {
          if (!(await endIfClosed(tx, runId, clock.now()))) return;
          const { person } = await loadRun(tx, runId);
          const target = { type: 'person', id: person.id, name: person.name };
          await appendAudit(tx, {
            actor: SYSTEM,
            action: 'leaver.complete',
            target,
            detail: { run: runId },
            at: clock.now(),
          });
        }),
      );
    },
  };
}
