import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { sql } from 'kysely';
import { readContent } from './content.ts';
import { tablesOf } from './tables.ts';

const BATCH_MAX = 100;

/** What of a verified delivery detection reads. */
export interface FeedItem {
  readonly sourceId: string;
  /** The vendor's record, with `event` and `delivery` where the vendor says them in header fields only. */
  readonly text: string;
}

/** Gives an item to its source; resolves when it is on disk there. False: there is no such source in use. */
export type Feed = (item: FeedItem) => Promise<boolean>;

interface Due {
  id: string;
  type: string;
  vendor_id: string;
  sealed: string;
  source: string;
}

/**
 * Hands deliveries on to the detection sources of their endpoints, in the order in which they came, at least once:
 * sources tell a record that they have. Returns how many were taken.
 */
export async function feedDeliveries(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly feed: Feed;
}): Promise<number> {
  const { db, clock, envelope, logger, feed } = deps;
  const closed = new Set<string>();
  let taken = 0;
  for (let after = ''; ;) {
    const { rows } = await sql<Due>`select d.id, d.type, d.vendor_id, d.sealed, e.settings->>'source' as source
      from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id
      where d.fed_at is null and d.sealed is not null and d.status <> 'duplicate' and d.id > ${after}
        and e.settings->>'source' is not null order by d.id limit ${BATCH_MAX}`.execute(tablesOf(db));
    for (const { id, type, vendor_id, sealed, source } of rows) {
      after = id;
      if (closed.has(source)) continue;
      const { body } = readContent(envelope.open(sealed, `webhook-delivery:${id}`));
      try {
        if (!(await feed({ sourceId: source, text: recordOf(body, type, vendor_id) }))) {
          closed.add(source);
          continue;
        }
        await tablesOf(db).updateTable('webhook_delivery').set({ fed_at: clock.now() }).where('id', '=', id).execute();
        taken += 1;
      } catch (error) {
        // The lake is away, or the like: this source's records wait, in their order.
        closed.add(source);
        logger.warn({ err: error, delivery: id, source }, 'a delivery could not be given to its source; it waits');
      }
    }
    if (rows.length < BATCH_MAX) return taken;
  }
}

/** A JSON object with the vendor's type and id of the delivery; anything else as it came. */
function recordOf(body: Buffer, type: string, vendorId: string): string {
  const text = body.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return text;
    const named = { ...(type === '' ? {} : { event: type }), ...(vendorId === '' ? {} : { delivery: vendorId }) };
    return JSON.stringify({ ...named, ...value });
  } catch {
    return text;
  }
}
