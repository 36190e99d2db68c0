import type { Queryable, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Act, ActOutcome, ActRecord, ActRun, ActState, ActSubject } from './act.ts';
import { FoundAppUnknown } from './errors.ts';
import { tablesOf } from './tables.ts';

const ACTS_MAX = 10_000;
const RUNS_MAX = 50;
const DETAIL_CHARS_MAX = 2_000;
const OPEN: readonly ActState[] = ['waiting', 'task', 'failed'];
const storedInput = z.record(z.string(), z.unknown());

export async function insertRun(
  tx: Transaction,
  run: Pick<ActRun, 'id' | 'subject' | 'reason' | 'startedBy' | 'startedAt'>,
): Promise<void> {
  const { subject } = run;
  await tablesOf(tx)
    .insertInto('discovery_run')
    .values({
      id: run.id,
      subject_type: subject.type,
      subject: subject.id,
      name: subject.name,
      reason: run.reason,
      started_by: run.startedBy,
      started_at: new Date(run.startedAt),
      ended_at: null,
    })
    .execute();
}

export async function loadRunSubject(db: Queryable, runId: string): Promise<ActSubject> {
  const row = await tablesOf(db).selectFrom('discovery_run').selectAll().where('id', '=', runId).executeTakeFirst();
  if (!row) throw new FoundAppUnknown('There is no such run.', { run: runId });
  return { type: row.subject_type, id: row.subject, name: row.name };
}

/** Keeps what was planned; what is there already stays as it is. */
export async function addActs(db: Queryable, runId: string, acts: readonly Act[], at: number): Promise<void> {
  if (acts.length === 0) return;
  const rows = acts.slice(0, ACTS_MAX).map((act, place) => ({
    run_id: runId,
    key: act.key,
    place,
    kind: act.kind,
    name: act.name,
    act: act.act,
    input: JSON.stringify(act.input),
    status: act.task === undefined ? ('waiting' as const) : ('task' as const),
    detail: act.task ?? null,
    attempts: 0,
    at: new Date(at),
    closed_by: null,
  }));
  await tablesOf(db)
    .insertInto('discovery_act')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['run_id', 'key']).doNothing())
    .execute();
}

/** Those that wait to be carried out, with what is needed for it. */
export async function waitingActs(db: Queryable, runId: string): Promise<Act[]> {
  const rows = await tablesOf(db)
    .selectFrom('discovery_act')
    .select(['key', 'kind', 'name', 'act', 'input'])
    .where('run_id', '=', runId)
    .where('status', '=', 'waiting')
    .orderBy('place')
    .limit(ACTS_MAX)
    .execute();
  return rows.map((row) => ({ ...row, input: storedInput.parse(row.input) }));
}

export async function countAttempt(db: Queryable, runId: string, key: string): Promise<void> {
  await tablesOf(db)
    .updateTable('discovery_act')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('run_id', '=', runId)
    .where('key', '=', key)
    .execute();
}

/** False when it was settled already. */
export async function settleAct(
  tx: Transaction,
  runId: string,
  key: string,
  end: ActOutcome & { readonly at: number; readonly from: readonly ActState[]; readonly by?: string },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('discovery_act')
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

/** Ends the run when nothing is open any more; true when this call ended it. */
export async function endIfSettled(tx: Transaction, runId: string, at: number): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('discovery_run')
    .set({ ended_at: new Date(at) })
    .where('id', '=', runId)
    .where('ended_at', 'is', null)
    .where(
      sql<boolean>`not exists (select 1 from discovery_act a where a.run_id = ${runId} and a.status in (${sql.join(OPEN)}))`,
    )
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** What was done about an app or a key, newest first, each act with its evidence. */
export async function listRunsOf(
  db: Queryable,
  of: { readonly type: ActSubject['type']; readonly id?: string; readonly runId?: string },
): Promise<ActRun[]> {
  let query = tablesOf(db)
    .selectFrom('discovery_run')
    .selectAll()
    .where('subject_type', '=', of.type)
    .orderBy('started_at', 'desc')
    .limit(RUNS_MAX);
  if (of.id !== undefined) query = query.where('subject', '=', of.id);
  if (of.runId !== undefined) query = query.where('id', '=', of.runId);
  const runs = await query.execute();
  if (runs.length === 0) return [];
  const acts = await tablesOf(db)
    .selectFrom('discovery_act')
    .selectAll()
    .where(
      'run_id',
      'in',
      runs.map(({ id }) => id),
    )
    .orderBy('place')
    .limit(ACTS_MAX)
    .execute();
  return runs.map((row) => ({
    id: row.id,
    subject: { type: row.subject_type, id: row.subject, name: row.name },
    reason: row.reason,
    startedBy: row.started_by,
    startedAt: row.started_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
    acts: acts
      .filter(({ run_id }) => run_id === row.id)
      .map((act): ActRecord => ({
        key: act.key,
        kind: act.kind,
        name: act.name,
        act: act.act,
        state: act.status,
        detail: act.detail,
        attempts: act.attempts,
        at: act.at.getTime(),
        closedBy: act.closed_by,
      })),
  }));
}
