import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { WatchTables } from '../watch-tables.ts';
import { type Collect, collectInput } from './collect.ts';
import { loadSourceCredential, type SourceCredential, SOURCES_MAX } from './source-store.ts';

const ERROR_CHARS_MAX = 500;

export interface CollectingSource {
  readonly source: SourceCredential;
  readonly collect: Collect;
  /** The sealed key of a bucket. */
  readonly sealed: string | null;
  /** Changes when anything does that a collector must be started again for. */
  readonly revision: string;
}

/** Active sources that the worker collects. */
export async function listCollecting(db: Queryable): Promise<CollectingSource[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('event_source')
    .select(['id', 'collect', 'updated_at', 'sealed'])
    .where('status', '=', 'active')
    .where('collect', 'is not', null)
    .orderBy('id')
    .limit(SOURCES_MAX)
    .execute();
  const found: CollectingSource[] = [];
  for (const row of rows) {
    const source = await loadSourceCredential(db, row.id);
    const collect = collectInput.safeParse(row.collect);
    if (source && collect.success) {
      found.push({ source, collect: collect.data, sealed: row.sealed, revision: String(row.updated_at) });
    }
  }
  return found;
}

/** Null: all is well again. */
export async function reportCollect(db: Queryable, sourceId: string, error: string | null): Promise<void> {
  await db
    .tables<WatchTables>()
    .updateTable('event_source')
    .set({ collect_error: error?.slice(0, ERROR_CHARS_MAX) ?? null })
    .where('id', '=', sourceId)
    .where(sql<boolean>`collect_error is distinct from ${error?.slice(0, ERROR_CHARS_MAX) ?? null}`)
    .execute();
}

/** How far one file was read. */
const filePosition = z.object({ inode: z.string(), offset: z.number(), head: z.string(), done: z.boolean() });
export type FilePosition = z.output<typeof filePosition>;

export async function readPositions(db: Queryable, sourceId: string): Promise<Map<string, FilePosition>> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('event_source_position')
    .select(['item', 'position'])
    .where('source_id', '=', sourceId)
    .execute();
  return new Map(rows.map((row) => [row.item, filePosition.parse(row.position)]));
}

export async function savePosition(
  db: Queryable,
  at: { readonly sourceId: string; readonly item: string; readonly position: FilePosition; readonly now: number },
): Promise<void> {
  const position = JSON.stringify(at.position);
  await db
    .tables<WatchTables>()
    .insertInto('event_source_position')
    .values({ source_id: at.sourceId, item: at.item, position, updated_at: at.now })
    .onConflict((conflict) => conflict.columns(['source_id', 'item']).doUpdateSet({ position, updated_at: at.now }))
    .execute();
}

export async function dropPosition(db: Queryable, sourceId: string, item: string): Promise<void> {
  await db
    .tables<WatchTables>()
    .deleteFrom('event_source_position')
    .where('source_id', '=', sourceId)
    .where('item', '=', item)
    .execute();
}
