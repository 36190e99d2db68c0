import type { Clock, Logger, Queryable, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { RunUnknown } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import { AWAY_MS, isDatabaseAway } from './database-away.ts';
import { Parked } from './perform-act.ts';
import type { Act, Journal, Run, RunStatus } from './run.ts';

export const RUN_PAGE_MAX = 200;
const ACTS_MAX = 5_000;

function toRun(row: Selectable<IncidentTables['playbook_run']>): Run {
  return {
    id: row.id,
    playbookId: row.playbook_id,
    playbookName: row.playbook_name,
    document: row.document,
    digest: row.digest,
    mode: row.mode,
    status: row.status,
    caseId: row.case_id,
    alertId: row.alert_id,
    startedBy: row.started_by,
    approval: row.approval,
    inputs: row.inputs,
    variables: row.variables,
    error: row.error,
    wakeAt: row.wake_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export function toAct(row: Selectable<IncidentTables['playbook_act']>): Act {
  return {
    key: row.key,
    stepId: row.step_id,
    kind: row.kind,
    title: row.title,
    command: row.command,
    effect: row.effect,
    status: row.status,
    input: row.input,
    prepared: row.prepared,
    result: row.result,
    proof: row.proof,
    error: row.error,
    approval: row.approval,
    attempts: row.attempts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    dueAt: row.due_at,
    undoTitle: row.undo_title,
  };
}

const json = (value: unknown): string => JSON.stringify(value);

/** False when a run for the same trigger is there already. */
export async function insertRun(tx: Transaction, run: Run, triggerKey: string | null): Promise<boolean> {
  const done = await tx
    .tables<IncidentTables>()
    .insertInto('playbook_run')
    .values({
      id: run.id,
      playbook_id: run.playbookId,
      playbook_name: run.playbookName,
      document: run.document,
      digest: run.digest,
      mode: run.mode,
      status: run.status,
      case_id: run.caseId,
      alert_id: run.alertId,
      trigger_key: triggerKey,
      started_by: json(run.startedBy),
      approval: run.approval && json(run.approval),
      inputs: json(run.inputs),
      variables: json(run.variables),
      error: run.error,
      wake_at: run.wakeAt,
      created_at: run.createdAt,
      finished_at: run.finishedAt,
    })
    .onConflict((conflict) => conflict.column('trigger_key').doNothing())
    .executeTakeFirst();
  return (done.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function loadRun(db: Queryable, id: string): Promise<Run> {
  const row = await db
    .tables<IncidentTables>()
    .selectFrom('playbook_run')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw new RunUnknown('There is no such run.');
  return toRun(row);
}

export async function lockRun(tx: Transaction, id: string): Promise<Selectable<IncidentTables['playbook_run']>> {
  const row = await tx
    .tables<IncidentTables>()
    .selectFrom('playbook_run')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new RunUnknown('There is no such run.');
  return row;
}

export async function listRuns(
  db: Queryable,
  query: {
    readonly caseId?: string | undefined;
    readonly playbookId?: string | undefined;
    readonly status?: RunStatus | undefined;
    readonly limit: number;
  },
): Promise<Run[]> {
  let select = db.tables<IncidentTables>().selectFrom('playbook_run').selectAll();
  if (query.caseId !== undefined) select = select.where('case_id', '=', query.caseId);
  if (query.playbookId !== undefined) select = select.where('playbook_id', '=', query.playbookId);
  if (query.status !== undefined) select = select.where('status', '=', query.status);
  const rows = await select
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(Math.min(query.limit, RUN_PAGE_MAX))
    .execute();
  return rows.map(toRun);
}

export async function setRun(
  db: Queryable,
  id: string,
  set: Partial<{
    status: RunStatus;
    approval: string;
    inputs: string;
    variables: string;
    error: string | null;
    driving: boolean;
    wanted: number;
    segment: number;
    wake_at: number | null;
    finished_at: number | null;
  }>,
): Promise<void> {
  await db.tables<IncidentTables>().updateTable('playbook_run').set(set).where('id', '=', id).execute();
}

/** In the order in which they began. */
export async function listActs(db: Queryable, runId: string): Promise<Act[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('playbook_act')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('seq')
    .limit(ACTS_MAX)
    .execute();
  return rows.map(toAct);
}

export async function writeAct(db: Queryable, runId: string, act: Act): Promise<void> {
  const row = {
    status: act.status,
    input: json(act.input),
    prepared: json(act.prepared),
    result: act.result && json(act.result),
    proof: act.proof && json(act.proof),
    error: act.error,
    approval: act.approval && json(act.approval),
    attempts: act.attempts,
    started_at: act.startedAt,
    finished_at: act.finishedAt,
    due_at: act.dueAt,
    undo_title: act.undoTitle,
  };
  await db
    .tables<IncidentTables>()
    .insertInto('playbook_act')
    .values({
      run_id: runId,
      key: act.key,
      step_id: act.stepId,
      kind: act.kind,
      title: act.title,
      command: act.command,
      effect: act.effect,
      created_at: act.createdAt,
      ...row,
    })
    .onConflict((conflict) => conflict.columns(['run_id', 'key']).doUpdateSet(row))
    .execute();
}

/**
 * The acts of a run as the interpreter reads and writes them; each write is committed when it resolves. A write that the
 * database didn't take for a reason that passes parks the run: what happened outside can't be told from here, so the
 * run goes on later from what is written, and verifies.
 */
export async function openJournal(
  { db, clock, logger }: { readonly db: Queryable; readonly clock: Clock; readonly logger: Logger },
  runId: string,
): Promise<Journal> {
  const acts = new Map((await listActs(db, runId)).map((act) => [act.key, act]));
  return {
    find: (key) => acts.get(key) ?? null,
    async write(act) {
      try {
        await writeAct(db, runId, act);
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        logger.warn({ err: error, run: runId, act: act.key }, 'an act could not be written down; the run waits');
        throw new Parked(clock.now() + AWAY_MS);
      }
      acts.set(act.key, act);
    },
    all: () => [...acts.values()],
  };
}
