import type { Database } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import { tablesOf } from './tables.ts';

const SEALED_CHARS_MAX = 24 * 1024 * 1024;

/** One line of a gateway's spool: a delivery that was verified and acknowledged. */
export const receivedDelivery = z.strictObject({
  id: z.uuid(),
  endpointId: z.uuid(),
  receivedAt: z.int().nonnegative(),
  type: z.string().max(256),
  vendorId: z.string().max(256),
  replayKey: z.string().regex(/^[0-9a-f]{64}$/),
  orderKey: z.string().max(64).nullable(),
  contentType: z.string().max(1_024),
  bytes: z.int().nonnegative(),
  secretId: z.string().max(128),
  sealed: z.string().min(1).max(SEALED_CHARS_MAX),
});
export type ReceivedDelivery = z.output<typeof receivedDelivery>;

export interface Taken {
  readonly taken: number;
  readonly duplicates: number;
  /** Of endpoints that were removed meanwhile: nobody is there to have them. */
  readonly homeless: number;
}

/**
 * Takes deliveries over from a gateway, all or none. A delivery that is here already (its batch is sent again) is left
 * as it is; a copy of an earlier one is kept without its content, as a duplicate, and goes nowhere.
 */
export async function takeDeliveries(db: Database, lines: readonly ReceivedDelivery[], now: number): Promise<Taken> {
  let [taken, duplicates, homeless] = [0, 0, 0];
  // One order for all workers: two batches that hold the same keys wait for each other instead of locking up.
  const sorted = lines.toSorted((a, b) =>
    a.replayKey < b.replayKey ? -1 : a.replayKey > b.replayKey ? 1 : a.id < b.id ? -1 : 1,
  );
  await db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const ids = [...new Set(lines.map(({ endpointId }) => endpointId))];
    const known = await tables.selectFrom('webhook_endpoint').select('id').where('id', 'in', ids).execute();
    for (const line of sorted) {
      if (!known.some(({ id }) => id === line.endpointId)) {
        homeless += 1;
        continue;
      }
      const { id, endpointId } = line;
      const inserted = await tables
        .insertInto('webhook_delivery')
        .values({
          id,
          endpoint_id: endpointId,
          received_at: line.receivedAt,
          type: line.type,
          vendor_id: line.vendorId,
          order_key: line.orderKey,
          content_type: line.contentType,
          bytes: line.bytes,
          sealed: line.sealed,
          status: 'waiting',
          next_at: now,
          settled_at: null,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst();
      if (!inserted.numInsertedOrUpdatedRows) continue;
      await tables
        .insertInto('webhook_replay')
        .values({ endpoint_id: endpointId, replay_key: line.replayKey, delivery_id: id, seen_at: now })
        .onConflict((conflict) => conflict.columns(['endpoint_id', 'replay_key']).doNothing())
        .execute();
      const copied = await sql`update webhook_delivery set status = 'duplicate', sealed = null, settled_at = ${now}
        where id = ${id} and not exists (select 1 from webhook_replay
          where endpoint_id = ${endpointId} and replay_key = ${line.replayKey} and delivery_id = ${id})`.execute(
        tables,
      );
      if (copied.numAffectedRows) duplicates += 1;
      else taken += 1;
    }
  });
  return { taken, duplicates, homeless };
}
