import { QueryInvalid } from './errors.ts';
import type { LakeConnection, QueryParams } from './lake-connection.ts';

export interface HuntRequest {
  /** A condition over the events table that this program compiled; its values are in `params`, bound by the server. */
  readonly where: string;
  readonly params: QueryParams;
  /** Milliseconds since the epoch; `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** Newest hits that are given; the count is of all. */
  readonly limit: number;
}

export interface HuntHit {
  readonly id: string;
  readonly at: number;
  readonly raw: string;
}

export interface HuntDay {
  /** Start of a UTC day, milliseconds. */
  readonly day: number;
  readonly hits: number;
  /** Different actors among them. */
  readonly actors: number;
}

/** A rule over what is stored: a backtest of a new one, a hunt for what nobody looked for then. */
export interface HuntLake {
  run(request: HuntRequest): Promise<{ readonly days: readonly HuntDay[]; readonly hits: readonly HuntHit[] }>;
}

const HITS_MAX = 1_000;
const DAYS_MAX = 400;
/** A month of a busy lake is read once; nobody waits longer. */
const SECONDS_MAX = 50;

export function createHuntLake(connection: LakeConnection): HuntLake {
  return {
    async run({ where, params, from, to, limit }) {
      if (!Number.isInteger(limit) || limit < 0 || limit > HITS_MAX) {
        throw new QueryInvalid(`The limit must be 0 to ${HITS_MAX}.`, { field: 'limit' });
      }
      if (to <= from) throw new QueryInvalid('The time range is empty: "to" must be after "from".', { field: 'to' });
      // Findings are what rules said; a rule that looks at every class must not find itself.
      const scope =
        "time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC') " +
        `AND class_uid != 2004 AND ${where}`;
      const bound = { ...params, from_ms: Math.trunc(from), to_ms: Math.trunc(to) };
      const limits = { secondsMax: SECONDS_MAX };
      const days = await connection.rows<HuntDay>(
        "SELECT toUnixTimestamp(toStartOfDay(time, 'UTC')) * 1000 AS day, count() AS hits, " +
          "uniqExact(if(integration_id != '', integration_id, if(actor_email != '', lower(actor_email), actor_id))) AS actors " +
          `FROM events WHERE ${scope} GROUP BY day ORDER BY day LIMIT ${DAYS_MAX}`,
        bound,
        limits,
      );
      if (limit === 0 || days.length === 0) return { days, hits: [] };
      const hits = await connection.rows<HuntHit>(
        'SELECT event_id AS id, toUnixTimestamp64Milli(time) AS at, raw FROM events ' +
          `WHERE ${scope} ORDER BY time DESC, event_id DESC LIMIT ${limit}`,
        bound,
        limits,
      );
      return { days, hits };
    },
  };
}
