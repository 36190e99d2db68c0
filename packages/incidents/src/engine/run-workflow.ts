import {
  appendAudit,
  type Clock,
  type Database,
  type Logger,
  type Transaction,
  type WorkflowClient,
  type WorkflowDefinition,
} from '@cordon/kernel';
import type { ActionTable } from '../actions/action.ts';
import { closedTransport, type Transport } from '../actions/transport.ts';
import { messageOf } from '../cacao/check-playbook.ts';
import { type Playbook, readPlaybook } from '../cacao/playbook.ts';
import type { IncidentTables } from '../tables.ts';
import { AWAY_MS, isDatabaseAway } from './database-away.ts';
import { driveRun, type InterpreterDeps } from './interpreter.ts';
import { Parked } from './perform-act.ts';
import { loadRun, lockRun, openJournal, setRun } from './run-store.ts';
import type { Run } from './run.ts';
import { undoRun } from './undo.ts';

/** What commands enqueue; the worker runs `createRunWorkflow`. */
export const runWorkflow = { name: 'incidents.playbook-run' } as const;
const WAKE_BATCH_MAX = 100;
/** A database that can't even be told to wait is asked again, at twice the pause each time: eight minutes in all. */
const DRIVE_ATTEMPTS_MAX = 10;

interface RunInput {
  readonly runId: string;
}

export interface RunEngine {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actions: ActionTable;
  readonly transport: Transport;
  /** Another transport for this very run: that of an exercise simulates what would touch anything real. */
  readonly transportOf?: (run: Run) => Promise<Transport>;
  readonly findPlaybook: InterpreterDeps['findPlaybook'];
  /** Told in the transaction that ends a run; writes it into the case. */
  readonly onEnd?: (
    tx: Transaction,
    run: Run,
    outcome: { readonly ok: boolean; readonly error: string | null },
  ) => Promise<void>;
}

/**
 * Has a driver take a run on, in the caller's transaction. While one drives, it is only told that there is more to
 * do: two drivers of one run would do things twice.
 */
export async function wakeRun(
  tx: Transaction,
  workflows: Pick<WorkflowClient, 'enqueue'>,
  runId: string,
): Promise<void> {
  const row = await lockRun(tx, runId);
  if (row.driving) {
    await setRun(tx, runId, { wanted: row.wanted + 1 });
    return;
  }
  const segment = row.segment + 1;
  await setRun(tx, runId, { driving: true, wanted: 0, segment, wake_at: null });
  await workflows.enqueue(tx, runWorkflow, `playbook-run:${runId}:${segment}`, { runId });
}

/** Wakes the runs whose delay or timeout is over. A repeating duty. */
export async function wakeDueRuns(
  db: Database,
  workflows: Pick<WorkflowClient, 'enqueue'>,
  now: number,
): Promise<number> {
  const due = await db
    .tables<IncidentTables>()
    .selectFrom('playbook_run')
    .select('id')
    .where('driving', '=', false)
    .where('wake_at', '<=', now)
    .limit(WAKE_BATCH_MAX)
    .execute();
  for (const { id } of due) await db.transaction((tx) => wakeRun(tx, workflows, id));
  return due.length;
}

/** Drives runs: one workflow for one stretch between two waits. What happens in between is in the journal. */
export function createRunWorkflow(engine: RunEngine): WorkflowDefinition<RunInput> {
  return {
    name: runWorkflow.name,
    async run({ runId }, steps) {
      // One step: it may run again as a whole after a crash, since the journal decides what is still to be done.
      await steps.step(
        'drive',
        async () => {
          while (await driveOnce(engine, runId));
        },
        { attemptsMax: DRIVE_ATTEMPTS_MAX },
      );
    },
  };
}

/** Returns whether somebody decided something meanwhile, so that it has to go on. */
async function driveOnce(given: RunEngine, runId: string): Promise<boolean> {
  const { db } = given;
  const wantedBefore = (
    await db
      .tables<IncidentTables>()
      .selectFrom('playbook_run')
      .select('wanted')
      .where('id', '=', runId)
      .executeTakeFirst()
  )?.wanted;
  const run = await loadRun(db, runId);
  const engine = given.transportOf ? { ...given, transport: await given.transportOf(run) } : given;
  if (run.status === 'undoing')
    return settle(engine, run, wantedBefore, await withoutBreaking(engine, run, () => undoRun(engine, run)));
  if (run.status !== 'running' && run.status !== 'waiting') {
    await setRun(db, runId, { driving: false, wake_at: null });
    return false;
  }
  const playbook: Playbook = readPlaybook(run.document);
  const transport = run.mode === 'simulate' ? closedTransport(engine.transport.reads) : engine.transport;
  const journal = await openJournal(engine, runId);
  const deps = {
    actions: engine.actions,
    transport,
    journal,
    now: () => engine.clock.now(),
    findPlaybook: engine.findPlaybook,
    isWanted: async () => (await loadRun(db, runId)).status !== 'cancelled',
  };
  const outcome = await withoutBreaking(engine, run, () => driveRun(run, playbook, deps));
  return settle(engine, run, wantedBefore, outcome);
}

/** A database that is away parks the run; whatever else is thrown ends it. */
async function withoutBreaking(engine: RunEngine, run: Run, drive: () => Promise<Settled>): Promise<Settled> {
  try {
    return await drive();
  } catch (error) {
    if (error instanceof Parked) return { state: 'parked', wakeAt: error.wakeAt };
    if (isDatabaseAway(error)) {
      engine.logger.warn({ err: error, run: run.id }, 'the database did not answer; the run waits');
      return { state: 'parked', wakeAt: engine.clock.now() + AWAY_MS };
    }
    engine.logger.error({ err: error, run: run.id }, 'a playbook run broke');
    return { state: 'ended', ok: false, error: messageOf(error), variables: run.variables };
  }
}

type Settled =
  | {
      readonly state: 'ended';
      readonly ok: boolean;
      readonly error: string | null;
      readonly variables: Run['variables'];
    }
  | { readonly state: 'parked'; readonly wakeAt: number | null };

async function settle(
  engine: RunEngine,
  run: Run,
  wantedBefore: number | undefined,
  outcome: Settled,
): Promise<boolean> {
  return engine.db.transaction(async (tx) => {
    const row = await lockRun(tx, run.id);
    if (row.status === 'cancelled') {
      await setRun(tx, run.id, { driving: false, wake_at: null });
      return false;
    }
    if (outcome.state === 'parked') {
      if (row.wanted !== wantedBefore) return true;
      await setRun(tx, run.id, {
        driving: false,
        wake_at: outcome.wakeAt,
        ...(row.status === 'running' && { status: 'waiting' }),
      });
      return false;
    }
    const isUndo = run.status === 'undoing';
    const status = isUndo ? (outcome.ok ? 'undone' : 'undo-failed') : outcome.ok ? 'succeeded' : 'failed';
    const at = engine.clock.now();
    await setRun(tx, run.id, {
      status,
      error: outcome.error,
      driving: false,
      wake_at: null,
      finished_at: at,
      variables: JSON.stringify(outcome.variables),
    });
    await appendAudit(tx, {
      actor: { kind: 'system', name: 'playbook' },
      action: `playbook_run.${status.replace('-', '_')}`,
      target: { type: 'playbook-run', id: run.id, name: run.playbookName },
      detail: {
        mode: run.mode,
        playbook: run.playbookId,
        digest: run.digest,
        ...(outcome.error !== null && { error: outcome.error }),
      },
      at,
    });
    await engine.onEnd?.(tx, run, outcome);
    return false;
  });
}
