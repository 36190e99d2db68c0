import { NOT_EXERCISED } from './exercise.ts';
import type { LakeConnection } from './lake-connection.ts';

/** What acts or is acted on, and has a baseline. */
export const BEHAVIOUR_ENTITIES = [
  'person',
  'account',
  'integration',
  'oauth-app',
  'edge',
  'network',
  'resource',
] as const;
export type BehaviourEntityType = (typeof BEHAVIOUR_ENTITIES)[number];

/** What is remembered of an entity: the values it has been seen with. */
export const BEHAVIOUR_FACETS = [
  'operation',
  'app',
  'scope',
  'network',
  'client',
  'country',
  'resource',
  'actor',
] as const;
export type BehaviourFacet = (typeof BEHAVIOUR_FACETS)[number];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Older events are no longer anyone's habit. */
const HISTORY_MS_MAX = 120 * DAY_MS;
/** An insert is visible this long after the moment that its rows carry, at most. */
const LATE_MS_MAX = 90_000;
const HOURS_MAX = 5_000;
const STATEMENT_SECONDS_MAX = 120;

/** IPv4 by /24, IPv6 by /48: an address changes each day, the network behind it seldom. */
const NETWORK =
  "if(src_ip = toIPv6('::'), '', if(startsWith(IPv6NumToString(src_ip), '::ffff:'), " +
  "concat(substringIndex(replaceOne(IPv6NumToString(src_ip), '::ffff:', ''), '.', 3), '.0/24'), " +
  "concat(IPv6NumToString(tupleElement(IPv6CIDRToRange(src_ip, 48), 1)), '/48')))";
/** A client without its versions: an update isn't a new client. */
const CLIENT = "substring(replaceRegexpAll(user_agent, '[/ ]?[0-9]+([._][0-9]+)*', ''), 1, 120)";
const SERVICE = "JSONExtractInt(raw, 'actor', 'user', 'type_id') = 3";

const ENTITIES = [
  `('person', if(actor_email != '' AND NOT is_service, lower(actor_email), ''), if(actor_name = '', actor_email, actor_name))`,
  `('account', if(actor_id != '' AND (is_service OR actor_email = ''), concat(product, ':', actor_id), ''), if(actor_name = '', actor_id, actor_name))`,
  `('integration', if(integration_id != '' AND is_own, integration_id, ''), integration_name)`,
  `('oauth-app', if(integration_id != '' AND NOT is_own, concat(product, ':', integration_id), ''), if(integration_name = '', integration_id, integration_name))`,
  `('edge', if(integration_id != '' AND app_id != '', concat(integration_id, '>', app_id), ''), concat(integration_name, ' to ', app_name))`,
  `('network', network, network)`,
  `('resource', if(target_id != '' AND target_type != 'user', concat(product, ':', target_type, ':', target_id), ''), if(target_name = '', target_id, target_name))`,
].join(', ');

const FACETS = [
  "('', '*')",
  "('operation', operation)",
  "('app', if(app_name = '', product, app_name))",
  "('network', network)",
  `('client', ${CLIENT})`,
  "('country', JSONExtractString(raw, 'src_endpoint', 'location', 'country'))",
  "('resource', if(target_id != '', concat(target_type, ':', target_id), ''))",
  "('actor', if(integration_id != '', integration_id, if(actor_email != '', lower(actor_email), actor_id)))",
].join(', ');
const SCOPES =
  "arrayMap(one -> ('scope', one), arraySlice(JSONExtract(raw, 'actor', 'session', 'scopes', 'Array(String)'), 1, 50))";

const BASE =
  `SELECT time, event_id, product, request_bytes, response_bytes, target_type, target_id, target_name, operation, ` +
  `app_id, app_name, actor_id, actor_name, actor_email, integration_id, integration_name, user_agent, raw, ` +
  `${NETWORK} AS network, ${SERVICE} AS is_service, startsWith(source, 'cordon.') AS is_own, ` +
  "(decision IN ('deny', 'error') OR status_id = 2 OR http_status >= 400) AS failed FROM events " +
  "WHERE time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({to:Int64}, 'UTC') " +
  // Findings are what was thought of behaviour, not behaviour.
  `AND class_uid != 2004 AND ${NOT_EXERCISED}`;

const SUM =
  'INSERT INTO behaviour_hours (hour, entity_type, entity, entity_name, facet, value, events, failures, ' +
  'request_bytes, response_bytes, first_at, last_at, sample, computed_at) ' +
  'SELECT toStartOfHour(time) AS hour, e.1 AS entity_type, substring(e.2, 1, 400) AS entity, substring(any(e.3), 1, 200), f.1 AS facet, substring(f.2, 1, 400) AS value, ' +
  'count(), countIf(failed), sum(request_bytes), sum(response_bytes), min(time), max(time), ' +
  'groupArray(3)(event_id), {now:UInt64} FROM (' +
  `SELECT *, arrayJoin(arrayFilter(one -> one.2 != '', [${ENTITIES}])) AS e, ` +
  `arrayJoin(arrayFilter(one -> one.2 != '', arrayConcat([${FACETS}], ${SCOPES}))) AS f FROM (${BASE})) ` +
  'GROUP BY hour, entity_type, entity, facet, value';

export interface BehaviourWindow {
  /** The lake's clock, milliseconds since the epoch: what came in after `since` up to `until`. */
  readonly since: number;
  readonly until: number;
}

/** Starts of the hours (milliseconds) into which events fell that came in within the window, oldest first. */
export async function changedHours(
  connection: LakeConnection,
  { since, until }: BehaviourWindow,
  afterHour: number,
): Promise<{ readonly hours: readonly number[]; readonly more: boolean }> {
  const rows = await connection.rows<{ at: number }>(
    'SELECT DISTINCT toUnixTimestamp(toStartOfHour(time)) AS at FROM events ' +
      "WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') " +
      "AND time >= fromUnixTimestamp64Milli({oldest:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({newest:Int64}, 'UTC') " +
      `ORDER BY at LIMIT ${HOURS_MAX}`,
    {
      since: Math.max(0, Math.trunc(since) - LATE_MS_MAX),
      until: Math.trunc(until),
      oldest: Math.max(0, Math.trunc(Math.max(until - HISTORY_MS_MAX, afterHour + 1))),
      newest: Math.trunc(until + DAY_MS),
    },
  );
  return { hours: rows.map(({ at }) => at * 1000), more: rows.length === HOURS_MAX };
}

/** Sums up the hours from `from` up to `to` (both starts of hours, at most a day apart) and replaces what stood there. */
export async function sumHours(connection: LakeConnection, from: number, to: number, now: number): Promise<void> {
  await connection.write(
    SUM,
    { from: Math.trunc(from), to: Math.trunc(Math.min(to, from + DAY_MS)), now: Math.trunc(now) },
    STATEMENT_SECONDS_MAX,
  );
}
