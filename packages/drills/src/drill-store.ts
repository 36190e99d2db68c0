import type { Queryable, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { type Drill, type DrillObject, type DrillStatus, type Entry } from './drill.ts';
import { DrillUnknown } from './errors.ts';
import { readKept } from './scenario.ts';
import type { Score } from './score.ts';
import type { DrillTables } from './tables.ts';

export const DRILL_PAGE_MAX = 200;
const ENTRIES_MAX = 5_000;
const OBJECTS_MAX = 200;

function toDrill(row: Selectable<DrillTables['drill']>): Drill {
  return {
    id: row.id,
    number: row.number,
    scenario: row.scenario,
    title: row.title,
    document: readKept(row.document),
    digest: row.digest,
    mode: row.mode,
    status: row.status,
    target: row.target,
    decide: row.decide,
    pace: row.pace,
    stretch: row.stretch,
    participants: row.participants,
    facilitator: row.facilitator,
    sealedKey: row.sealed_key,
    scheduleId: row.schedule_id,
    createdAt: row.created_at,
    startedAt: row.started_at,
    pausedAt: row.paused_at,
    pausedMs: row.paused_ms,
    endedAt: row.ended_at,
    stopReason: row.stop_reason,
    error: row.error,
    score: row.score,
    lessons: row.lessons,
  };
}

const tablesOf = (db: Queryable) => db.tables<DrillTables>();

export async function insertDrill(tx: Transaction, drill: Omit<Drill, 'number'>): Promise<void> {
  await tablesOf(tx)
    .insertInto('drill')
    .values({
      id: drill.id,
      scenario: drill.scenario,
      title: drill.title,
      document: JSON.stringify(drill.document),
      digest: drill.digest,
      mode: drill.mode,
      status: drill.status,
      target: drill.target === null ? null : JSON.stringify(drill.target),
      decide: drill.decide,
      pace: drill.pace,
      stretch: drill.stretch,
      participants: JSON.stringify(drill.participants),
      facilitator: JSON.stringify(drill.facilitator),
      sealed_key: drill.sealedKey,
      schedule_id: drill.scheduleId,
      created_at: drill.createdAt,
      started_at: drill.startedAt,
      paused_at: drill.pausedAt,
      ended_at: drill.endedAt,
      stop_reason: drill.stopReason,
      error: drill.error,
      score: null,
    })
    .execute();
}

export async function loadDrill(db: Queryable, ref: string): Promise<Drill> {
  const isNumber = /^\d{1,9}$/.test(ref);
  const row = await tablesOf(db)
    .selectFrom('drill')
    .selectAll()
    .where(isNumber ? 'number' : 'id', '=', isNumber ? Number(ref) : ref)
    .executeTakeFirst();
  if (!row) throw new DrillUnknown('There is no such drill.');
  return toDrill(row);
}

export async function lockDrill(tx: Transaction, id: string): Promise<Drill> {
  const row = await tablesOf(tx).selectFrom('drill').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (!row) throw new DrillUnknown('There is no such drill.');
  return toDrill(row);
}

export async function listDrills(
  db: Queryable,
  query: { readonly status?: readonly DrillStatus[] | undefined; readonly limit: number },
): Promise<Drill[]> {
  let select = tablesOf(db).selectFrom('drill').selectAll();
  if (query.status) select = select.where('status', 'in', [...query.status]);
  const rows = await select.orderBy('number', 'desc').limit(Math.min(query.limit, DRILL_PAGE_MAX)).execute();
  return rows.map(toDrill);
}

export async function statusOf(db: Queryable, id: string): Promise<DrillStatus> {
  const row = await tablesOf(db).selectFrom('drill').select('status').where('id', '=', id).executeTakeFirst();
  if (!row) throw new DrillUnknown('There is no such drill.');
  return row.status;
}

export async function setDrill(
  db: Queryable,
  id: string,
  set: Partial<{
    status: DrillStatus;
    started_at: number;
    paused_at: number | null;
    paused_ms: number;
    ended_at: number;
    stop_reason: string;
    error: string | null;
    score: Score;
    lessons: string;
  }>,
): Promise<void> {
  const { score, ...rest } = set;
  await tablesOf(db)
    .updateTable('drill')
    .set({ ...rest, ...(score && { score: JSON.stringify(score) }) })
    .where('id', '=', id)
    .execute();
}

/** In order. */
export async function listEntries(db: Queryable, drillId: string): Promise<Entry[]> {
  const rows = await tablesOf(db)
    .selectFrom('drill_entry')
    .selectAll()
    .where('drill_id', '=', drillId)
    .orderBy('seq')
    .limit(ENTRIES_MAX)
    .execute();
  return rows.map(({ key, kind, at, author, text, detail }) => ({ key, kind, at, author, text, detail }));
}

/** False when the key is there already. */
export async function addEntry(db: Queryable, drillId: string, entry: Entry): Promise<boolean> {
  const done = await tablesOf(db)
    .insertInto('drill_entry')
    .values({ ...entry, drill_id: drillId, detail: JSON.stringify(entry.detail) })
    .onConflict((conflict) => conflict.columns(['drill_id', 'key']).doNothing())
    .executeTakeFirst();
  return (done.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Writes what became of an entry, beside when it began. */
export async function settleEntry(
  db: Queryable,
  drillId: string,
  key: string,
  set: { readonly text: string; readonly detail: Readonly<Record<string, unknown>> },
): Promise<void> {
  await tablesOf(db)
    .updateTable('drill_entry')
    .set({ text: set.text, detail: JSON.stringify(set.detail) })
    .where('drill_id', '=', drillId)
    .where('key', '=', key)
    .execute();
}

export async function listObjects(db: Queryable, drillId: string): Promise<DrillObject[]> {
  const rows = await tablesOf(db)
    .selectFrom('drill_object')
    .selectAll()
    .where('drill_id', '=', drillId)
    .orderBy('made_at')
    .limit(OBJECTS_MAX)
    .execute();
  return rows.map((row) => ({
    kind: row.kind,
    ref: row.ref,
    name: row.name,
    sealed: row.sealed,
    madeAt: row.made_at,
    removedAt: row.removed_at,
  }));
}

export async function addObject(db: Queryable, drillId: string, object: Omit<DrillObject, 'removedAt'>): Promise<void> {
  await tablesOf(db)
    .insertInto('drill_object')
    .values({
      drill_id: drillId,
      kind: object.kind,
      ref: object.ref,
      name: object.name,
      sealed: object.sealed,
      made_at: object.madeAt,
      removed_at: null,
    })
    .onConflict((conflict) => conflict.columns(['drill_id', 'kind', 'ref']).doUpdateSet({ sealed: object.sealed }))
    .execute();
}

export async function markRemoved(db: Queryable, drillId: string, kind: string, ref: string, at: number) {
  await tablesOf(db)
    .updateTable('drill_object')
    .set({ removed_at: at, sealed: null })
    .where('drill_id', '=', drillId)
    .where('kind', '=', kind as DrillObject['kind']) // an unknown kind changes nothing
    .where('ref', '=', ref)
    .execute();
}

/** What acts of this drill's playbooks pretended to change, by key. */
export async function listEffects(db: Queryable, drillId: string): Promise<Map<string, unknown>> {
  const rows = await tablesOf(db)
    .selectFrom('drill_effect')
    .select(['key', 'value'])
    .where('drill_id', '=', drillId)
    .orderBy('at')
    .limit(OBJECTS_MAX * 10)
    .execute();
  return new Map(rows.map(({ key, value }) => [key, value]));
}

export async function putEffect(db: Queryable, drillId: string, key: string, value: unknown, at: number) {
  const text = JSON.stringify(value);
  await tablesOf(db)
    .insertInto('drill_effect')
    .values({ drill_id: drillId, key, value: text, at })
    .onConflict((conflict) => conflict.columns(['drill_id', 'key']).doUpdateSet({ value: text, at }))
    .execute();
}

/** The drill's key, sealed, and the integrations that are its own. */
export async function findForTag(db: Queryable, drillId: string) {
  const row = await tablesOf(db)
    .selectFrom('drill')
    .select(['sealed_key', 'ended_at'])
    .where('id', '=', drillId)
    .executeTakeFirst();
  if (!row) return null;
  const integrations = await tablesOf(db)
    .selectFrom('drill_object')
    .select('ref')
    .where('drill_id', '=', drillId)
    .where('kind', '=', 'integration')
    .limit(OBJECTS_MAX)
    .execute();
  return { sealedKey: row.sealed_key, endedAt: row.ended_at, integrations: integrations.map(({ ref }) => ref) };
}

/** Ended drills of the last years with a score, for the trend. */
export async function listScored(db: Queryable, since: number) {
  const rows = await tablesOf(db)
    .selectFrom('drill')
    .select(['ended_at', 'mode', 'score'])
    .where('status', '=', 'ended')
    .where('ended_at', '>=', since)
    .where('score', 'is not', null)
    .orderBy('ended_at')
    .limit(2_000)
    .execute();
  return rows.flatMap(({ ended_at, mode, score }) =>
    ended_at === null || score === null ? [] : [{ endedAt: ended_at, mode, score }],
  );
}
