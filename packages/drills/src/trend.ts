import type { DrillMode } from './scenario.ts';
import type { Score } from './score.ts';

export interface Quarter {
  /** `2026-Q4`, by UTC. */
  readonly quarter: string;
  readonly drills: number;
  readonly liveFires: number;
  /** Share of checks that were met, 0 to 1; null: none were made. */
  readonly metShare: number | null;
  /** Medians in milliseconds. */
  readonly detectMs: number | null;
  readonly decideMs: number | null;
  readonly containMs: number | null;
  readonly notifyMs: number | null;
  /** Roles and steps that were missing, over all drills. */
  readonly missing: number;
}

export function quarterOf(at: number): string {
  const date = new Date(at);
  return `${date.getUTCFullYear()}-Q${Math.floor(date.getUTCMonth() / 3) + 1}`;
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((one) => one !== null).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  if (sorted.length % 2 === 1) return sorted[middle] ?? null;
  return Math.round(((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2);
}

/** Ended drills by the quarter of their end, oldest first. */
export function trendOf(
  drills: readonly { readonly endedAt: number; readonly mode: DrillMode; readonly score: Score }[],
): Quarter[] {
  const quarters = Map.groupBy(drills, ({ endedAt }) => quarterOf(endedAt));
  return [...quarters]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([quarter, of]) => {
      const total = of.reduce((sum, { score }) => sum + score.total, 0);
      const met = of.reduce((sum, { score }) => sum + score.met, 0);
      const middle = (key: 'detectMs' | 'decideMs' | 'containMs' | 'notifyMs'): number | null =>
        median(of.map(({ score }) => score.measures[key]));
      return {
        quarter,
        drills: of.length,
        liveFires: of.filter(({ mode }) => mode === 'live-fire').length,
        metShare: total === 0 ? null : met / total,
        detectMs: middle('detectMs'),
        decideMs: middle('decideMs'),
        containMs: middle('containMs'),
        notifyMs: middle('notifyMs'),
        missing: of.reduce((sum, { score }) => sum + score.missing.length, 0),
      };
    });
}
