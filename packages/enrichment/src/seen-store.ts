import { createHash } from 'node:crypto';
import type { Database } from '@cordon/kernel';
import { sql } from 'kysely';
import type { EnrichmentTables } from './tables.ts';

/** Of what an actor can be first seen with. */
export const SEEN_FACETS = ['actor', 'country', 'network', 'client', 'app'] as const;
export type SeenFacet = (typeof SEEN_FACETS)[number];

export interface Sighting {
  readonly actor: string;
  readonly facet: SeenFacet;
  readonly value: string;
  readonly eventId: string;
  readonly time: number;
}

const DAY_MS = 86_400_000;
const ROWS_MAX = 5_000;
/** Sightings that need no look-up; the oldest go first. */
const CACHE_MAX = 200_000;
/** What wasn't seen for this long is new again. */
export const SEEN_DAYS_MAX = 400;

export function sightingKey({ actor, facet, value }: Pick<Sighting, 'actor' | 'facet' | 'value'>): string {
  return createHash('sha256').update(`${facet}\0${actor}\0${value}`).digest('base64url').slice(0, 27);
}

export interface SeenStore {
  /** For each sighting's key, the event that was first. */
  firstEvents(sightings: readonly Sighting[], now: number): Promise<ReadonlyMap<string, string>>;
  /** Forgets what nobody was seen with for long. */
  clear(now: number): Promise<void>;
}

export function createSeenStore(db: Database): SeenStore {
  const cache = new Map<string, { readonly eventId: string; readonly day: number }>();
  return {
    async firstEvents(sightings, now) {
      const day = Math.floor(now / DAY_MS);
      const firsts = new Map<string, string>();
      const asked = new Map<string, Sighting>();
      for (const sighting of sightings) {
        const key = sightingKey(sighting);
        const known = cache.get(key);
        if (known?.day === day) firsts.set(key, known.eventId);
        else if ((asked.get(key)?.time ?? Number.POSITIVE_INFINITY) > sighting.time) asked.set(key, sighting);
      }
      const rows = [...asked].sort(([a], [b]) => (a < b ? -1 : 1));
      for (let from = 0; from < rows.length; from += ROWS_MAX) {
        const values = rows.slice(from, from + ROWS_MAX).map(([key, { eventId, time }]) => ({
          key,
          event_id: eventId,
          first_at: time,
          seen_day: day,
        }));
        // Writing what is there makes PostgreSQL return it.
        const found = await db
          .tables<EnrichmentTables>()
          .insertInto('enrichment_seen')
          .values(values)
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ seen_day: sql<number>`excluded.seen_day` }))
          .returning(['key', 'event_id'])
          .execute();
        for (const { key, event_id: eventId } of found) {
          firsts.set(key, eventId);
          cache.delete(key);
          cache.set(key, { eventId, day });
        }
      }
      while (cache.size > CACHE_MAX) {
        const [oldest] = cache.keys();
        if (oldest === undefined) break;
        cache.delete(oldest);
      }
      return firsts;
    },
    async clear(now) {
      await db
        .tables<EnrichmentTables>()
        .deleteFrom('enrichment_seen')
        .where('seen_day', '<', Math.floor(now / DAY_MS) - SEEN_DAYS_MAX)
        .execute();
    },
  };
}
