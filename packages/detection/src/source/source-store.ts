import type { Queryable } from '@cordon/kernel';
import { type Kysely, type Selectable, sql } from 'kysely';
import { stableId } from '../stable-id.ts';
import { SourceUnknown } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import type { FailedRecord } from './normalise-records.ts';
import type { Source } from './source.ts';

const HOUR_MS = 3_600_000;
const RATE_HOURS = 24;
export const SOURCES_MAX = 1_000;
export const DEAD_LETTER_PAGE_MAX = 200;
const REASON_CHARS_MAX = 1_000;
/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const ROWS_MAX = 5_000;

type Row = Selectable<WatchTables['event_source']> & { dead: number; recent: number; recent_failed: number };

function toSource(row: Row): Source {
  return {
    id: row.id,
    name: row.name,
    product: row.product,
    credentialHint: row.credential_hint,
    status: row.status,
    rateMax: row.rate_max,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    accepted: row.accepted,
    duplicates: row.duplicates,
    failed: row.failed,
    lastReceivedAt: row.last_received_at,
    watermark: row.watermark,
    lagMs: row.lag_ms,
    errorRate: row.recent + row.recent_failed === 0 ? null : row.recent_failed / (row.recent + row.recent_failed),
    deadLetters: row.dead,
    collect: (row.collect as Source['collect']) ?? null, // written by the commands, which parsed it
    collectError: row.collect_error,
  };
}

function selectSources(tables: Kysely<WatchTables>, now: number) {
  const since = Math.floor(now / HOUR_MS) - RATE_HOURS + 1;
  const recent = (column: 'accepted' | 'failed') =>
    sql<number>`coalesce((select sum(h.${sql.ref(column)}) from event_source_hour h
      where h.source_id = event_source.id and h.hour >= ${since}), 0)::bigint`;
  return tables
    .selectFrom('event_source')
    .selectAll()
    .select([
      sql<number>`(select count(*) from dead_letter d
        where d.source_id = event_source.id and d.status in ('waiting', 'replay'))`.as('dead'),
      recent('accepted').as('recent'),
      recent('failed').as('recent_failed'),
    ]);
}

export async function listSources(db: Queryable, now: number): Promise<Source[]> {
  const rows = await selectSources(db.tables<WatchTables>(), now).orderBy('name').limit(SOURCES_MAX).execute();
  return rows.map(toSource);
}

export async function loadSource(db: Queryable, id: string, now: number): Promise<Source> {
  const row = await selectSources(db.tables<WatchTables>(), now).where('id', '=', id).executeTakeFirst();
  if (!row) throw new SourceUnknown('There is no such source.');
  return toSource(row);
}

/** What an ingest request is measured by; null for a credential nobody has. */
export interface SourceCredential {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly status: 'active' | 'paused';
  readonly rateMax: number;
}

const CREDENTIAL_COLUMNS = ['id', 'name', 'product', 'status', 'rate_max as rateMax'] as const;

export async function findSourceByCredential(db: Queryable, hash: string): Promise<SourceCredential | null> {
  const row = await db
    .tables<WatchTables>()
    .selectFrom('event_source')
    .select(CREDENTIAL_COLUMNS)
    .where('credential_hash', '=', hash)
    .executeTakeFirst();
  return row ?? null;
}

/** The first time that each of these ids was delivered: what stands for the time that the record lacks. */
export async function firstTimes(
  db: Queryable,
  sourceId: string,
  ids: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (let at = 0; at < ids.length; at += ROWS_MAX) {
    const rows = await db
      .tables<WatchTables>()
      .insertInto('event_source_time')
      .values(ids.slice(at, at + ROWS_MAX).map((id) => ({ source_id: sourceId, event_id: id, first_at: now })))
      // Writing what is there makes PostgreSQL return it.
      .onConflict((conflict) =>
        conflict
          .columns(['source_id', 'event_id'])
          .doUpdateSet((row) => ({ first_at: row.ref('event_source_time.first_at') })),
      )
      .returning(['event_id', 'first_at'])
      .execute();
    for (const row of rows) times.set(row.event_id, row.first_at);
  }
  return times;
}

export interface Delivery {
  readonly sourceId: string;
  readonly accepted: number;
  readonly duplicates: number;
  readonly failed: readonly FailedRecord[];
  /** Event time of the newest event; null when there is none. */
  readonly newestAt: number | null;
  readonly receivedAt: number;
}

/** Counts a delivery and keeps what failed of it, in the caller's transaction. */
export async function recordDelivery(db: Queryable, delivery: Delivery): Promise<void> {
  const tables = db.tables<WatchTables>();
  const { sourceId, accepted, duplicates, newestAt, receivedAt } = delivery;
  const failed = await insertDeadLetters(tables, delivery);
  await tables
    .updateTable('event_source')
    .set((row) => ({
      accepted: row('accepted', '+', accepted),
      duplicates: row('duplicates', '+', duplicates),
      failed: row('failed', '+', failed),
      last_received_at: receivedAt,
      ...(newestAt !== null && {
        watermark: sql<number>`greatest(coalesce(watermark, 0), ${newestAt})`,
        lag_ms: Math.max(0, receivedAt - newestAt),
      }),
    }))
    .where('id', '=', sourceId)
    .execute();
  if (accepted + failed === 0) return;
  await tables
    .insertInto('event_source_hour')
    .values({ source_id: sourceId, hour: Math.floor(receivedAt / HOUR_MS), accepted, failed })
    .onConflict((conflict) =>
      conflict.columns(['source_id', 'hour']).doUpdateSet((row) => ({
        accepted: sql<number>`${row.ref('event_source_hour.accepted')} + ${accepted}`,
        failed: sql<number>`${row.ref('event_source_hour.failed')} + ${failed}`,
      })),
    )
    .execute();
}

async function insertDeadLetters(tables: Kysely<WatchTables>, { sourceId, failed, receivedAt }: Delivery) {
  if (failed.length === 0) return 0;
  const letters = new Map(
    failed.map(({ record, reason }) => {
      const id = stableId('dead letter', sourceId, record.externalId ?? '', record.text);
      const letter = {
        id,
        source_id: sourceId,
        received_at: receivedAt,
        // PostgreSQL's text can't hold NUL; a record with one is no JSON anyway.
        raw: record.text.replaceAll('\0', '\uFFFD'),
        external_id: record.externalId ?? null,
        reason: reason.slice(0, REASON_CHARS_MAX),
        status: 'waiting' as const,
        updated_at: receivedAt,
      };
      return [id, letter];
    }),
  );
  let inserted = 0;
  const rows = [...letters.values()];
  for (let at = 0; at < rows.length; at += ROWS_MAX) {
    const result = await tables
      .insertInto('dead_letter')
      .values(rows.slice(at, at + ROWS_MAX))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    inserted += Number(result.numInsertedOrUpdatedRows ?? 0n);
  }
  return inserted;
}

export interface DeadLetter {
  readonly id: string;
  readonly sourceId: string;
  readonly receivedAt: number;
  readonly raw: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status: 'waiting' | 'replay' | 'replayed' | 'discarded';
}

const LETTER_COLUMNS = [
  'id',
  'source_id as sourceId',
  'received_at as receivedAt',
  'raw',
  'external_id as externalId',
  'reason',
  'attempts',
  'status',
] as const;

/** Newest first, at most `DEAD_LETTER_PAGE_MAX`. */
export async function listDeadLetters(db: Queryable, sourceId: string, limit: number): Promise<DeadLetter[]> {
  return db
    .tables<WatchTables>()
    .selectFrom('dead_letter')
    .select(LETTER_COLUMNS)
    .where('source_id', '=', sourceId)
    .where('status', 'in', ['waiting', 'replay'])
    .orderBy('received_at', 'desc')
    .orderBy('id')
    .limit(Math.min(limit, DEAD_LETTER_PAGE_MAX))
    .execute();
}

/** Letters that someone asked to have tried again, oldest first. */
export async function takeReplays(db: Queryable): Promise<(DeadLetter & { externalId: string | null })[]> {
  return db
    .tables<WatchTables>()
    .selectFrom('dead_letter')
    .select(LETTER_COLUMNS)
    .where('status', '=', 'replay')
    .orderBy('received_at')
    .limit(DEAD_LETTER_PAGE_MAX)
    .execute();
}

/** `reason` is null when the letter became an event. */
export async function settleReplay(db: Queryable, id: string, reason: string | null, now: number): Promise<void> {
  await db
    .tables<WatchTables>()
    .updateTable('dead_letter')
    .set((row) =>
      reason === null
        ? { status: 'replayed', updated_at: now }
        : {
            status: 'waiting',
            reason: reason.slice(0, REASON_CHARS_MAX),
            attempts: row('attempts', '+', 1),
            updated_at: now,
          },
    )
    .where('id', '=', id)
    .execute();
}

export async function loadSourceCredential(db: Queryable, id: string): Promise<SourceCredential | null> {
  const row = await db
    .tables<WatchTables>()
    .selectFrom('event_source')
    .select(CREDENTIAL_COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}
