import type { BehaviourEntityType, BehaviourFacet } from './behaviour-sum.ts';
import type { LakeConnection, QueryParams } from './lake-connection.ts';

const DAY_MS = 86_400_000;
/** Values an entity met for the first time on one day that are read; more of them say nothing new. */
const FRESH_PER_FACET_MAX = 30;
const SEEN_BY_MAX = 300;
const HISTORY_SECONDS_MAX = 30;
const VALUES_PER_ENTITY_MAX = 300;

export interface BehaviourKey {
  readonly type: BehaviourEntityType;
  readonly id: string;
}

export interface ActiveEntity extends BehaviourKey {
  readonly name: string;
  /** Version of its newest sum: what was scored before and has this version still needs no new score. */
  readonly version: number;
}

export interface BehaviourDay {
  /** UTC midnight, milliseconds since the epoch. */
  readonly day: number;
  readonly events: number;
  readonly failures: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly operations: number;
  readonly resources: number;
  readonly actors: number;
}

export interface FreshValue {
  readonly facet: BehaviourFacet;
  readonly value: string;
  readonly events: number;
  readonly firstAt: number;
  readonly sample: readonly string[];
  /** Others of the same kind that were seen with it before that day. */
  readonly seenBy: readonly string[];
}

/** All that one entity's day is judged by. */
export interface BehaviourFacts extends BehaviourKey {
  readonly name: string;
  readonly firstAt: number;
  /** Oldest first, the judged day last; days without events are left out. */
  readonly days: readonly BehaviourDay[];
  /** Hour of week (Monday 00 UTC is 0) to the number of weeks in the window in which it was active then. */
  readonly slots: Readonly<Record<number, number>>;
  /** Hours of the judged day (milliseconds) with events. */
  readonly hours: readonly number[];
  readonly fresh: readonly FreshValue[];
  /** First meetings by facet and day, before the judged day. */
  readonly novelty: readonly { readonly facet: BehaviourFacet; readonly day: number; readonly count: number }[];
  readonly sample: readonly string[];
}

/** Middle of log(1 + x) over active days. */
export interface BehaviourNorm extends BehaviourKey {
  readonly activeDays: number;
  readonly events: number;
  readonly failures: number;
  readonly responseBytes: number;
  readonly resources: number;
}

const dayStart = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;
const AT = (name: string): string => `toDateTime(intDiv({${name}:Int64}, 1000), 'UTC')`;
const WITHIN = `hour >= ${AT('from')} AND hour < ${AT('to')}`;
const DAY_OF = 'toUnixTimestamp(toStartOfDay(hour)) * 1000';

/** Entities with events on a day whose sums are newer than `since`, in order of type and id, after a given one. */
export async function activeEntities(
  connection: LakeConnection,
  request: {
    readonly day: number;
    readonly since: number;
    readonly after?: BehaviourKey | undefined;
    readonly limit: number;
  },
): Promise<ActiveEntity[]> {
  const { day, since, after, limit } = request;
  return connection.rows<ActiveEntity>(
    'SELECT entity_type AS type, entity AS id, anyLast(entity_name) AS name, max(computed_at) AS version ' +
      `FROM behaviour_hours FINAL WHERE ${WITHIN} AND facet = '' AND (entity_type, entity) > ({type:String}, {id:String}) ` +
      'GROUP BY entity_type, entity HAVING version > {since:UInt64} ORDER BY entity_type, entity LIMIT {limit:UInt32}',
    {
      from: dayStart(day),
      to: dayStart(day) + DAY_MS,
      since: Math.trunc(since),
      type: after?.type ?? '',
      id: after?.id ?? '',
      limit,
    },
    { secondsMax: HISTORY_SECONDS_MAX },
  );
}

function unkeyed<Row extends { readonly k: string }>(row: Row): Omit<Row, 'k'> {
  const { k, ...rest } = row;
  void k;
  return rest;
}

const keyOf = (type: string, id: string): string => `${type}\0${id}`;

/** Facts of up to a few hundred entities at once. `relearn` holds `type\0id\0facet\0value` that counts as new again. */
export async function behaviourFacts(
  connection: LakeConnection,
  request: {
    readonly entities: readonly (BehaviourKey & { readonly name: string })[];
    readonly day: number;
    readonly historyDays: number;
    readonly relearn: readonly string[];
  },
): Promise<BehaviourFacts[]> {
  const { entities, relearn } = request;
  if (entities.length === 0) return [];
  const to = dayStart(request.day) + DAY_MS;
  const from = to - (request.historyDays + 1) * DAY_MS;
  const params: QueryParams = {
    from,
    to,
    today: to - DAY_MS,
    keys: entities.map(({ type, id }) => keyOf(type, id)),
    ids: [...new Set(entities.map(({ id }) => id))],
    types: [...new Set(entities.map(({ type }) => type))],
    relearn,
  };
  const ONE =
    "entity_type IN {types:Array(String)} AND entity IN {ids:Array(String)} AND concat(entity_type, '\\0', entity) IN {keys:Array(String)}";
  const HOURS = `FROM behaviour_hours FINAL WHERE ${ONE} AND ${WITHIN}`;
  const limits = { secondsMax: HISTORY_SECONDS_MAX };
  type Keyed<Row> = Row & { readonly k: string };
  const KEY = "concat(entity_type, '\\0', entity) AS k";
  const [days, slots, hours, fresh, novelty] = await Promise.all([
    connection.rows<Keyed<BehaviourDay>>(
      `SELECT ${KEY}, ${DAY_OF} AS day, sumIf(events, facet = '') AS events, sumIf(failures, facet = '') AS failures, ` +
        "sumIf(request_bytes, facet = '') AS requestBytes, sumIf(response_bytes, facet = '') AS responseBytes, " +
        "uniqIf(value, facet = 'operation') AS operations, uniqIf(value, facet = 'resource') AS resources, " +
        `uniqIf(value, facet = 'actor') AS actors ${HOURS} GROUP BY k, day ORDER BY day`,
      params,
      limits,
    ),
    connection.rows<Keyed<{ slot: number; weeks: number }>>(
      `SELECT ${KEY}, (toDayOfWeek(hour) - 1) * 24 + toHour(hour) AS slot, uniqExact(hour) AS weeks ` +
        `${HOURS} AND facet = '' AND hour < ${AT('today')} GROUP BY k, slot`,
      params,
      limits,
    ),
    connection.rows<Keyed<{ at: number; sample: string[] }>>(
      `SELECT ${KEY}, toUnixTimestamp(hour) * 1000 AS at, any(sample) AS sample ` +
        `${HOURS} AND facet = '' AND hour >= ${AT('today')} GROUP BY k, at ORDER BY at`,
      params,
      limits,
    ),
    connection.rows<Keyed<Omit<FreshValue, 'seenBy'>>>(
      `SELECT ${KEY}, facet, value, sum(events) AS events, toUnixTimestamp64Milli(min(first_at)) AS firstAt, ` +
        `arraySlice(arrayFlatten(groupArray(3)(sample)), 1, 3) AS sample ${HOURS} AND hour >= ${AT('today')} AND facet != '' ` +
        'AND ((entity_type, entity, facet, value) NOT IN (SELECT entity_type, entity, facet, value FROM behaviour_seen ' +
        `WHERE ${ONE} AND first_at < ${AT('today')}) ` +
        "OR concat(entity_type, '\\0', entity, '\\0', facet, '\\0', value) IN {relearn:Array(String)}) " +
        // Only what is itself first seen earlier is known: sums that a merge hasn't joined yet must not hide that.
        `GROUP BY k, facet, value ORDER BY events DESC LIMIT ${FRESH_PER_FACET_MAX} BY k, facet`,
      params,
      limits,
    ),
    connection.rows<Keyed<{ facet: BehaviourFacet; day: number; count: number }>>(
      `SELECT k, facet, toUnixTimestamp(toStartOfDay(first)) * 1000 AS day, count() AS count FROM (` +
        `SELECT ${KEY}, facet, value, min(first_at) AS first FROM behaviour_seen WHERE ${ONE} GROUP BY k, facet, value) ` +
        `WHERE first < ${AT('today')} GROUP BY k, facet, day ORDER BY day`,
      params,
      limits,
    ),
  ]);
  const seenBy = await whoSaw(connection, fresh, params);
  const group = <Row extends { readonly k: string }>(rows: readonly Row[]) => Map.groupBy(rows, ({ k }) => k);
  const [daysOf, slotsOf, hoursOf, freshOf, noveltyOf] = [
    group(days),
    group(slots),
    group(hours),
    group(fresh),
    group(novelty),
  ];
  return entities.map(({ type, id, name }) => {
    const key = keyOf(type, id);
    const first = (noveltyOf.get(key) ?? []).filter(({ facet }) => (facet as string) === '').at(0);
    return {
      type,
      id,
      name,
      firstAt: first?.day ?? to - DAY_MS,
      days: (daysOf.get(key) ?? []).map((row) => unkeyed(row)),
      slots: Object.fromEntries((slotsOf.get(key) ?? []).map(({ slot, weeks }) => [slot, weeks])),
      hours: (hoursOf.get(key) ?? []).map(({ at }) => at),
      sample: (hoursOf.get(key) ?? []).flatMap(({ sample }) => sample).slice(-3),
      fresh: (freshOf.get(key) ?? []).map((one) => ({
        ...unkeyed(one),
        seenBy: (seenBy.get(keyOf(type, keyOf(one.facet, one.value))) ?? []).filter((other) => other !== id),
      })),
      novelty: (noveltyOf.get(key) ?? []).filter(({ facet }) => (facet as string) !== '').map((row) => unkeyed(row)),
    };
  });
}

async function whoSaw(
  connection: LakeConnection,
  fresh: readonly { readonly facet: string; readonly value: string }[],
  { types = [], today = 0 }: QueryParams,
): Promise<Map<string, readonly string[]>> {
  const values = [...new Set(fresh.map(({ value }) => value))];
  if (values.length === 0) return new Map();
  const rows = await connection.rows<{ type: string; facet: string; value: string; seen: string[] }>(
    `SELECT entity_type AS type, facet, value, groupUniqArray(${SEEN_BY_MAX})(entity) AS seen FROM behaviour_seen ` +
      `WHERE entity_type IN {types:Array(String)} AND facet != '' AND value IN {values:Array(String)} AND first_at < ${AT('today')} ` +
      'GROUP BY type, facet, value',
    { types, values, today },
    { secondsMax: HISTORY_SECONDS_MAX },
  );
  return new Map(rows.map(({ type, facet, value, seen }) => [keyOf(type, keyOf(facet, value)), seen]));
}

/** Middles of every entity of a kind over the days before `day`: what peers are compared by. */
export async function behaviourNorms(
  connection: LakeConnection,
  request: { readonly day: number; readonly historyDays: number; readonly limit: number },
): Promise<BehaviourNorm[]> {
  const to = dayStart(request.day);
  const middle = (column: string): string => `quantileExact(0.5)(log1p(${column})) AS ${column}`;
  return connection.rows<BehaviourNorm>(
    'SELECT type, id, count() AS activeDays, ' +
      `${['events', 'failures', 'responseBytes', 'resources'].map(middle).join(', ')} FROM (` +
      `SELECT entity_type AS type, entity AS id, ${DAY_OF} AS day, sumIf(events, facet = '') AS events, ` +
      "sumIf(failures, facet = '') AS failures, sumIf(response_bytes, facet = '') AS responseBytes, " +
      `uniqIf(value, facet = 'resource') AS resources FROM behaviour_hours FINAL WHERE ${WITHIN} ` +
      'GROUP BY type, id, day) GROUP BY type, id ORDER BY activeDays DESC LIMIT {limit:UInt32}',
    { from: to - request.historyDays * DAY_MS, to, limit: request.limit },
    { secondsMax: HISTORY_SECONDS_MAX },
  );
}

/** What each entity works with (operations and apps, with how often), for finding those that are alike. */
export async function behaviourWork(
  connection: LakeConnection,
  request: { readonly day: number; readonly historyDays: number; readonly limit: number },
): Promise<(BehaviourKey & { readonly work: readonly (readonly [string, number])[] })[]> {
  const to = dayStart(request.day);
  return connection.rows(
    `SELECT type, id, groupArray(${VALUES_PER_ENTITY_MAX})((what, events)) AS work FROM (` +
      "SELECT entity_type AS type, entity AS id, concat(facet, ':', value) AS what, sum(events) AS events " +
      `FROM behaviour_hours FINAL WHERE ${WITHIN} AND facet IN ('operation', 'app') ` +
      "AND entity_type NOT IN ('network', 'resource') GROUP BY type, id, what ORDER BY events DESC) " +
      'GROUP BY type, id LIMIT {limit:UInt32}',
    { from: to - request.historyDays * DAY_MS, to, limit: request.limit },
    { secondsMax: HISTORY_SECONDS_MAX },
  );
}

/** The days (UTC midnights) that have sums newer than `since`, oldest first. */
export async function changedDays(connection: LakeConnection, since: number, from: number): Promise<number[]> {
  const rows = await connection.rows<{ day: number }>(
    `SELECT DISTINCT ${DAY_OF} AS day FROM behaviour_hours WHERE computed_at > {since:UInt64} AND hour >= ${AT('from')} ORDER BY day LIMIT 500`,
    { since: Math.trunc(since), from: Math.trunc(from) },
    { secondsMax: HISTORY_SECONDS_MAX },
  );
  return rows.map(({ day }) => day);
}
