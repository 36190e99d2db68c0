import type { Database, Queryable, Transaction } from '@cordon/kernel';
import { type Kysely, sql } from 'kysely';
import { LeaverUnknown } from './errors.ts';
import type { LeaverRun, Outcome, RunKind, Target, TargetRecord, TargetState } from './leaver.ts';

interface LifecycleTables {
  lifecycle_run: {
    id: string;
    kind: RunKind;
    person_id: string;
    person_name: string;
    reason: string;
    started_by: string;
    started_at: Date;
    dispatched_at: Date | null;
    ended_at: Date | null;
  };
  lifecycle_target: {
    run_id: string;
    key: string;
    place: number;
    kind: string;
    name: string;
    act: string;
    input: unknown;
    status: TargetState;
    detail: string | null;
    attempts: number;
    at: Date;
    closed_by: string | null;
  };
}

export const RUNS_PAGE_MAX = 200;
const TARGETS_MAX = 10_000;
const DETAIL_CHARS_MAX = 1_000;
const OPEN: readonly TargetState[] = ['waiting', 'task', 'failed'];

const tablesOf = (db: Queryable): Kysely<LifecycleTables> => db.tables<LifecycleTables>();

export async function insertRun(
  tx: Transaction,
  run: Pick<LeaverRun, 'id' | 'kind' | 'person' | 'reason' | 'startedBy'> & { readonly at: number },
): Promise<void> {
  await tablesOf(tx)
    .insertInto('lifecycle_run')
    .values({
      id: run.id,
      kind: run.kind,
      person_id: run.person.id,
      person_name: run.person.name,
      reason: run.reason,
      started_by: run.startedBy,
      started_at: new Date(run.at),
      dispatched_at: null,
      ended_at: null,
    })
    .execute();
}

function countsOf(rows: readonly { status: TargetState; count: number }[]): LeaverRun['counts'] {
  const counts = { waiting: 0, done: 0, nothing: 0, task: 0, failed: 0 };
  for (const { status, count } of rows) counts[status] = count;
  return counts;
}

async function readRuns(
  db: Queryable,
  which: {
    readonly id?: string;
    readonly personId?: string;
    readonly kinds?: readonly RunKind[];
    readonly limit: number;
  },
): Promise<LeaverRun[]> {
  let query = tablesOf(db).selectFrom('lifecycle_run').selectAll().orderBy('started_at', 'desc').limit(which.limit);
  if (which.id !== undefined) query = query.where('id', '=', which.id);
  if (which.personId !== undefined) query = query.where('person_id', '=', which.personId);
  if (which.kinds !== undefined) query = query.where('kind', 'in', [...which.kinds]);
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const counts = await tablesOf(db)
    .selectFrom('lifecycle_target')
    .select(['run_id', 'status', (of) => of.fn.countAll<number>().as('count')])
    .where('run_id', 'in', ids)
    .groupBy(['run_id', 'status'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    person: { id: row.person_id, name: row.person_name },
    reason: row.reason,
    startedBy: row.started_by,
    startedAt: row.started_at.getTime(),
    dispatchedAt: row.dispatched_at?.getTime() ?? null,
    endedAt: row.ended_at?.getTime() ?? null,
    counts: countsOf(counts.filter(({ run_id }) => run_id === row.id)),
  }));
}

/** Newest first; leavers alone unless other kinds are named. */
export function listRuns(
  db: Queryable,
  limit: number,
  which: { readonly personId?: string | undefined; readonly kinds?: readonly RunKind[] } = {},
): Promise<LeaverRun[]> {
  const { personId, kinds = ['leaver'] } = which;
  return readRuns(db, {
    kinds,
    limit: Math.min(limit, RUNS_PAGE_MAX),
    ...(personId === undefined ? {} : { personId }),
  });
}

export async function loadRun(db: Queryable, id: string): Promise<LeaverRun> {
  const [run] = await readRuns(db, { id, limit: 1 });
  if (!run) throw new LeaverUnknown('There is no such leaver.', { run: id });
  return run;
}

/** Keeps what a change meant, settled or waiting for a push. */
export async function insertTargets(
  tx: Transaction,
  runId: string,
  targets: readonly (Target & { readonly state: TargetState; readonly detail: string })[],
  at: number,
): Promise<void> {
  if (targets.length === 0) return;
  const values = targets.map(({ key, kind, name, act, input, state, detail }, place) => ({
    run_id: runId,
    key,
    place,
    kind,
    name,
    act,
    detail,
    input: JSON.stringify(input),
    status: state,
    attempts: 0,
    at: new Date(at),
    closed_by: null,
  }));
  await tablesOf(tx).insertInto('lifecycle_target').values(values).execute();
}

/** Joiners and movers in which this waits. */
export async function listOpenMoves(
  tx: Transaction,
  which: { readonly key: string; readonly personId?: string; readonly before?: number },
): Promise<string[]> {
  let query = tablesOf(tx)
    .selectFrom('lifecycle_run as r')
    .innerJoin('lifecycle_target as t', 't.run_id', 'r.id')
    .select('r.id')
    .where('r.kind', 'in', ['joiner', 'mover'])
    .where('t.key', '=', which.key)
    .where('t.status', '=', 'waiting')
    .limit(TARGETS_MAX);
  if (which.personId !== undefined) query = query.where('r.person_id', '=', which.personId);
  if (which.before !== undefined) query = query.where('r.started_at', '<=', new Date(which.before));
  return (await query.execute()).map(({ id }) => id);
}

/** What a joiner or mover still waits for. */
export async function listWaitingOf(tx: Transaction, personId: string): Promise<{ runId: string; key: string }[]> {
  const rows = await tablesOf(tx)
    .selectFrom('lifecycle_run as r')
    .innerJoin('lifecycle_target as t', 't.run_id', 'r.id')
    .select(['r.id', 't.key'])
    .where('r.kind', 'in', ['joiner', 'mover'])
    .where('r.person_id', '=', personId)
    .where('t.status', '=', 'waiting')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map(({ id, key }) => ({ runId: id, key }));
}

/** Keeps what was found; what is there already stays as it is. */
export async function addTargets(db: Database, runId: string, targets: readonly Target[], at: number): Promise<void> {
  if (targets.length === 0) return;
  await tablesOf(db)
    .insertInto('lifecycle_target')
    .values(
      targets.slice(0, TARGETS_MAX).map((target, place) => ({
        run_id: runId,
        key: target.key,
        place,
        kind: target.kind,
        name: target.name,
        act: target.act,
        input: JSON.stringify(target.input),
        status: target.task === undefined ? ('waiting' as const) : ('task' as const),
        detail: target.task ?? null,
        attempts: 0,
        at: new Date(at),
        closed_by: null,
      })),
    )
    .onConflict((conflict) => conflict.columns(['run_id', 'key']).doNothing())
    .execute();
}

export async function listTargets(db: Queryable, runId: string): Promise<TargetRecord[]> {
  const rows = await tablesOf(db)
    .selectFrom('lifecycle_target')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('place')
    .orderBy('key')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map((row) => ({
    key: row.key,
    kind: row.kind,
    name: row.name,
    act: row.act,
    state: row.status,
    detail: row.detail,
    attempts: row.attempts,
    at: row.at.getTime(),
    closedBy: row.closed_by,
  }));
}

/** Those that wait to be carried out, with what is needed for it. */
export async function waitingTargets(db: Queryable, runId: string): Promise<Target[]> {
  const rows = await tablesOf(db)
    .selectFrom('lifecycle_target')
    .select(['key', 'kind', 'name', 'act', 'input'])
    .where('run_id', '=', runId)
    .where('status', '=', 'waiting')
    .orderBy('place')
    .orderBy('key')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map((row) => ({ ...row, input: row.input as Target['input'] })); // written by addTargets
}

export async function markAttempt(db: Queryable, runId: string, key: string): Promise<void> {
  await tablesOf(db)
    .updateTable('lifecycle_target')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .execute();
}

/** False when it was settled already. */
export async function settle(
  tx: Transaction,
  runId: string,
  key: string,
  end: Outcome & { readonly at: number; readonly from: readonly TargetState[]; readonly by?: string },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('lifecycle_target')
    .set({
      status: end.state,
      detail: end.detail.slice(0, DETAIL_CHARS_MAX),
      at: new Date(end.at),
      ...(end.by === undefined ? {} : { closed_by: end.by }),
    })
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .where('status', 'in', [...end.from])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Puts what failed back among what waits; returns how many. */
export async function retryFailed(tx: Transaction, runId: string): Promise<number> {
  const result = await tablesOf(tx)
    .updateTable('lifecycle_target')
    .set({ status: 'waiting' })
    .where('run_id', '=', runId)
    .where('status', '=', 'failed')
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

export async function markDispatched(db: Queryable, runId: string, at: number): Promise<void> {
  await tablesOf(db)
    .updateTable('lifecycle_run')
    .set({ dispatched_at: new Date(at) })
    .where('id', '=', runId)
    .where('dispatched_at', 'is', null)
    .execute();
}

/** Ends the run when nothing is open any more; true when this call ended it. */
export async function endIfClosed(tx: Transaction, runId: string, at: number): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('lifecycle_run')
    .set({ ended_at: new Date(at) })
    .where('id', '=', runId)
    .where('ended_at', 'is', null)
    .where(
      sql<boolean>`not exists (select 1 from lifecycle_target t where t.run_id = ${runId} and t.status in (${sql.join(OPEN)}))`,
    )
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
