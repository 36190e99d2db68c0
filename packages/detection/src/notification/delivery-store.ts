import { type Actor, appendAudit, authorize, type Clock, type Database, type Queryable } from '@cordon/kernel';
import { TargetUnknown } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import type { AlertEvent } from './queue.ts';

export const DELIVERY_PAGE_MAX = 500;

export interface Delivery {
  readonly id: string;
  readonly targetId: string;
  readonly target: string;
  readonly alertId: string;
  readonly event: AlertEvent;
  readonly state: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly nextAt: number;
  readonly settledAt: number | null;
  readonly lastError: string | null;
}

/** The newest alerts' first. */
export async function listDeliveries(
  db: Queryable,
  { state, limit }: { readonly state?: Delivery['state'] | undefined; readonly limit: number },
): Promise<Delivery[]> {
  let select = db
    .tables<WatchTables>()
    .selectFrom('notification_delivery as delivery')
    .innerJoin('notification_target as target', 'target.id', 'delivery.target_id')
    .selectAll('delivery')
    .select('target.name')
    .orderBy('delivery.next_at', 'desc')
    .limit(Math.min(limit, DELIVERY_PAGE_MAX));
  if (state === 'delivered') select = select.where('delivery.delivered_at', 'is not', null);
  if (state === 'failed') select = select.where('delivery.failed_at', 'is not', null);
  if (state === 'waiting') {
    select = select.where('delivery.delivered_at', 'is', null).where('delivery.failed_at', 'is', null);
  }
  return (await select.execute()).map((row) => ({
    id: row.id,
    targetId: row.target_id,
    target: row.name,
    alertId: row.alert_id,
    event: row.event,
    state: row.delivered_at !== null ? 'delivered' : row.failed_at !== null ? 'failed' : 'waiting',
    attempts: row.attempts,
    nextAt: row.next_at,
    settledAt: row.delivered_at ?? row.failed_at,
    lastError: row.last_error,
  }));
}

/** Sends dead letters again: of one target, or all. Gives how many. */
export async function retryDeliveries(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  actor: Actor,
  targetId?: string,
): Promise<number> {
  authorize(actor, 'detection.write');
  const at = clock.now();
  return db.transaction(async (tx) => {
    const tables = tx.tables<WatchTables>();
    let name = 'all';
    if (targetId !== undefined) {
      const found = await tables
        .selectFrom('notification_target')
        .select('name')
        .where('id', '=', targetId)
        .executeTakeFirst();
      if (!found) throw new TargetUnknown('There is no such target.');
      ({ name } = found);
    }
    let update = tables
      .updateTable('notification_delivery')
      .set({ failed_at: null, attempts: 0, next_at: at })
      .where('failed_at', 'is not', null);
    if (targetId !== undefined) update = update.where('target_id', '=', targetId);
    const rows = await update.returning('id').execute();
    const target = { type: 'notification-target', id: targetId ?? 'all', name };
    await appendAudit(tx, { actor, action: 'notification.retried', target, detail: { deliveries: rows.length }, at });
    return rows.length;
  });
}
