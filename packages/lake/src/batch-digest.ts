import { JOURNAL_SETTLE_MS } from './journal.ts';
import type { LakeConnection } from './lake-connection.ts';
import { momentOf, ParamBag } from './query-params.ts';

/** What the lake took in a span of its own clock, by the day that it happened on. */
export interface DayDigest {
  /** `YYYYMMDD`, UTC. */
  readonly day: string;
  readonly events: number;
  /** SHA-256, hex, over `event id, space, SHA-256 of the stored JSON` of each event, sorted, a line each. */
  readonly digest: string;
}

export interface TakenSpan {
  /** Ingest time, milliseconds since the epoch; `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Digests of what is stored, for a log that others can check. */
export interface BatchDigestLake {
  digest(span: TakenSpan): Promise<DayDigest[]>;
  /** Up to here nothing more can appear. By the engine's own clock, which stamps the rows. */
  settledAt(): Promise<number>;
  /** When the first event was taken; null for an empty lake. */
  firstTakenAt(): Promise<number | null>;
}

const SECONDS_MAX = 60;
const MEMORY_BYTES_MAX = 1_500_000_000;

export function createBatchDigestLake(connection: LakeConnection): BatchDigestLake {
  return {
    digest({ from, to }) {
      const params = new ParamBag();
      const line = "concat(event_id, ' ', lower(hex(SHA256(raw))))";
      return connection.rows<DayDigest>(
        `SELECT toString(toYYYYMMDD(time)) AS day, count() AS events, ` +
          `lower(hex(SHA256(arrayStringConcat(arraySort(groupArray(${line})), '\\n')))) AS digest FROM events ` +
          `WHERE ingested_at >= ${momentOf(params, from)} AND ingested_at < ${momentOf(params, to)} GROUP BY day ORDER BY day`,
        params.values,
        { secondsMax: SECONDS_MAX, memoryBytesMax: MEMORY_BYTES_MAX },
      );
    },
    async settledAt() {
      const [row] = await connection.rows<{ at: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS at', {});
      return (row?.at ?? 0) - JOURNAL_SETTLE_MS;
    },
    async firstTakenAt() {
      const [row] = await connection.rows<{ at: number; n: number }>(
        'SELECT toUnixTimestamp64Milli(min(ingested_at)) AS at, count() AS n FROM events',
        {},
      );
      return row && row.n > 0 ? row.at : null;
    },
  };
}
