import { type FieldPath } from '../field-path.ts';
import { type Expression, type Rule } from './ast.ts';
import { fieldKey } from './partial.ts';

/** The one field whose exact values divide a log source's rules best: the vendor's operation name, as a rule. */
export interface IndexChoice {
  readonly field: FieldPath;
  /** Value in lower case -> positions of the rules that can only fire with it. */
  readonly byValue: ReadonlyMap<string, readonly number[]>;
  /** Rules that must run on every event. */
  readonly always: readonly number[];
}

/**
 * For each field, the values of which one must be present for the expression to hold. A field that isn't listed
 * puts no such demand.
 */
export function demands(expression: Expression): Map<string, { field: FieldPath; values: Set<string> }> {
  switch (expression.kind) {
    case 'match': {
      const { field, matcher } = expression;
      if (matcher.kind !== 'text' || matcher.op !== 'equals') return new Map();
      return new Map([[fieldKey(field), { field, values: new Set([matcher.text.toLowerCase()]) }]]);
    }
    case 'and': {
      const found = new Map<string, { field: FieldPath; values: Set<string> }>();
      for (const part of expression.of) {
        for (const [key, demand] of demands(part)) {
          const known = found.get(key);
          if (!known || demand.values.size < known.values.size) found.set(key, demand);
        }
      }
      return found;
    }
    case 'or': {
      const [first, ...others] = expression.of.map(demands);
      if (!first) return new Map();
      for (const other of others) {
        for (const [key, demand] of first) {
          const same = other.get(key);
          if (same) for (const value of same.values) demand.values.add(value);
          else first.delete(key);
        }
      }
      return first;
    }
    default:
      return new Map();
  }
}

/** Chooses the field that most rules put a demand on, and sorts the rules by it. */
export function chooseIndex(rules: readonly Rule[]): IndexChoice | undefined {
  const perRule = rules.map((rule) => demands(rule.expression));
  const votes = new Map<string, number>();
  for (const found of perRule) for (const key of found.keys()) votes.set(key, (votes.get(key) ?? 0) + 1);
  const best = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
  if (!best) return undefined;
  const [key] = best;
  const field = perRule.map((found) => found.get(key)?.field).find((one) => one !== undefined);
  if (!field) return undefined;
  const byValue = new Map<string, number[]>();
  const always: number[] = [];
  for (const [position, found] of perRule.entries()) {
    const demand = found.get(key);
    if (!demand) always.push(position);
    for (const value of demand?.values ?? []) {
      const bucket = byValue.get(value) ?? [];
      bucket.push(position);
      byValue.set(value, bucket);
    }
  }
  return { field, byValue, always };
}
