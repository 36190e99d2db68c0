import { sql } from 'kysely';
import type { WebhookContext } from './context.ts';
import { buildEntry } from './endpoint-entry.ts';
import { listEndpoints } from './endpoint-store.ts';
import { tablesOf } from './tables.ts';

const DAY_MS = 86_400_000;
/** What was taken once is remembered this long: a copy that comes later is a new delivery, unless its time is signed. */
const REPLAY_MS = 30 * DAY_MS;
/** How long the list of deliveries goes back; contents are gone earlier. */
const HISTORY_MS = 90 * DAY_MS;
/** What waits for an endpoint that nobody resumes is given up after this. */
const WAITING_MS_MAX = 30 * DAY_MS;
const BATCH_MAX = 5_000;

/** Erases contents after their time, forgets old deliveries and replays, and lets replaced secrets end. */
export async function sweepDeliveries({ db, clock }: Pick<WebhookContext, 'db' | 'clock'>): Promise<void> {
  const tables = tablesOf(db);
  const now = clock.now();
  await sql`update webhook_delivery set status = 'dead', settled_at = ${now}
    where id in (select id from webhook_delivery where status = 'waiting' and leased_until <= ${now}
      and received_at < ${now - WAITING_MS_MAX} and next_at < ${now} limit ${BATCH_MAX})`.execute(tables);
  const erased = sql`select d.id from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id
    where d.sealed is not null and d.settled_at is not null
      and (d.fed_at is not null or e.settings->>'source' is null or d.status = 'duplicate'
        or d.received_at < ${now - WAITING_MS_MAX})
      and d.settled_at < ${now} - (e.settings->>'keepDays')::bigint * ${DAY_MS} limit ${BATCH_MAX}`;
  await sql`with gone as (${erased}), answers as (
    update webhook_attempt set sealed = null where delivery_id in (select id from gone))
    update webhook_delivery set sealed = null where id in (select id from gone)`.execute(tables);
  await sql`delete from webhook_delivery where id in (
    select id from webhook_delivery where settled_at < ${now - HISTORY_MS} limit ${BATCH_MAX})`.execute(tables);
  await sql`delete from webhook_replay where seen_at < ${now - REPLAY_MS}`.execute(tables);
  await sql`delete from webhook_secret where not_after < ${now}`.execute(tables);
}

/** Publishes again what an upgrade, a rotated key-encryption key or an ended secret changed. Returns how many. */
export async function refreshEntries(
  context: Pick<WebhookContext, 'db' | 'clock' | 'envelope' | 'estate' | 'schemes'>,
): Promise<number> {
  const { db, clock, envelope, estate, schemes } = context;
  const now = clock.now();
  const tables = tablesOf(db);
  const old = await tables
    .selectFrom('webhook_secret')
    .select(['id', 'endpoint_id', 'purpose', 'sealed'])
    .where('sealed', 'not like', `cse1.${envelope.currentKeyId}.%`)
    .limit(BATCH_MAX)
    .execute();
  for (const row of old) {
    const place = row.purpose === 'vendor' ? `webhook:${row.endpoint_id}` : `webhook-signing:${row.endpoint_id}`;
    const sealed = envelope.rewrap(row.sealed, place);
    if (sealed !== null) await tables.updateTable('webhook_secret').set({ sealed }).where('id', '=', row.id).execute();
  }
  const published = await tables.selectFrom('webhook_endpoint').select(['id', 'published']).execute();
  let count = 0;
  for (const endpoint of await listEndpoints(db)) {
    const { key, entry, hash } = await buildEntry(db, endpoint, schemes, now);
    if (published.find(({ id }) => id === endpoint.id)?.published === hash) continue;
    await db.transaction(async (tx) => {
      await estate.publish(tx, { set: [[key, entry]], at: now });
      await tablesOf(tx)
        .updateTable('webhook_endpoint')
        .set({ published: hash })
        .where('id', '=', endpoint.id)
        .execute();
    });
    count += 1;
  }
  return count;
}
