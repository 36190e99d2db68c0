import type { Clock } from '@cordon/kernel';
import { QueryInvalid } from './errors.ts';
import { notExercised } from './exercise.ts';
import type { LakeConnection } from './lake-connection.ts';
import type { EventColumn } from './lake-schema.ts';
import { ParamBag } from './query-params.ts';
import { compileScope, type Scope } from './search-scope.ts';

/** What can tell rows of traffic apart, and the columns each brings. */
const GROUPS = {
  app: ['app_id', 'app_name'],
  integration: ['integration_id', 'integration_name'],
  operation: ['operation'],
  actor: ['actor_id', 'actor_email'],
  decision: ['decision'],
  reason: ['reason'],
  method: ['method'],
  host: ['host'],
  gateway: ['gateway_id'],
} as const satisfies Record<string, readonly EventColumn[]>;
export type TrafficGroup = keyof typeof GROUPS;

export interface TrafficRequest extends Scope {
  /** One to three; `['app', 'integration']` gives the edges of the live map. */
  readonly by: readonly TrafficGroup[];
  /** 1 to 10,000 rows, the busiest first; default 1,000. */
  readonly limit?: number;
}

export interface TrafficRow {
  readonly app?: { readonly id: string; readonly name: string };
  readonly integration?: { readonly id: string; readonly name: string };
  readonly actor?: { readonly id: string; readonly name: string };
  readonly operation?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly method?: string;
  readonly host?: string;
  readonly gateway?: string;
  readonly calls: number;
  /** Refused by Cordon. */
  readonly refusals: number;
  /** Passed, and the app answered 4xx or 5xx; or could not be carried out. */
  readonly errors: number;
  /** Calls from which something was removed. */
  readonly redacted: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Milliseconds, first byte in to last byte out. */
  readonly latencyP50: number;
  readonly latencyP95: number;
  readonly lastAt: number;
}

type Measures = Pick<
  TrafficRow,
  'calls' | 'refusals' | 'errors' | 'redacted' | 'requestBytes' | 'responseBytes' | 'lastAt'
> & { readonly latencies: readonly [number, number] } & Readonly<Record<`g${number}` | `n${number}`, string>>;

const GROUPS_MAX = 3;
const ROWS_MAX = 10_000;
const ROWS = 1000;

const MEASURES = [
  'count() AS calls',
  "countIf(decision = 'deny') AS refusals",
  "countIf(decision = 'error' OR (decision != 'deny' AND http_status >= 400)) AS errors",
  "countIf(decision = 'redact') AS redacted",
  'sum(request_bytes) AS requestBytes',
  'sum(response_bytes) AS responseBytes',
  'quantiles(0.5, 0.95)(duration_ms) AS latencies',
  'toUnixTimestamp64Milli(max(time)) AS lastAt',
].join(', ');

/** Calls, refusals, bytes and latencies in a window, by app, integration, operation and so on. API and HTTP Activity. */
export async function traffic(
  connection: LakeConnection,
  clock: Clock,
  request: TrafficRequest,
): Promise<TrafficRow[]> {
  const limit = request.limit ?? ROWS;
  if (request.by.length === 0 || request.by.length > GROUPS_MAX || new Set(request.by).size !== request.by.length) {
    throw new QueryInvalid(`Group by one to ${GROUPS_MAX} of: ${Object.keys(GROUPS).join(', ')}.`, { field: 'by' });
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > ROWS_MAX) {
    throw new QueryInvalid(`The limit must be 1 to ${ROWS_MAX}.`, { field: 'limit' });
  }
  const params = new ParamBag();
  const { where } = compileScope(request, params, clock.now());
  const keys = request.by.map((group, index) => `${GROUPS[group][0]} AS g${index}`);
  const names = request.by.flatMap((group, index) => {
    const [, name]: readonly EventColumn[] = GROUPS[group];
    return name ? [`anyLast(${name}) AS n${index}`] : [];
  });
  const rows = await connection.rows<Measures>(
    `SELECT ${[...keys, ...names, MEASURES].join(', ')} FROM events WHERE class_uid IN (6003, 4002) AND ${where} ` +
      `AND ${notExercised(where)} ` +
      `GROUP BY ${request.by.map((_, index) => `g${index}`).join(', ')} ORDER BY calls DESC LIMIT ${limit}`,
    params.values,
  );
  return rows.map((row) => trafficRow(row, request.by));
}

function trafficRow(row: Measures, by: readonly TrafficGroup[]): TrafficRow {
  const { calls, refusals, errors, redacted, requestBytes, responseBytes, lastAt, latencies } = row;
  const groups = by.map((group, index) => {
    const id = row[`g${index}`] ?? '';
    return [group, GROUPS[group].length === 1 ? id : { id, name: row[`n${index}`] ?? '' }] as const;
  });
  return {
    ...Object.fromEntries(groups),
    calls,
    refusals,
    errors,
    redacted,
    requestBytes,
    responseBytes,
    lastAt,
    latencyP50: latencies[0],
    latencyP95: latencies[1],
  };
}
