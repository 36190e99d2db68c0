import type { Database, Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import type { WatchTables } from '../watch-tables.ts';

/** Splunk asks for a GUID and takes any text of this kind. */
const CHANNEL = /^[\w-]{1,100}$/;
const CHANNELS_MAX = 1_000;
const UNUSED_MS = 7 * 86_400_000;

/** The channel of a request, from its header or its address; null: it names one that is none. */
export function hecChannel(given: string | undefined): string | null | undefined {
  if (given === undefined || given === '') return undefined;
  return CHANNEL.test(given) ? given : null;
}

/**
 * The number of a delivery that is on disk. Numbers of a channel count up from 0, so that a channel's count says which
 * are acknowledged, also after a restart.
 */
export async function takeHecAck(db: Database, sourceId: string, channel: string, now: number): Promise<number> {
  return db.transaction(async (tx) => {
    const tables = tx.tables<WatchTables>();
    const row = await tables
      .insertInto('hec_channel')
      .values({ source_id: sourceId, channel, next_id: 1, used_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['source_id', 'channel'])
          .doUpdateSet((set) => ({ next_id: sql<number>`${set.ref('hec_channel.next_id')} + 1`, used_at: now })),
      )
      .returning('next_id')
      .executeTakeFirstOrThrow();
    if (row.next_id === 1) {
      await tables
        .deleteFrom('hec_channel')
        .where('used_at', '<', now - UNUSED_MS)
        .execute();
      const others = await tables
        .selectFrom('hec_channel')
        .select('channel')
        .where('source_id', '=', sourceId)
        .orderBy('used_at', 'desc')
        .offset(CHANNELS_MAX)
        .execute();
      for (const one of others) {
        await tables
          .deleteFrom('hec_channel')
          .where('source_id', '=', sourceId)
          .where('channel', '=', one.channel)
          .execute();
      }
    }
    return row.next_id - 1;
  });
}

/** Which of these numbers are on disk. */
export async function readHecAcks(
  db: Queryable,
  sourceId: string,
  channel: string,
  asked: readonly number[],
): Promise<Record<string, boolean>> {
  const row = await db
    .tables<WatchTables>()
    .selectFrom('hec_channel')
    .select('next_id')
    .where('source_id', '=', sourceId)
    .where('channel', '=', channel)
    .executeTakeFirst();
  return Object.fromEntries(asked.map((id) => [String(id), id < (row?.next_id ?? 0)]));
}
