import type { Result } from './check.ts';
import type { PostureResult } from './evaluate.ts';

/**
 * What happened to a check between two states of one app: `worse` and `better` cross the line to or from `fail`;
 * `lost` can no longer be seen or evaluated; `seen` can again.
 */
export type DriftKind = 'added' | 'removed' | 'worse' | 'better' | 'lost' | 'seen' | 'changed';

export interface Drift {
  check: string;
  kind: DriftKind;
  before: Result | null;
  after: Result | null;
  reason: string;
}

const isKnown = (result: Result) => result === 'pass' || result === 'fail' || result === 'not_applicable';

/**
 * The changes from an accepted (or earlier) state of one app to its current one, in the order of check ids. A check
 * whose result is the same is not listed, also when its reason differs: reasons name org units and users that come and go.
 */
export function compare(previous: readonly PostureResult[], current: readonly PostureResult[]): Drift[] {
  const before = new Map(previous.map((result) => [result.check, result]));
  const after = new Map(current.map((result) => [result.check, result]));
  const drifts: Drift[] = [];
  for (const check of new Set([...before.keys(), ...after.keys()])) {
    const left = before.get(check);
    const right = after.get(check);
    if (left?.result === right?.result) continue;
    drifts.push({
      check,
      kind: kindOf(left?.result, right?.result),
      before: left?.result ?? null,
      after: right?.result ?? null,
      reason: right?.reason ?? 'The check is no longer among those evaluated.',
    });
  }
  return drifts.toSorted((left, right) => left.check.localeCompare(right.check));
}

function kindOf(before: Result | undefined, after: Result | undefined): DriftKind {
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  if (after === 'fail') return 'worse';
  if (!isKnown(after)) return isKnown(before) ? 'lost' : 'changed';
  if (before === 'fail') return 'better';
  return isKnown(before) ? 'changed' : 'seen';
}

/** Since when each check has its present result: kept from the previous state while the result stays the same. */
export function since(
  previous: readonly { check: string; result: Result; since: number }[],
  current: readonly PostureResult[],
): Map<string, number> {
  const before = new Map(previous.map((entry) => [entry.check, entry]));
  return new Map(
    current.map(({ check, result, evaluatedAt }) => {
      const known = before.get(check);
      return [check, known?.result === result ? known.since : evaluatedAt];
    }),
  );
}
