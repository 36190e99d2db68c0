import { type Bound, type Correlation } from './correlation.ts';

/** A signal as one correlation sees it. */
export interface Entry {
  readonly time: number;
  readonly eventId: string;
  /** Position in the correlation's list of rules. */
  readonly rule: number;
  /** The counted or measured fields' values joined; undefined where the event has none. */
  readonly value: string | undefined;
}

/** In time order; entries of one moment in the order of the rules, so that a tie can still satisfy an order. */
export function compareEntries(a: Entry, b: Entry): number {
  return a.time - b.time || a.rule - b.rule || (a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0);
}

function holds(bounds: readonly Bound[], measured: number): boolean {
  return bounds.every(({ op, value }) => {
    switch (op) {
      case 'gt':
        return measured > value;
      case 'gte':
        return measured >= value;
      case 'lt':
        return measured < value;
      case 'lte':
        return measured <= value;
      case 'eq':
        return measured === value;
      case 'neq':
        return measured !== value;
    }
    return false;
  });
}

const numbers = (entries: readonly Entry[]): number[] =>
  entries.flatMap((entry) => {
    const number = entry.value === undefined || entry.value === '' ? Number.NaN : Number(entry.value);
    return Number.isFinite(number) ? [number] : [];
  });

/** Linear interpolation between closest ranks, as most tools do. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? Number.NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}

function inOrder(entries: readonly Entry[], rules: number): boolean {
  let next = 0;
  for (const entry of entries) if (entry.rule === next) next++;
  return next >= rules;
}

/** What the window measures; undefined where nothing can be measured. */
function measure(correlation: Correlation, entries: readonly Entry[]): number | undefined {
  switch (correlation.type) {
    case 'event_count':
      return entries.length;
    case 'value_count':
      return new Set(entries.flatMap((entry) => entry.value ?? [])).size;
    case 'temporal':
    case 'temporal_ordered':
      return new Set(entries.map((entry) => entry.rule)).size;
    default: {
      const values = numbers(entries);
      if (values.length === 0) return undefined;
      const sum = values.reduce((total, value) => total + value, 0);
      if (correlation.type === 'value_sum') return sum;
      if (correlation.type === 'value_avg') return sum / values.length;
      return percentile(values, correlation.percentile);
    }
  }
}

/** Whether the entries of one window satisfy the correlation. */
export function satisfies(correlation: Correlation, entries: readonly Entry[]): boolean {
  const measured = measure(correlation, entries);
  if (measured === undefined) return false;
  const temporal = correlation.type === 'temporal' || correlation.type === 'temporal_ordered';
  if (!temporal) return holds(correlation.bounds, measured);
  const enough =
    correlation.bounds.length > 0 ? holds(correlation.bounds, measured) : measured === correlation.rules.length;
  return enough && (correlation.type === 'temporal' || inOrder(entries, correlation.rules.length));
}

/** Whether more events can only help: then an alert needn't wait for the watermark. */
export function growsOnly(correlation: Correlation): boolean {
  if (correlation.bounds.some(({ op }) => op !== 'gt' && op !== 'gte')) return false;
  return ['event_count', 'value_count', 'temporal', 'temporal_ordered'].includes(correlation.type);
}
