import type { Database, Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { RecordSource } from './log.ts';
import { tablesOf } from './tables.ts';

/** One leaf of the lake's log: what was taken in a span, by the day that it happened on. */
export const lakeLeaf = z.object({
  seq: z.int().positive(),
  /** When the leaf was made; ms since epoch. */
  at: z.int(),
  /** Ingest time, `to` exclusive. */
  from: z.int(),
  to: z.int(),
  events: z.int(),
  days: z.array(z.object({ day: z.string(), events: z.int(), digest: z.string() })),
});
export type LakeLeaf = z.output<typeof lakeLeaf>;

/** The leaves as records of a log. */
export function lakeLeafSource(db: Queryable): RecordSource {
  return {
    async readAfter(seq, limit) {
      const rows = await tablesOf(db)
        .selectFrom('lake_leaf')
        .select(['seq', 'record'])
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      const gap = rows.findIndex((row, place) => row.seq !== seq + place + 1);
      return (gap === -1 ? rows : rows.slice(0, gap)).map(({ record }) => record);
    },
  };
}

/** Up to where the lake was taken into the log; null: not begun. */
export async function readLeafPosition(db: Queryable): Promise<number | null> {
  const row = await tablesOf(db).selectFrom('lake_leaf_position').select('at').executeTakeFirst();
  return row?.at ?? null;
}

/** Adds a leaf, unless nothing was taken, and moves on; both or neither. */
export async function appendLeaf(db: Database, leaf: Omit<LakeLeaf, 'seq'>): Promise<void> {
  await db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    if (leaf.events > 0) {
      const { rows } = await sql<{ seq: number }>`select coalesce(max(seq), 0)::bigint as seq from lake_leaf`.execute(
        tables,
      );
      const seq = (rows[0]?.seq ?? 0) + 1;
      const { at, from, to, events, days } = leaf;
      await tables
        .insertInto('lake_leaf')
        .values({ seq, record: JSON.stringify({ seq, at, from, to, events, days }) })
        .execute();
    }
    await tables
      .insertInto('lake_leaf_position')
      .values({ one: true, at: leaf.to })
      .onConflict((conflict) => conflict.column('one').doUpdateSet({ at: leaf.to }))
      .execute();
  });
}
