import type { Clock } from '@cordon/kernel';
import type { LakeConnection } from './lake-connection.ts';
import { momentOf, ParamBag } from './query-params.ts';
import { EVENT_SELECT, type EventRecord, type StoredEvent, storedEvent } from './search.ts';
import { compileConditions, type Scope } from './search-scope.ts';

export interface FollowRequest extends Pick<Scope, 'query' | 'filters'> {
  /** Ingest time from which to follow, milliseconds; default: now. A follower's `position` resumes it. */
  readonly since?: number;
}

export interface Follower {
  /**
   * Events that the lake took since the last call, in the order it took them, at most `limit` (default 500). Each once
   * for one follower; after a resume from `position`, those of the last minute come again.
   */
  next(limit?: number): Promise<readonly StoredEvent[]>;
  /** Where to resume: every event that the lake took before has been given out. */
  readonly position: number;
}

/**
 * An insert may take this long from the moment that stamps its rows to the moment they can be seen, so anything that
 * much older than the newest row seen may still appear. An insert is cut off at 60 s.
 */
const SETTLE_MS = 65_000;
const EVENTS = 500;
const SEEN_MAX = 500_000;

/** Follows the lake by ingest time, not event time, so that an event that arrives late is not missed. */
export function follow(connection: LakeConnection, clock: Clock, request: FollowRequest): Follower {
  const start = request.since ?? clock.now();
  const seen = new Map<string, number>();
  let newest = start;
  let least = start;

  const floor = () => Math.max(least, newest - SETTLE_MS);

  async function findNew(limit: number): Promise<{ id: string; at: number }[]> {
    const params = new ParamBag();
    const conditions = compileConditions(request, params, clock.now());
    const where = [`ingested_at >= ${momentOf(params, floor())}`, ...conditions].join(' AND ');
    const rows = await connection.rows<{ event_id: string; ingested: number; at: number }>(
      `SELECT event_id, toUnixTimestamp64Milli(ingested_at) AS ingested, toUnixTimestamp64Milli(time) AS at ` +
        `FROM events WHERE ${where} ORDER BY ingested_at, event_id LIMIT ${SEEN_MAX}`,
      params.values,
    );
    const fresh: { id: string; at: number }[] = [];
    for (const row of rows) {
      if (seen.has(row.event_id)) continue;
      if (fresh.length === limit) break;
      fresh.push({ id: row.event_id, at: row.at });
      seen.set(row.event_id, row.ingested);
      newest = Math.max(newest, row.ingested);
    }
    // So much matches within the minute that it can't all be remembered: go on from its end rather than stand still.
    if (rows.length === SEEN_MAX && fresh.length < limit) least = Math.max(least, rows.at(-1)?.ingested ?? least);
    return fresh;
  }

  function forgetSettled(): void {
    const from = floor();
    for (const [id, ingested] of seen) if (ingested < from) seen.delete(id);
  }

  return {
    async next(limit = EVENTS) {
      const fresh = await findNew(limit);
      forgetSettled();
      if (fresh.length === 0) return [];
      const params = new ParamBag();
      const first = momentOf(params, Math.min(...fresh.map((event) => event.at)));
      const last = momentOf(params, Math.max(...fresh.map((event) => event.at)));
      const ids = params.add(
        'Array(String)',
        fresh.map((event) => event.id),
      );
      const records = await connection.rows<EventRecord>(
        `SELECT ${EVENT_SELECT} FROM events WHERE time >= ${first} AND time <= ${last} AND event_id IN ${ids} ` +
          'ORDER BY ingested_at, event_id',
        params.values,
      );
      return records.map(storedEvent);
    },
    get position() {
      return floor();
    },
  };
}
