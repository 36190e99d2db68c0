import type { Database, Queryable, Transaction } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import type { Attempt, Delivery, EndpointSettings } from './endpoint.ts';
import { endpointSettings } from './endpoint.ts';
import { DeliveryUnknown } from './errors.ts';
import { tablesOf, type WebhookTables } from './tables.ts';

export const DELIVERY_PAGE_MAX = 200;
const ATTEMPTS_SHOWN_MAX = 100;
/** At once to one endpoint, from all workers: one that is slow must not take the places of the others. */
const AT_ONCE_PER_ENDPOINT = 8;

/** Somebody works on it until then; afterwards another may. Longer than the longest attempt. */
export const LEASE_MS = 60_000;

export interface DueDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly endpointName: string;
  readonly appId: string;
  readonly integrationId: string;
  readonly settings: EndpointSettings;
  readonly receivedAt: number;
  readonly type: string;
  readonly vendorId: string;
  readonly contentType: string;
  readonly sealed: string;
  /** Attempts so far, and those of this round. */
  readonly attempts: number;
  readonly round: number;
}

interface DueRow {
  id: string;
  endpoint_id: string;
  name: string;
  app_id: string;
  integration_id: string;
  settings: unknown;
  received_at: number;
  type: string;
  vendor_id: string;
  content_type: string;
  sealed: string;
  attempts: number;
  round: number;
}

/**
 * Claims what is due: leased to the caller for `LEASE_MS`, so that a worker that dies gives it back. Of deliveries with
 * one order key only the oldest that waits can be claimed.
 */
export async function claimDeliveries(db: Database, now: number, max: number): Promise<DueDelivery[]> {
  const { rows } = await sql<DueRow>`
    with candidate as (
      select c.id from webhook_endpoint e cross join lateral (
        select d.id from webhook_delivery d
        where d.endpoint_id = e.id and d.status = 'waiting' and d.next_at <= ${now} and d.leased_until <= ${now}
          and d.sealed is not null
          and (d.order_key is null or not exists (
            select 1 from webhook_delivery o
            where o.endpoint_id = d.endpoint_id and o.order_key = d.order_key and o.status = 'waiting'
              and (o.received_at, o.id) < (d.received_at, d.id)))
        order by d.next_at, d.id
        limit greatest(0, ${AT_ONCE_PER_ENDPOINT} - (select count(*) from webhook_delivery l
          where l.endpoint_id = e.id and l.status = 'waiting' and l.leased_until > ${now}))
      ) c where e.status = 'active'
    ), chosen as (
      select id from webhook_delivery
      where id in (select id from candidate)
        and status = 'waiting' and leased_until <= ${now}
      order by next_at, id limit ${max} for update skip locked
    )
    update webhook_delivery d set leased_until = ${now + LEASE_MS}
    from chosen, webhook_endpoint e
    where d.id = chosen.id and e.id = d.endpoint_id
    returning d.id, d.endpoint_id, e.name, e.app_id, e.integration_id, e.settings, d.received_at, d.type, d.vendor_id,
      d.content_type, d.sealed, d.attempts, d.round`.execute(tablesOf(db));
  return rows.map((row) => ({
    id: row.id,
    endpointId: row.endpoint_id,
    endpointName: row.name,
    appId: row.app_id,
    integrationId: row.integration_id,
    settings: endpointSettings.parse(row.settings),
    receivedAt: row.received_at,
    type: row.type,
    vendorId: row.vendor_id,
    contentType: row.content_type,
    sealed: row.sealed,
    attempts: row.attempts,
    round: row.round,
  }));
}

/** Gives back what a worker held that is gone. For the start of the one worker that works: another's are dropped too. */
export async function releaseDeliveries(db: Queryable): Promise<number> {
  const result = await tablesOf(db)
    .updateTable('webhook_delivery')
    .set({ leased_until: 0 })
    .where('status', '=', 'waiting')
    .where('leased_until', '>', 0)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Gives a claimed delivery back without an attempt, to be looked at again later. */
export async function postpone(db: Queryable, id: string, at: number): Promise<void> {
  await tablesOf(db)
    .updateTable('webhook_delivery')
    .set({ leased_until: 0, next_at: at })
    .where('id', '=', id)
    .execute();
}

export interface AttemptRecord {
  readonly id: string;
  readonly at: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly sealed: string | null;
}

/** Writes an attempt down together with what follows from it. False when the delivery was settled by another. */
export async function settleAttempt(
  tx: Transaction,
  delivery: DueDelivery,
  attempt: AttemptRecord,
  outcome: { readonly status: 'waiting' | 'delivered' | 'dead'; readonly nextAt: number },
): Promise<boolean> {
  const tables = tablesOf(tx);
  const updated = await tables
    .updateTable('webhook_delivery')
    .set({
      status: outcome.status,
      attempts: delivery.attempts + 1,
      round: delivery.round + 1,
      next_at: outcome.nextAt,
      leased_until: 0,
      settled_at: outcome.status === 'waiting' ? null : attempt.at,
    })
    .where('id', '=', delivery.id)
    .where('attempts', '=', delivery.attempts)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) return false;
  await tables
    .insertInto('webhook_attempt')
    .values({
      id: attempt.id,
      delivery_id: delivery.id,
      number: delivery.attempts + 1,
      at: attempt.at,
      duration_ms: attempt.durationMs,
      status: attempt.status,
      error: attempt.error,
      headers: JSON.stringify(attempt.headers),
      sealed: attempt.sealed,
      by_hand: null,
    })
    .execute();
  return true;
}

function toDelivery(row: Selectable<WebhookTables['webhook_delivery']>): Delivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    receivedAt: row.received_at,
    type: row.type,
    vendorId: row.vendor_id,
    contentType: row.content_type,
    bytes: row.bytes,
    status: row.status,
    attempts: row.attempts,
    nextAt: row.status === 'waiting' ? row.next_at : null,
    settledAt: row.settled_at,
    isKept: row.sealed !== null,
  };
}

/** Newest first; `before` is the id of the last one that was seen. */
export async function listDeliveries(
  db: Queryable,
  endpointId: string,
  page: { readonly limit: number; readonly before?: string; readonly status?: Delivery['status'] },
): Promise<Delivery[]> {
  let query = tablesOf(db)
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .orderBy('id', 'desc')
    .limit(Math.min(page.limit, DELIVERY_PAGE_MAX));
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (page.status !== undefined) query = query.where('status', '=', page.status);
  return (await query.execute()).map(toDelivery);
}

export interface StoredDelivery {
  readonly delivery: Delivery;
  readonly sealed: string | null;
  readonly attempts: readonly (Attempt & { readonly sealed: string | null })[];
}

export async function loadDelivery(db: Queryable, endpointId: string, id: string): Promise<StoredDelivery> {
  const tables = tablesOf(db);
  const row = await tables
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('id', '=', id)
    .where('endpoint_id', '=', endpointId)
    .executeTakeFirst();
  if (!row) throw new DeliveryUnknown('There is no such delivery.', { delivery: id });
  const attempts = await tables
    .selectFrom('webhook_attempt')
    .selectAll()
    .where('delivery_id', '=', id)
    .orderBy('number', 'desc')
    .limit(ATTEMPTS_SHOWN_MAX)
    .execute();
  return {
    delivery: toDelivery(row),
    sealed: row.sealed,
    attempts: attempts.map((attempt) => ({
      id: attempt.id,
      number: attempt.number,
      at: attempt.at,
      durationMs: attempt.duration_ms,
      status: attempt.status,
      error: attempt.error,
      headers: attempt.headers as Record<string, string>, // written by settleAttempt only
      byHand: attempt.by_hand,
      sealed: attempt.sealed,
    })),
  };
}
