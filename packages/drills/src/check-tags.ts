import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { findForTag } from './drill-store.ts';
import { keyContext } from './firing.ts';
import { callTagHolds, readTag, recordTagHolds, TAG_FIELD } from './tag.ts';

/** What arrives late of a drill is still of it. */
const LATE_MS = 10 * 60_000;
const KNOWN_MAX = 200;
const REFRESH_MS = 5_000;

/** What an event shows of itself: the vendor's record, or the call. Of a refused token the gateway knows no integration. */
export type Claim =
  | { readonly kind: 'record'; readonly record: Readonly<Record<string, unknown>> }
  | { readonly kind: 'call'; readonly userAgent: string; readonly integrationId: string | null };

interface Known {
  readonly key: Buffer | null;
  readonly endedAt: number | null;
  readonly integrations: readonly string[];
  readonly at: number;
}

/** Says of which drill an event is; null: of none, whatever it claims. */
export function createTagCheck(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
}): (claim: Claim) => Promise<string | null> {
  const { db, envelope, clock } = deps;
  const known = new Map<string, Known>();

  const load = async (drillId: string): Promise<Known> => {
    const before = known.get(drillId);
    if (before && clock.now() - before.at < REFRESH_MS) return before;
    const row = await findForTag(db, drillId);
    const key = row ? envelope.open(row.sealedKey, keyContext(drillId)) : null;
    const found = { key, endedAt: row?.endedAt ?? null, integrations: row?.integrations ?? [], at: clock.now() };
    // Ids that nobody made must not fill the memory.
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(drillId, found);
    return found;
  };

  return async (claim) => {
    const tag = readTag(claim.kind === 'record' ? claim.record[TAG_FIELD] : claim.userAgent);
    if (!tag) return null;
    const { key, endedAt, integrations } = await load(tag.drillId);
    if (!key || (endedAt !== null && clock.now() > endedAt + LATE_MS)) return null;
    if (claim.kind === 'record') return recordTagHolds(key, tag, claim.record) ? tag.drillId : null;
    const callers = claim.integrationId === null ? integrations : [claim.integrationId];
    return callers.some((one) => callTagHolds(key, tag, one)) ? tag.drillId : null;
  };
}
