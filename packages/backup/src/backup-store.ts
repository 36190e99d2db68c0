import type { Queryable } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { JobUnknown, PlanUnknown } from './errors.ts';
import { type Job, JOB_KINDS, type Plan, planInput, type PlanInput, type StoredItem } from './plan.ts';
import type { BackupTables } from './tables.ts';

export const JOBS_PAGE_MAX = 100;
export const ITEMS_PAGE_MAX = 500;
const INSERT_ROWS_MAX = 1_000;
const jobStatus = z.enum(['queued', 'running', 'done', 'failed']);
const itemOp = z.enum(['create', 'update', 'delete', 'cannot']);
const itemStatus = z.enum(['planned', 'started', 'done', 'already', 'unverified', 'unclear', 'failed']);

const on = (db: Queryable) => db.tables<BackupTables>();

function toPlan(row: Selectable<BackupTables['backup_plans']>): Plan {
  const input = planInput.parse({
    connectionId: row.connection_id,
    name: row.name,
    app: row.app,
    streams: row.streams,
    everyS: row.every_s,
    verifyEveryS: row.verify_every_s,
    sampleEveryS: row.sample_every_s,
    wholeEveryS: row.whole_every_s,
    retention: row.retention,
    rpoS: row.rpo_s,
    rtoS: row.rto_s,
  });
  const hasSample = row.sample_ms !== null && row.sample_records !== null && row.sample_at !== null;
  return {
    ...input,
    id: row.id,
    nextBackupAt: row.next_backup_at,
    nextVerifyAt: row.next_verify_at,
    nextSampleAt: row.next_sample_at,
    wholeAt: row.whole_at,
    verifiedTakenAt: row.verified_taken_at,
    verifiedAt: row.verified_at,
    sample: hasSample ? { ms: row.sample_ms ?? 0, records: row.sample_records ?? 0, at: row.sample_at ?? 0 } : null,
  };
}

function toJob(row: Selectable<BackupTables['backup_jobs']>): Job {
  return {
    id: row.id,
    planId: row.plan_id,
    kind: z.enum(JOB_KINDS).parse(row.kind),
    input: row.input,
    status: jobStatus.parse(row.status),
    result: row.result,
    error: row.error,
    actor: row.actor,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/** Keeps a plan; a second one for the same connection replaces the first. */
export async function savePlan(db: Queryable, id: string, input: PlanInput, now: number): Promise<Plan> {
  const values = {
    name: input.name,
    app: input.app,
    streams: input.streams === null ? null : JSON.stringify(input.streams),
    every_s: input.everyS,
    verify_every_s: input.verifyEveryS,
    sample_every_s: input.sampleEveryS,
    whole_every_s: input.wholeEveryS,
    retention: JSON.stringify(input.retention),
    rpo_s: input.rpoS,
    rto_s: input.rtoS,
    next_backup_at: input.everyS === null ? null : now,
    // The first snapshot is there by then.
    next_verify_at: input.verifyEveryS === null ? null : now + input.verifyEveryS * 1_000,
    next_sample_at: input.sampleEveryS === null ? null : now + input.sampleEveryS * 1_000,
  };
  const row = await on(db)
    .insertInto('backup_plans')
    .values({ id, connection_id: input.connectionId, created_at: now, ...values })
    .onConflict((conflict) => conflict.column('connection_id').doUpdateSet(values))
    .returningAll()
    .executeTakeFirstOrThrow();
  return toPlan(row);
}

export async function listPlans(db: Queryable): Promise<Plan[]> {
  return (await on(db).selectFrom('backup_plans').selectAll().orderBy('name').execute()).map(toPlan);
}

export async function loadPlan(db: Queryable, id: string): Promise<Plan> {
  const row = await on(db).selectFrom('backup_plans').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new PlanUnknown('There is no such backup plan.', { plan: id });
  return toPlan(row);
}

export async function removePlan(db: Queryable, id: string): Promise<void> {
  await on(db).deleteFrom('backup_plans').where('id', '=', id).execute();
}

/** What was measured, or when something is next due. */
export async function notePlan(
  db: Queryable,
  id: string,
  facts: Partial<
    Pick<
      Selectable<BackupTables['backup_plans']>,
      | 'next_backup_at'
      | 'next_verify_at'
      | 'next_sample_at'
      | 'whole_at'
      | 'verified_taken_at'
      | 'verified_at'
      | 'sample_ms'
      | 'sample_records'
      | 'sample_at'
    >
  >,
): Promise<void> {
  await on(db).updateTable('backup_plans').set(facts).where('id', '=', id).execute();
}

/** The job of this key: made now, or the one that was made before. */
export async function addJob(
  db: Queryable,
  job: { id: string; key: string; planId: string | null; kind: string; input: unknown; actor: string; now: number },
): Promise<Job> {
  await on(db)
    .insertInto('backup_jobs')
    .values({
      id: job.id,
      key: job.key,
      plan_id: job.planId,
      kind: job.kind,
      input: JSON.stringify(job.input),
      status: 'queued',
      result: null,
      error: null,
      actor: job.actor,
      created_at: job.now,
      started_at: null,
      ended_at: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return toJob(await on(db).selectFrom('backup_jobs').selectAll().where('key', '=', job.key).executeTakeFirstOrThrow());
}

export async function findJobByKey(db: Queryable, key: string): Promise<Job | null> {
  const row = await on(db).selectFrom('backup_jobs').selectAll().where('key', '=', key).executeTakeFirst();
  return row ? toJob(row) : null;
}

export async function loadJob(db: Queryable, id: string): Promise<Job> {
  const row = await on(db).selectFrom('backup_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new JobUnknown('There is no such backup job.', { job: id });
  return toJob(row);
}

/** Newest first. */
export async function listJobs(db: Queryable, planId?: string): Promise<Job[]> {
  const query = on(db).selectFrom('backup_jobs').selectAll().orderBy('created_at', 'desc').limit(JOBS_PAGE_MAX);
  return (await (planId === undefined ? query : query.where('plan_id', '=', planId)).execute()).map(toJob);
}

export async function startJob(db: Queryable, id: string, now: number): Promise<void> {
  await on(db).updateTable('backup_jobs').set({ status: 'running', started_at: now }).where('id', '=', id).execute();
}

export async function endJob(
  db: Queryable,
  id: string,
  end: { readonly result: unknown } | { readonly error: string },
  now: number,
): Promise<void> {
  const set =
    'error' in end
      ? { status: 'failed', error: end.error, ended_at: now }
      : { status: 'done', result: JSON.stringify(end.result), ended_at: now };
  await on(db).updateTable('backup_jobs').set(set).where('id', '=', id).execute();
}

export async function saveItems(db: Queryable, jobId: string, items: readonly StoredItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += INSERT_ROWS_MAX) {
    const rows = items.slice(from, from + INSERT_ROWS_MAX).map((item) => ({
      job_id: jobId,
      ordinal: item.ordinal,
      op: item.op,
      object: item.object,
      record_id: item.recordId,
      title: item.title,
      blob: item.blob,
      action: item.action,
      note: item.note,
      status: item.status,
      new_id: item.newId,
    }));
    await on(db)
      .insertInto('backup_restore_items')
      .values(rows)
      .onConflict((c) => c.doNothing())
      .execute();
  }
}

export async function listItems(db: Queryable, jobId: string, after: number, limit: number): Promise<StoredItem[]> {
  const rows = await on(db)
    .selectFrom('backup_restore_items')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('ordinal', '>', after)
    .orderBy('ordinal')
    .limit(Math.min(limit, ITEMS_PAGE_MAX))
    .execute();
  return rows.map((row) => ({
    ordinal: row.ordinal,
    op: itemOp.parse(row.op),
    object: row.object,
    recordId: row.record_id,
    title: row.title,
    blob: row.blob,
    action: row.action,
    note: row.note,
    status: itemStatus.parse(row.status),
    newId: row.new_id,
  }));
}

export async function markItem(
  db: Queryable,
  jobId: string,
  ordinal: number,
  set: { status: StoredItem['status']; new_id?: string | null; note?: string | null },
): Promise<void> {
  await on(db)
    .updateTable('backup_restore_items')
    .set(set)
    .where('job_id', '=', jobId)
    .where('ordinal', '=', ordinal)
    .execute();
}

export async function saveNewId(
  db: Queryable,
  row: { connection_id: string; object: string; old_id: string; new_id: string },
): Promise<void> {
  await on(db)
    .insertInto('backup_new_ids')
    .values(row)
    .onConflict((c) => c.columns(['connection_id', 'object', 'old_id']).doUpdateSet({ new_id: row.new_id }))
    .execute();
}

/** By JSON of [object, old id]. */
export async function loadNewIds(db: Queryable, connectionId: string): Promise<Map<string, string>> {
  const rows = await on(db)
    .selectFrom('backup_new_ids')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .execute();
  return new Map(rows.map((row) => [JSON.stringify([row.object, row.old_id]), row.new_id]));
}
