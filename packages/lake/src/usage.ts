import { QueryInvalid, SearchTooHeavy } from './errors.ts';
import { notExercised } from './exercise.ts';
import type { LakeConnection } from './lake-connection.ts';
import { momentOf, ParamBag } from './query-params.ts';

/** Calls through the gateway: what passed it as API Activity, with an integration and an app that are known. */
const CALLS = "class_uid = 6003 AND integration_id != '' AND app_id != ''";
const FINDINGS =
  "JSONExtract(raw, 'unmapped', 'cordon', 'findings', 'Array(Tuple(class String, direction String, count UInt64))')";
const ROWS_MAX = 100_000;
const GROUPS_MAX = 500_000;
const SECONDS_MAX = 60;

export interface UsageScope {
  /** Milliseconds since the epoch; `to` exclusive. */
  readonly from: number;
  readonly to: number;
  readonly integrationId?: string;
  readonly appId?: string;
}

/** How often one operation was used, and when. */
export interface UsedOperation {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  /** Let through by policy, whatever came of them later. */
  readonly allowed: number;
  /** Refused because nothing permits them. */
  readonly refused: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Days (UTC) on which it was let through. */
  readonly days: number;
}

/** Which classes of data one operation showed an integration. */
export interface Exposure {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  readonly dataClass: string;
  readonly calls: number;
  readonly values: number;
  readonly lastAt: number;
}

/** What of a call decisions depend on; calls that agree in all of it are decided once. */
export interface CallDetail {
  /** The hour matters, and with it the day of the week. */
  readonly hour: boolean;
  /** The very millisecond matters. */
  readonly moment: boolean;
  readonly address: boolean;
  readonly assurance: boolean;
  readonly listener: boolean;
  /** Parameters in the path matter. */
  readonly path: boolean;
  /** Classes found in bodies matter, for inspection rules. */
  readonly findings: boolean;
  /** Moments at which something expires: calls before and after are told apart. */
  readonly boundaries: readonly number[];
}

/** Recorded calls that agree in everything that was asked for; what was not asked for is empty. */
export interface CallGroup {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  /** What the gateway did then, and why it refused. */
  readonly decision: string;
  readonly reason: string;
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly address: string;
  readonly assurance: string;
  readonly listener: string;
  readonly path: string;
  readonly template: string;
  /** `class direction` of each finding. */
  readonly findings: readonly string[];
}

function whereOf(scope: UsageScope, params: ParamBag): string {
  if (scope.to <= scope.from) throw new QueryInvalid('The time range is empty.', { field: 'to' });
  const conditions = [
    CALLS,
    `time >= ${momentOf(params, scope.from)}`,
    `time < ${momentOf(params, scope.to)}`,
    ...(scope.integrationId === undefined ? [] : [`integration_id = ${params.add('String', scope.integrationId)}`]),
    ...(scope.appId === undefined ? [] : [`app_id = ${params.add('String', scope.appId)}`]),
  ];
  const where = conditions.join(' AND ');
  return `${where} AND ${notExercised(where)}`;
}

const NOT_AUTHORIZED = "(decision = 'deny' AND reason = 'gateway.not_authorized')";
const TIMES = 'toUnixTimestamp64Milli(min(time)) AS firstAt, toUnixTimestamp64Milli(max(time)) AS lastAt';

async function usage(connection: LakeConnection, scope: UsageScope): Promise<UsedOperation[]> {
  const params = new ParamBag();
  const where = whereOf(scope, params);
  return connection.rows<UsedOperation>(
    `SELECT integration_id AS integrationId, app_id AS appId, operation, countIf(NOT ${NOT_AUTHORIZED}) AS allowed, ` +
      `countIf(${NOT_AUTHORIZED}) AS refused, uniqExactIf(toDate(time), NOT ${NOT_AUTHORIZED}) AS days, ${TIMES} ` +
      `FROM events WHERE ${where} AND operation != '' GROUP BY integration_id, app_id, operation ` +
      `ORDER BY allowed DESC LIMIT ${ROWS_MAX}`,
    params.values,
    { secondsMax: SECONDS_MAX },
  );
}

async function exposure(connection: LakeConnection, scope: UsageScope): Promise<Exposure[]> {
  const params = new ParamBag();
  const where = whereOf(scope, params);
  return connection.rows<Exposure>(
    'SELECT integrationId, appId, operation, found.1 AS dataClass, count() AS calls, sum(found.3) AS values, ' +
      'toUnixTimestamp64Milli(max(at)) AS lastAt FROM (SELECT integration_id AS integrationId, app_id AS appId, ' +
      `operation, time AS at, arrayJoin(${FINDINGS}) AS found FROM events WHERE ${where} AND notEmpty(data_classes)) ` +
      `WHERE dataClass != '' GROUP BY integrationId, appId, operation, dataClass ORDER BY values DESC LIMIT ${ROWS_MAX}`,
    params.values,
    { secondsMax: SECONDS_MAX },
  );
}

const fact = (name: string): string => `JSONExtractString(raw, 'unmapped', 'cordon', '${name}')`;

async function callGroups(connection: LakeConnection, scope: UsageScope, detail: CallDetail): Promise<CallGroup[]> {
  const params = new ParamBag();
  const where = whereOf(scope, params);
  const boundaries = [...new Set(detail.boundaries)].sort((a, b) => a - b);
  const passed = boundaries.map((at) => `(time >= ${momentOf(params, at)})`).join(' + ');
  const keys = [
    'integration_id',
    'app_id',
    'operation',
    'decision',
    'reason',
    detail.moment ? 'time' : detail.hour ? 'toStartOfHour(time)' : '0',
    passed === '' ? '0' : passed,
    detail.address ? "replaceOne(toString(src_ip), '::ffff:', '')" : "''",
    detail.assurance ? fact('assurance') : "''",
    detail.listener ? fact('listener') : "''",
    detail.path ? 'path' : "''",
    detail.path ? fact('path_template') : "''",
    detail.findings
      ? `if(empty(data_classes), [], arraySort(arrayDistinct(arrayMap(f -> concat(f.1, ' ', f.2), ${FINDINGS}))))`
      : 'emptyArrayString()',
  ];
  const names = [
    'integrationId',
    'appId',
    'operation',
    'decision',
    'reason',
    'slot',
    'segment',
    'address',
    'assurance',
    'listener',
    'path',
    'template',
    'findings',
  ];
  // Other names than those of the columns, or the conditions would mean these.
  const select = keys.map((key, index) => `${key} AS k${index}`).join(', ');
  const rows = await connection.rows<Readonly<Record<string, unknown>>>(
    `SELECT ${select}, count() AS calls, ${TIMES} FROM events WHERE ${where} ` +
      `GROUP BY ${keys.map((_, index) => `k${index}`).join(', ')} ORDER BY calls DESC LIMIT ${GROUPS_MAX + 1}`,
    params.values,
    { secondsMax: SECONDS_MAX },
  );
  if (rows.length > GROUPS_MAX) {
    throw new SearchTooHeavy('These calls differ in too much to be decided again. Shorten the time range.', {
      groups: GROUPS_MAX,
    });
  }
  return rows.map((row) => {
    const named = Object.fromEntries(names.map((name, index) => [name, row[`k${index}`]]));
    // The server computed them from the expressions above, in these types.
    return { ...named, calls: row['calls'], firstAt: row['firstAt'], lastAt: row['lastAt'] } as unknown as CallGroup;
  });
}

/** A call as limits see it: when, whose, to what, and what it took. */
export interface TimedCall {
  readonly integrationId: string;
  readonly appId: string;
  readonly operation: string;
  readonly address: string;
  readonly reason: string;
  readonly at: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly records: number;
}

/** A million calls take some 300 MB on their way through this process. */
const CALLS_MAX = 1_000_000;

async function timedCalls(connection: LakeConnection, scope: UsageScope): Promise<TimedCall[]> {
  const params = new ParamBag();
  const where = whereOf(scope, params);
  const rows = await connection.rows<TimedCall>(
    'SELECT integration_id AS integrationId, app_id AS appId, operation, reason, ' +
      "replaceOne(toString(src_ip), '::ffff:', '') AS address, toUnixTimestamp64Milli(time) AS at, " +
      'duration_ms AS durationMs, request_bytes AS requestBytes, response_bytes AS responseBytes, records ' +
      `FROM events WHERE ${where} AND operation != '' ORDER BY time, event_id LIMIT ${CALLS_MAX + 1}`,
    params.values,
    { secondsMax: SECONDS_MAX },
  );
  if (rows.length <= CALLS_MAX) return rows;
  throw new SearchTooHeavy('These are too many calls to be counted again. Shorten the time range.', {
    calls: CALLS_MAX,
  });
}

/** Questions about use, for least privilege: what was used, what it showed, and the calls to decide again. */
export interface UsageLake {
  usage(scope: UsageScope): Promise<UsedOperation[]>;
  exposure(scope: UsageScope): Promise<Exposure[]>;
  callGroups(scope: UsageScope, detail: CallDetail): Promise<CallGroup[]>;
  /** Every call of the scope in the order in which they came; throws `SearchTooHeavy` for more than a million. */
  timedCalls(scope: UsageScope): Promise<TimedCall[]>;
}

export function createUsageLake(connection: LakeConnection): UsageLake {
  return {
    usage: (scope) => usage(connection, scope),
    exposure: (scope) => exposure(connection, scope),
    callGroups: (scope, detail) => callGroups(connection, scope, detail),
    timedCalls: (scope) => timedCalls(connection, scope),
  };
}
