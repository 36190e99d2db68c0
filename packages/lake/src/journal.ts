import type { Clock } from '@cordon/kernel';
import type { LakeConnection } from './lake-connection.ts';
import { momentOf, ParamBag } from './query-params.ts';
import { EVENT_SELECT, type EventRecord, type StoredEvent, storedEvent } from './search.ts';
import { compileConditions, type Scope } from './search-scope.ts';

/** A place in the order in which the lake took events: everything up to it has been read. */
export interface JournalPosition {
  /** Ingest time, milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
}

export interface JournalRequest extends Pick<Scope, 'query' | 'filters'> {
  readonly after: JournalPosition;
  /** 1 to `JOURNAL_EVENTS_MAX`. */
  readonly limit: number;
  /** Default `JOURNAL_SETTLE_MS`; less is for tests that write nothing meanwhile. */
  readonly settleMs?: number;
}

export interface JournalPage {
  readonly events: readonly StoredEvent[];
  /** Where to go on; further on even when no event matched. */
  readonly position: JournalPosition;
  /** True when nothing more is settled now. */
  readonly isCaughtUp: boolean;
}

/** The lake in the order it was written, for readers that keep their place in a database. */
export interface LakeJournal {
  next(request: JournalRequest): Promise<JournalPage>;
}

/**
 * An insert may take up to 60 s from the moment that stamps its rows to the moment they are seen; what is older than
 * this can't appear any more, so a reader that stays behind it never has to look back.
 */
export const JOURNAL_SETTLE_MS = 65_000;
export const JOURNAL_EVENTS_MAX = 2_000;
/** Text of one page; one event more than that is a page of its own. */
const PAGE_BYTES_MAX = 8 * 1_048_576;
/** A backlog is read in windows, so that a page doesn't sort all of it. */
const WINDOW_MS = 600_000;

interface Head {
  readonly event_id: string;
  readonly at: number;
  readonly ingested: number;
  readonly bytes: number;
}

function firstThatFit(heads: readonly Head[]): readonly Head[] {
  let bytes = 0;
  const end = heads.findIndex((head, index) => (bytes += head.bytes) > PAGE_BYTES_MAX && index > 0);
  return end === -1 ? heads : heads.slice(0, end);
}

export function createLakeJournal(connection: LakeConnection, clock: Clock): LakeJournal {
  /** By the engine's own clock, which stamps the rows. */
  async function settledMoment(settleMs: number): Promise<number> {
    const rows = await connection.rows<{ now: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now', {});
    return (rows[0]?.now ?? 0) - settleMs;
  }

  async function firstFrom(from: number, to: number): Promise<number | null> {
    const params = new ParamBag();
    const rows = await connection.rows<{ n: number; first: number }>(
      'SELECT count() AS n, toUnixTimestamp64Milli(min(ingested_at)) AS first FROM events ' +
        `WHERE ingested_at >= ${momentOf(params, from)} AND ingested_at < ${momentOf(params, to)}`,
      params.values,
    );
    return rows[0] && rows[0].n > 0 ? rows[0].first : null;
  }

  async function readHeads(request: JournalRequest, to: number): Promise<Head[]> {
    const { after, limit } = request;
    const params = new ParamBag();
    const where = [
      `ingested_at >= ${momentOf(params, after.at)}`,
      `ingested_at < ${momentOf(params, to)}`,
      `(ingested_at, event_id) > (${momentOf(params, after.at)}, ${params.add('String', after.id)})`,
      ...compileConditions(request, params, clock.now()),
    ].join(' AND ');
    return connection.rows<Head>(
      'SELECT event_id, toUnixTimestamp64Milli(time) AS at, toUnixTimestamp64Milli(ingested_at) AS ingested, ' +
        `length(raw) AS bytes FROM events WHERE ${where} ORDER BY ingested_at, event_id LIMIT ${limit}`,
      params.values,
    );
  }

  async function readEvents(heads: readonly Head[]): Promise<StoredEvent[]> {
    const params = new ParamBag();
    const times = heads.map(({ at }) => at);
    const [first, last] = [momentOf(params, Math.min(...times)), momentOf(params, Math.max(...times))];
    const ids = params.add(
      'Array(String)',
      heads.map((head) => head.event_id),
    );
    const records = await connection.rows<EventRecord>(
      `SELECT ${EVENT_SELECT} FROM events WHERE time >= ${first} AND time <= ${last} AND event_id IN ${ids} ` +
        'ORDER BY ingested_at, event_id',
      params.values,
    );
    return records.map(storedEvent);
  }

  return {
    async next(request) {
      const { after, limit, settleMs = JOURNAL_SETTLE_MS } = request;
      if (!Number.isInteger(limit) || limit < 1 || limit > JOURNAL_EVENTS_MAX) {
        throw new TypeError(`A page of the journal has 1 to ${JOURNAL_EVENTS_MAX} events.`);
      }
      const settled = await settledMoment(settleMs);
      if (settled <= after.at) return { events: [], position: after, isCaughtUp: true };
      const from = await firstFrom(after.at, settled);
      if (from === null) return { events: [], position: { at: settled, id: '' }, isCaughtUp: true };
      const to = Math.min(settled, from + WINDOW_MS);
      const all = await readHeads(request, to);
      const heads = firstThatFit(all);
      const last = heads.at(-1);
      const isWindowDone = all.length < limit && heads.length === all.length;
      return {
        events: last ? await readEvents(heads) : [],
        position: isWindowDone || !last ? { at: to, id: '' } : { at: last.ingested, id: last.event_id },
        isCaughtUp: isWindowDone && to === settled,
      };
    },
  };
}
