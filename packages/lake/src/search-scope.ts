import { QueryInvalid, QueryTooLarge } from './errors.ts';
import { compileQuery } from './query-compile.ts';
import { momentOf, ParamBag } from './query-params.ts';
import { parseQuery } from './query-parser.ts';
import type { Operator } from './query-tokens.ts';

/** A filter as the console's property filter has it. The value is literal: no wildcard, no range. */
export interface PropertyFilter {
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
}

/** Which events: a time range, a search, filters; all of them must hold. */
export interface Scope {
  readonly query?: string;
  readonly filters?: readonly PropertyFilter[];
  /** Milliseconds since the epoch, inclusive. Default: 24 hours ago. */
  readonly from?: number;
  /** Exclusive. Default: a day from now, so that a vendor's fast clock hides nothing. */
  readonly to?: number;
}

const DAY_MS = 86_400_000;
export const FILTERS_MAX = 50;
export const FILTER_CHARS_MAX = 1000;
/** What DateTime64(3) holds without overflowing when it is compared (year 2262). */
const TIME_MS_MAX = 9_214_646_400_000;

function readMoment(value: number | undefined, fallback: number, field: string): number {
  if (value === undefined) return Math.trunc(fallback);
  if (Number.isFinite(value) && value >= 0 && value <= TIME_MS_MAX) return Math.trunc(value);
  throw new QueryInvalid(`${field} must be milliseconds since the epoch.`, { field });
}

/** The condition on filters and search alone. */
export function compileConditions(scope: Scope, params: ParamBag, now: number): string[] {
  const { filters = [], query = '' } = scope;
  if (filters.length > FILTERS_MAX) throw new QueryTooLarge(`A search may have ${FILTERS_MAX} filters.`);
  const conditions = filters.map((filter) => {
    if (filter.value.length > FILTER_CHARS_MAX)
      throw new QueryTooLarge(`A filter may have ${FILTER_CHARS_MAX} characters.`);
    const span = { start: 0, end: 0 };
    const value = { text: filter.value, quoted: true, ...span };
    const { field, operator } = filter;
    return compileQuery({ kind: 'compare', field, fieldSpan: span, operator, values: [value], ...span }, params, now);
  });
  const tree = parseQuery(query);
  return tree ? [...conditions, compileQuery(tree, params, now)] : conditions;
}

/** Throws what a search would throw for its text or filters, without asking the lake: for forms that check as one types. */
export function checkQuery(scope: Pick<Scope, 'query' | 'filters'>, now: number): void {
  compileConditions(scope, new ParamBag(), now);
}

/** The WHERE of a scope, and the range that its defaults came to. */
export function compileScope(
  scope: Scope,
  params: ParamBag,
  now: number,
): { readonly where: string; readonly from: number; readonly to: number } {
  const from = readMoment(scope.from, now - DAY_MS, 'from');
  const to = readMoment(scope.to, now + DAY_MS, 'to');
  if (to <= from) throw new QueryInvalid('The time range is empty: "to" must be after "from".', { field: 'to' });
  const range = [`time >= ${momentOf(params, from)}`, `time < ${momentOf(params, to)}`];
  return { where: [...range, ...compileConditions(scope, params, now)].join(' AND '), from, to };
}
