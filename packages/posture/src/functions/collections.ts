import type { FunctionContext, NamedFunction } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const DAY_MS = 86_400_000;
/** Numbers below this are seconds since the epoch, above it milliseconds (the border is the year 5138 or 1973). */
const EPOCH_SECONDS_MAX = 100_000_000_000;

/** A JSON value as a list: null and nothing are empty, a single value is a list of one. */
export function asList(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** The strings in a list, trimmed and in lower case, without those that are empty. */
export function lowerStrings(value: unknown): string[] {
  return asList(value)
    .filter((item) => typeof item === 'string')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
}

/** A JSON object as a record; nothing else has keys. */
export function asRecord(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Seconds of a duration written as `12h`, `30m`, `7d` or `86400s`; undefined for any other text. */
export function durationSeconds(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^(\d{1,12})([smhd])$/iu.exec(text);
  const unit = match?.[2]?.toLowerCase();
  if (match?.[1] === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) return undefined;
  return Number(match[1]) * SECONDS[unit];
}

/** Days of an ISO 8601 duration in years, months, weeks and days; undefined for any other text. */
export function isoDays(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T.*)?$/u.exec(text);
  if (match === null || text === 'P') return undefined;
  const [years, months, weeks, days] = match.slice(1).map((part) => Number(part ?? 0));
  return (years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0);
}

/** Milliseconds since the epoch of a timestamp as vendors write it: ISO 8601, epoch seconds or milliseconds, `/Date(ms)/`. */
export function instantOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'bigint') return instantOf(Number(value));
  if (typeof value === 'number') return value < EPOCH_SECONDS_MAX ? value * 1000 : value;
  if (typeof value !== 'string') return undefined;
  const dotnet = /^\/Date\((-?\d{1,17})\)\/$/u.exec(value);
  if (dotnet?.[1] !== undefined) return Number(dotnet[1]);
  if (/^\d{9,14}(\.\d+)?$/u.test(value)) return instantOf(Number(value));
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Case-insensitive match of a text against a pattern in which `*` stands for any characters; linear time. */
export function like(text: string, pattern: string): boolean {
  const value = text.toLowerCase();
  const parts = pattern.toLowerCase().split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return value === first;
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = value.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= value.length - last.length;
}

/** A value as JSON; CEL's whole numbers are bigints, which JSON itself refuses. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)) ?? '';
}

const same = (left: unknown, right: unknown) => jsonText(left) === jsonText(right);

/** Functions on lists, texts and times that CEL's standard library lacks. */
export const collectionFunctions: readonly NamedFunction[] = [
  {
    signature: 'at(dyn, string): dyn',
    description: 'The value at a dotted path, or null where there is none.',
    run: (_: FunctionContext, value: unknown, path: string) => valueAt(value, path) ?? null,
  },
  {
    signature: 'asList(dyn): list',
    description: 'A list: null becomes an empty list, a single value a list of one.',
    run: (_: FunctionContext, value: unknown) => asList(value),
  },
  {
    signature: 'listed(dyn): list',
    description: 'A list, also when it is written as one text with commas.',
    run: (_: FunctionContext, value: unknown) =>
      typeof value === 'string' ? value.split(',').map((part) => part.trim()) : asList(value),
  },
  {
    signature: 'valuesOf(dyn): list',
    description: 'The values of an object, or the elements of a list; empty for null.',
    run: (_: FunctionContext, value: unknown) => (Array.isArray(value) ? value : Object.values(asRecord(value))),
  },
  {
    signature: 'missingFrom(dyn, dyn): list',
    description: 'What the first list holds and the second does not.',
    run: (_: FunctionContext, wanted: unknown, actual: unknown) =>
      asList(wanted).filter((item) => !asList(actual).some((other) => same(item, other))),
  },
  {
    signature: 'distinct(dyn): list',
    description: 'The list without repeats, in the order of first appearance.',
    run: (_: FunctionContext, list: unknown) =>
      asList(list).filter((item, index, all) => all.findIndex((other) => same(item, other)) === index),
  },
  {
    signature: 'flatten(dyn): list',
    description: 'A list of lists as one list, one level deep.',
    run: (_: FunctionContext, list: unknown) => asList(list).flat(),
  },
  {
    signature: 'lower(dyn): string',
    description: 'A text in lower case without white space around it; empty for anything else.',
    run: (_: FunctionContext, text: unknown) => (typeof text === 'string' ? text.trim().toLowerCase() : ''),
  },
  {
    signature: 'like(dyn, string): bool',
    description: 'Whether a text fits a pattern in which `*` stands for any characters; case does not matter.',
    run: (_: FunctionContext, text: unknown, pattern: string) => typeof text === 'string' && like(text, pattern),
  },
  {
    signature: 'text(dyn): string',
    description: 'Any value as text, for reasons: a text as it is, anything else as JSON.',
    run: (_: FunctionContext, value: unknown) => (typeof value === 'string' ? value : jsonText(value)),
  },
  {
    signature: 'number(dyn): double',
    description: 'A number from a number or its text; -1 for anything else.',
    run: (_: FunctionContext, value: unknown) => {
      const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
      return value === null || Number.isNaN(number) ? -1 : number;
    },
  },
  {
    signature: 'seconds(dyn): dyn',
    description: 'Seconds of a duration such as `12h` or `86400s`; null for any other text.',
    run: (_: FunctionContext, text: unknown) => durationSeconds(text) ?? null,
  },
  {
    signature: 'isoDays(dyn): dyn',
    description:
      'Days of an ISO 8601 duration such as `P90D`, `P6M` or `P1Y` (months of 30, years of 365 days); null for any other text.',
    run: (_: FunctionContext, text: unknown) => isoDays(text) ?? null,
  },
  {
    signature: 'daysSince(dyn): dyn',
    description: 'Whole days since a timestamp (negative when it lies ahead); null where there is no timestamp.',
    run: (context: FunctionContext, value: unknown) => {
      const instant = instantOf(value);
      return instant === undefined ? null : Math.floor((context.now - instant) / DAY_MS);
    },
  },
  {
    signature: 'unseen(string): bool',
    description: 'Notes that a setting could not be seen, so that a pass becomes not visible. Always true.',
    run: (context: FunctionContext, path: string) => {
      context.unseen(path);
      return true;
    },
  },
];
