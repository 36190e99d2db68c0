import { appendAudit, type Clock, type Database, type Logger, type WorkflowDefinition } from '@cordon/kernel';
import type { Act, ActOutcome, ActPorts, ActSubject } from './act.ts';
import { addActs, countAttempt, endIfSettled, loadRunSubject, settleAct, waitingActs } from './act-store.ts';

/** What commands enqueue; the worker runs `createActWorkflow`. */
export const actWorkflow = { name: 'discovery.act' } as const;

const ATTEMPTS_MAX = 4;
const PAUSE_MS = 500;
const SYSTEM = { kind: 'system', name: 'discovery' } as const;

export interface ActWorkflowDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: ActPorts;
  /** Waits between attempts, milliseconds; a test passes its own. */
  readonly pause: (ms: number) => Promise<void>;
}

async function attempt(deps: ActWorkflowDeps, runId: string, subject: ActSubject, act: Act): Promise<ActOutcome> {
  for (let tries = 1; ; tries += 1) {
    await countAttempt(deps.db, runId, act.key);
    try {
      return await deps.ports.carryOut(subject, act, `discovery:${runId}:${act.key}`);
    } catch (error) {
      deps.logger.warn({ err: error, run: runId, act: act.key, tries }, 'an act of discovery failed');
      if (tries >= ATTEMPTS_MAX)
        return { state: 'failed', detail: error instanceof Error ? error.message : String(error) };
      await deps.pause(PAUSE_MS * 2 ** tries);
    }
  }
}

/** Plans what there is to do about an app or a key, and does it: each act once, with its evidence on record. */
export function createActWorkflow(deps: ActWorkflowDeps): WorkflowDefinition<{ readonly runId: string }> {
  const { db, clock, ports } = deps;
  const record = async (runId: string, subject: ActSubject, act: Act, outcome: ActOutcome): Promise<void> => {
    const at = clock.now();
    await db.transaction(async (tx) => {
      // A crash right after the commit runs this step again: the trail holds each outcome once.
      if (!(await settleAct(tx, runId, act.key, { ...outcome, at, from: ['waiting'] }))) return;
      await appendAudit(tx, {
        actor: SYSTEM,
        action: `discovery.act_${outcome.state}`,
        target: { type: `found-${subject.type}`, id: subject.id, name: subject.name },
        detail: { run: runId, of: act.kind, name: act.name, act: act.act, outcome: outcome.detail },
        at,
      });
    });
  };
  return {
    name: actWorkflow.name,
    async run({ runId }, steps) {
      await steps.step('plan', async () => {
        await addActs(db, runId, await ports.plan(await loadRunSubject(db, runId)), clock.now());
      });
      await steps.step('carry out', async () => {
        const subject = await loadRunSubject(db, runId);
        for (const act of await waitingActs(db, runId)) {
          await record(runId, subject, act, await attempt(deps, runId, subject, act));
        }
      });
      await steps.step('end', () => db.transaction((tx) => endIfSettled(tx, runId, clock.now())));
    },
  };
}
