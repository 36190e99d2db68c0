import type { Clock } from '@cordon/kernel';
import { QueryInvalid } from './errors.ts';
import { notExercised } from './exercise.ts';
import type { LakeConnection } from './lake-connection.ts';
import { ParamBag } from './query-params.ts';
import { compileScope, type Scope } from './search-scope.ts';

/** Calls that passed a gateway of ours; what vendors' own logs say of calls is not measured here. */
const CALLS = "class_uid IN (6003, 4002) AND gateway_id != ''";
const counted = (where: string): string => `${CALLS} AND ${where} AND ${notExercised(`${CALLS} AND ${where}`)}`;
/** Carried out and refused by nobody: what the time of a call says something about. */
const SERVED = "decision NOT IN ('deny', 'error')";
const FAILED = "(decision = 'error' OR (decision != 'deny' AND http_status >= 500))";

const GROUPS = {
  app: { id: 'app_id', name: 'app_name' },
  integration: { id: 'integration_id', name: 'integration_name' },
  operation: { id: 'operation', name: 'operation' },
  reason: { id: 'reason', name: 'reason' },
} as const;
export type MonitorGroup = keyof typeof GROUPS;

export interface Measures {
  readonly calls: number;
  /** Refused by Cordon. */
  readonly refusals: number;
  /** The app answered 5xx, or the call could not be carried out. */
  readonly failures: number;
  /** The app answered 4xx. */
  readonly clientErrors: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Records in answers that were read; streams and what no gateway counted hold none. */
  readonly records: number;
  /** Milliseconds of calls that were carried out, first byte in to last byte out; 0 without any. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface MonitorRow extends Measures {
  readonly key: readonly { readonly id: string; readonly name: string }[];
  readonly lastAt: number;
}

export interface MonitorBucket extends Measures {
  readonly at: number;
}

/** How one hour went for a pair of app and integration. */
export interface EdgeHour {
  readonly appId: string;
  readonly appName: string;
  readonly integrationId: string;
  readonly integrationName: string;
  readonly at: number;
  readonly calls: number;
  readonly refusals: number;
  readonly failures: number;
  readonly responseBytes: number;
  readonly p95: number;
  /** Ids of a few events, refused and failed ones first. */
  readonly sample: readonly string[];
}

export interface Budgeted {
  /** Milliseconds back from the end that a window begins. */
  readonly windowMs: number;
  readonly total: number;
  readonly bad: number;
  /** Ids of a few bad events, the newest first. */
  readonly sample: readonly string[];
}

export interface GoodRequest {
  readonly scope: Pick<Scope, 'filters'>;
  readonly windowsMs: readonly number[];
  readonly to: number;
  /** Absent: availability. Else: calls that took longer than this are bad. */
  readonly latencyMs?: number;
}

const MEASURES = [
  'count() AS calls',
  "countIf(decision = 'deny') AS refusals",
  `countIf(${FAILED}) AS failures`,
  "countIf(decision NOT IN ('deny', 'error') AND http_status >= 400 AND http_status < 500) AS clientErrors",
  'sum(request_bytes) AS requestBytes',
  'sum(response_bytes) AS responseBytes',
  'sum(records) AS records',
  `arrayMap(x -> if(isNaN(x), 0, x), quantilesIf(0.5, 0.95, 0.99)(duration_ms, ${SERVED})) AS latencies`,
].join(', ');

type Raw = Omit<Measures, 'p50' | 'p95' | 'p99'> & { readonly latencies: readonly [number, number, number] };

function measuresOf({ latencies: [p50, p95, p99], ...row }: Raw): Measures {
  const { calls, refusals, failures, clientErrors, requestBytes, responseBytes, records } = row;
  return { calls, refusals, failures, clientErrors, requestBytes, responseBytes, records, p50, p95, p99 };
}

const ROWS_MAX = 1_000;
const GROUPS_MAX = 3;
const BUCKETS_MAX = 2_000;
const HOURS_MAX = 200_000;
const WINDOWS_MAX = 12;
const SAMPLE_MAX = 20;
const HOUR_MS = 3_600_000;

export interface MonitorLake {
  /** The busiest first. */
  rows(request: Scope & { readonly by: readonly MonitorGroup[]; readonly limit?: number }): Promise<MonitorRow[]>;
  /** Buckets in which something happened, ascending. */
  series(request: Scope & { readonly stepMs: number }): Promise<MonitorBucket[]>;
  /** Hours of pairs that fall on the hour of the day of `to`, oldest first. */
  edgeHours(request: { readonly from: number; readonly to: number }): Promise<EdgeHour[]>;
  /** Good and bad calls of several windows that end together. */
  budget(request: GoodRequest): Promise<Budgeted[]>;
}

export function createMonitorLake(connection: LakeConnection, clock: Clock): MonitorLake {
  return {
    async rows({ by, limit = 100, ...scope }) {
      if (by.length === 0 || by.length > GROUPS_MAX || new Set(by).size !== by.length) {
        throw new QueryInvalid(`Group by one to ${GROUPS_MAX} of: ${Object.keys(GROUPS).join(', ')}.`, { field: 'by' });
      }
      if (!Number.isInteger(limit) || limit < 1 || limit > ROWS_MAX) {
        throw new QueryInvalid(`The limit must be 1 to ${ROWS_MAX}.`, { field: 'limit' });
      }
      const params = new ParamBag();
      const { where } = compileScope(scope, params, clock.now());
      const keys = by.map((group, at) => `${GROUPS[group].id} AS g${at}, anyLast(${GROUPS[group].name}) AS n${at}`);
      const rows = await connection.rows<Raw & { lastAt: number } & Readonly<Record<string, unknown>>>(
        `SELECT ${keys.join(', ')}, ${MEASURES}, toUnixTimestamp64Milli(max(time)) AS lastAt FROM events ` +
          `WHERE ${counted(where)} GROUP BY ${by.map((_, at) => `g${at}`).join(', ')} ORDER BY calls DESC LIMIT ${limit}`,
        params.values,
      );
      return rows.map((row) => ({
        ...measuresOf(row),
        lastAt: row.lastAt,
        key: by.map((_, at) => ({ id: String(row[`g${at}`]), name: String(row[`n${at}`]) })),
      }));
    },

    async series({ stepMs, ...scope }) {
      const params = new ParamBag();
      const { where, from, to } = compileScope(scope, params, clock.now());
      if (!Number.isInteger(stepMs) || stepMs < 1_000 || (to - from) / stepMs > BUCKETS_MAX) {
        throw new QueryInvalid(`A step is a second at least, and a range ${BUCKETS_MAX} of them at most.`, {
          field: 'stepMs',
        });
      }
      const step = params.add('Int64', stepMs);
      const rows = await connection.rows<Raw & { slot: number }>(
        `SELECT intDiv(toUnixTimestamp64Milli(time), ${step}) AS slot, ${MEASURES} FROM events ` +
          `WHERE ${counted(where)} GROUP BY slot ORDER BY slot`,
        params.values,
      );
      return rows.map((row) => ({ ...measuresOf(row), at: row.slot * stepMs }));
    },

    async edgeHours({ from, to }) {
      const params = new ParamBag();
      const { where } = compileScope({ from, to }, params, clock.now());
      const hour = params.add('Int32', Math.floor((to - 1) / HOUR_MS) % 24);
      return connection.rows<EdgeHour>(
        'SELECT app_id AS appId, anyLast(app_name) AS appName, integration_id AS integrationId, ' +
          'anyLast(integration_name) AS integrationName, toUnixTimestamp(toStartOfHour(time)) * 1000 AS at, count() AS calls, ' +
          `countIf(decision = 'deny') AS refusals, countIf(${FAILED}) AS failures, sum(response_bytes) AS responseBytes, ` +
          `ifNotFinite(quantileIf(0.95)(duration_ms, ${SERVED}), 0) AS p95, ` +
          `arraySlice(arrayConcat(groupArrayIf(${SAMPLE_MAX})(event_id, decision = 'deny' OR ${FAILED}), ` +
          `groupArray(${SAMPLE_MAX})(event_id)), 1, ${SAMPLE_MAX}) AS sample ` +
          `FROM events WHERE ${counted(where)} AND app_id != '' AND integration_id != '' AND toHour(time) = ${hour} ` +
          `GROUP BY appId, integrationId, at ORDER BY at LIMIT ${HOURS_MAX}`,
        params.values,
      );
    },

    async budget({ scope, windowsMs, to, latencyMs }) {
      if (windowsMs.length === 0 || windowsMs.length > WINDOWS_MAX) {
        throw new QueryInvalid(`Ask for one to ${WINDOWS_MAX} windows.`, { field: 'windowsMs' });
      }
      const params = new ParamBag();
      const { where } = compileScope(
        { ...scope, from: Math.max(0, to - Math.max(...windowsMs)), to },
        params,
        clock.now(),
      );
      // Refusals are Cordon's own decision: they are no failure of the app, and no call that it served.
      const [total, bad] =
        latencyMs === undefined
          ? ["decision != 'deny'", FAILED]
          : [SERVED, `(${SERVED} AND duration_ms > ${params.add('Float64', latencyMs)})`];
      const columns = windowsMs.flatMap((windowMs, at) => {
        const since = `time >= fromUnixTimestamp64Milli(${params.add('Int64', Math.max(0, Math.trunc(to - windowMs)))}, 'UTC')`;
        return [
          `countIf(${total} AND ${since}) AS t${at}`,
          `countIf(${bad} AND ${since}) AS b${at}`,
          `groupArrayLastIf(${SAMPLE_MAX})(event_id, ${bad} AND ${since}) AS s${at}`,
        ];
      });
      const [row] = await connection.rows<Record<string, unknown>>(
        `SELECT ${columns.join(', ')} FROM events WHERE ${counted(where)}`,
        params.values,
      );
      return windowsMs.map((windowMs, at) => ({
        windowMs,
        total: Number(row?.[`t${at}`] ?? 0),
        bad: Number(row?.[`b${at}`] ?? 0),
        sample: ((row?.[`s${at}`] as string[] | undefined) ?? []).toReversed(), // groupArray of a String column
      }));
    },
  };
}
