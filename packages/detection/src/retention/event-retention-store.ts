import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import type { WatchTables } from '../watch-tables.ts';
import type { EventHold, EventRule } from './event-retention.ts';

export const EVENT_RULES_MAX = 50;
export const EVENT_HOLDS_MAX = 100;
const ERROR_CHARS_MAX = 500;

export async function listEventRules(db: Queryable): Promise<EventRule[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('event_retention_rule')
    .selectAll()
    .orderBy('name')
    .limit(EVENT_RULES_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    query: row.query,
    days: row.days,
    createdAt: row.created_at,
    createdBy: row.created_by,
    runAt: row.run_at,
    deleted: row.deleted,
    lastError: row.last_error,
  }));
}

export async function listEventHolds(db: Queryable): Promise<EventHold[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('event_hold')
    .selectAll()
    .orderBy('name')
    .limit(EVENT_HOLDS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    query: row.query,
    from: row.from_at,
    to: row.to_at,
    reason: row.reason,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

/** Bytes on disk that the lake may take; null: any. */
export async function readSizeLimit(db: Queryable): Promise<number | null> {
  const row = await db.tables<WatchTables>().selectFrom('event_size_limit').select('bytes_max').executeTakeFirst();
  return row?.bytes_max ?? null;
}

/** What became of a rule's run. */
export async function settleEventRule(
  db: Queryable,
  id: string,
  { at, deleted, error }: { readonly at: number; readonly deleted: number; readonly error: string | null },
): Promise<void> {
  await db
    .tables<WatchTables>()
    .updateTable('event_retention_rule')
    .set({
      run_at: at,
      deleted: sql<number>`deleted + ${deleted}`,
      last_error: error?.slice(0, ERROR_CHARS_MAX) ?? null,
    })
    .where('id', '=', id)
    .execute();
}
