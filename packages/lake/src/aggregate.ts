import type { Clock } from '@cordon/kernel';
import { QueryInvalid } from './errors.ts';
import type { LakeConnection } from './lake-connection.ts';
import type { EventColumn } from './lake-schema.ts';
import { type FieldInfo, fieldNamed } from './query-fields.ts';
import { ParamBag } from './query-params.ts';
import { compileScope, type Scope } from './search-scope.ts';

export interface HistogramRequest extends Scope {
  /** How many buckets at most, 1 to 500; the width is rounded up to a usual one. Default 60. */
  readonly buckets?: number;
  /** Split each bucket by a field's values, such as `decision`. */
  readonly groupBy?: string;
}

export interface Histogram {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
  /** Ascending; empty ones are there with a count of 0. */
  readonly buckets: readonly {
    readonly at: number;
    readonly count: number;
    readonly groups?: Readonly<Record<string, number>>;
  }[];
  readonly took: number;
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

const BUCKETS_MAX = 500;
const BUCKETS = 60;
const GROUPS_MAX = 50;
const FACET_FIELDS_MAX = 16;
const FACET_VALUES_MAX = 100;
const FACET_VALUES = 10;
const WIDTHS_MS = [
  1, 10, 100, 1000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000,
  43_200_000, 86_400_000, 604_800_000, 2_592_000_000,
];

/** The SQL by which values of a field are told apart, as text. */
function groupExpression(name: string): { readonly info: FieldInfo; readonly sql: string; readonly isList: boolean } {
  const info = fieldNamed(name);
  if (!info) throw new QueryInvalid(`There is no field "${name}" to group by.`, { field: name });
  const { field } = info;
  if (field.kind === 'time') throw new QueryInvalid(`${name} can't be grouped by; use a histogram.`, { field: name });
  if (field.kind === 'address')
    return { info, sql: `replaceOne(toString(${field.column}), '::ffff:', '')`, isList: false };
  if (field.kind === 'list') return { info, sql: `arrayJoin(${field.column})`, isList: true };
  const column: EventColumn | undefined = field.kind === 'text' ? field.columns[0] : field.column;
  if (field.kind !== 'named-number') return { info, sql: `toString(${column ?? 'source'})`, isList: false };
  return { info, sql: `toString(${field.column})`, isList: false };
}

/** Numbers with names are shown by name: `high`, not `4`. */
function valueName(info: FieldInfo, value: string): string {
  if (info.field.kind !== 'named-number') return value;
  return Object.entries(info.field.names).find(([, number]) => String(number) === value)?.[0] ?? value;
}

/** How many events in each stretch of time. */
export async function histogram(
  connection: LakeConnection,
  clock: Clock,
  request: HistogramRequest,
): Promise<Histogram> {
  const started = clock.now();
  const wanted = request.buckets ?? BUCKETS;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > BUCKETS_MAX) {
    throw new QueryInvalid(`buckets must be 1 to ${BUCKETS_MAX}.`, { field: 'buckets' });
  }
  const params = new ParamBag();
  const { where, from, to } = compileScope(request, params, started);
  const least = (to - from) / wanted;
  const intervalMs = WIDTHS_MS.find((width) => width >= least) ?? Math.ceil(least);
  const group = request.groupBy === undefined ? undefined : groupExpression(request.groupBy);
  const width = params.add('Int64', intervalMs);
  const bucket = `intDiv(toUnixTimestamp64Milli(time), ${width})`;
  const rows = await connection.rows<{ slot: number; grouped: string; total: number; whole: number }>(
    `SELECT ${bucket} AS slot, ${group ? group.sql : "''"} AS grouped, count() AS total, ` +
      `sum(count()) OVER (PARTITION BY slot) AS whole FROM events WHERE ${where} ` +
      `GROUP BY slot, grouped ORDER BY slot, total DESC LIMIT ${GROUPS_MAX} BY slot`,
    params.values,
  );
  return {
    from,
    to,
    intervalMs,
    buckets: fillBuckets(rows, from, to, intervalMs, group?.info),
    took: clock.now() - started,
  };
}

function fillBuckets(
  rows: readonly { slot: number; grouped: string; total: number; whole: number }[],
  from: number,
  to: number,
  intervalMs: number,
  info: FieldInfo | undefined,
): Histogram['buckets'] {
  const slots = new Map<number, { count: number; groups: Record<string, number> }>();
  for (const row of rows) {
    // The whole, not the sum of what is shown: beyond the commonest values, groups are left out.
    const slot = slots.get(row.slot) ?? { count: row.whole, groups: {} };
    if (info) slot.groups[valueName(info, row.grouped)] = row.total;
    slots.set(row.slot, slot);
  }
  const buckets: Histogram['buckets'][number][] = [];
  for (let slot = Math.floor(from / intervalMs); slot * intervalMs < to; slot++) {
    const found = slots.get(slot);
    const groups = info && { groups: found?.groups ?? {} };
    buckets.push({ at: slot * intervalMs, count: found?.count ?? 0, ...groups });
  }
  return buckets;
}

export interface FacetsRequest extends Scope {
  /** Fields of the search language, at most 16. */
  readonly fields: readonly string[];
  /** Values of each, 1 to 100; default 10. */
  readonly limit?: number;
}

/** The commonest values of fields, with how many events have them; empty values are left out. */
export async function facets(
  connection: LakeConnection,
  clock: Clock,
  request: FacetsRequest,
): Promise<Readonly<Record<string, readonly FacetValue[]>>> {
  const limit = request.limit ?? FACET_VALUES;
  if (request.fields.length > FACET_FIELDS_MAX || !Number.isInteger(limit) || limit < 1 || limit > FACET_VALUES_MAX) {
    throw new QueryInvalid(`Ask for at most ${FACET_FIELDS_MAX} fields and 1 to ${FACET_VALUES_MAX} values of each.`);
  }
  const now = clock.now();
  const found = await Promise.all(
    request.fields.map(async (name) => {
      const { info, sql } = groupExpression(name);
      const params = new ParamBag();
      const { where } = compileScope(request, params, now);
      const rows = await connection.rows<{ value: string; total: number }>(
        `SELECT ${sql} AS value, count() AS total FROM events WHERE ${where} GROUP BY value ` +
          `HAVING value NOT IN ('', '::') ORDER BY total DESC, value LIMIT ${limit}`,
        params.values,
      );
      return [name, rows.map((row) => ({ value: valueName(info, row.value), count: row.total }))] as const;
    }),
  );
  return Object.fromEntries(found);
}
