import { z } from 'zod';
import type { Level } from '../sigma/ast.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Multi-window, multi-burn-rate alerts, Google's SRE Workbook, chapter 5, table 5-8: a share of the period's budget
 * that is gone within the long window. The short one makes the alert end soon after the burning does.
 */
export const BURN_WINDOWS = [
  { longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, share: 0.02, level: 'high' },
  { longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, share: 0.05, level: 'high' },
  { longMs: DAY_MS, shortMs: 2 * HOUR_MS, share: 0.1, level: 'medium' },
  { longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS, share: 0.1, level: 'low' },
] as const satisfies readonly { longMs: number; shortMs: number; share: number; level: Level }[];

/** Every span that must be counted; the period itself comes beside them. */
export const WINDOWS_MS: readonly number[] = [
  ...new Set(BURN_WINDOWS.flatMap(({ longMs, shortMs }) => [longMs, shortMs])),
].sort((a, b) => a - b);

export const sloInput = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
    kind: z.enum(['availability', 'latency']),
    appId: z.string().min(1).max(100),
    integrationId: z.string().min(1).max(100).nullable().default(null),
    operation: z.string().min(1).max(300).nullable().default(null),
    /** Share of calls that are good, 0.9 to 0.99999. Below 0.9 no burn rate is high enough to alert. */
    objective: z.number().min(0.9).max(0.99999),
    periodDays: z.int().min(1).max(90).default(30),
    /** Of a latency SLO: calls that took longer are bad. Milliseconds. */
    latencyMs: z.number().positive().max(600_000).nullable().default(null),
    /** Fewer calls than these in the long window say nothing. */
    callsMin: z.int().min(1).max(1_000_000).default(20),
  })
  .refine(({ kind, latencyMs }) => (kind === 'latency') === (latencyMs !== null), {
    path: ['latencyMs'],
    message: 'A latency SLO has latencyMs; an availability SLO has none.',
  });

export interface Slo extends z.output<typeof sloInput> {
  readonly id: string;
  readonly state: SloState | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface Count {
  readonly windowMs: number;
  readonly total: number;
  readonly bad: number;
  readonly sample: readonly string[];
}

/** Stored as the worker measured it, and read back through this. */
export const sloState = z.object({
  at: z.number(),
  total: z.number(),
  bad: z.number(),
  /** Share of the period's error budget that is left; negative when overdrawn. */
  budgetLeft: z.number(),
  windows: z.array(
    z.object({
      longMs: z.number(),
      shortMs: z.number(),
      level: z.enum(['high', 'medium', 'low']),
      /** How many times faster than the budget allows; both must reach the threshold. */
      longBurn: z.number(),
      shortBurn: z.number(),
      threshold: z.number(),
      firing: z.boolean(),
    }),
  ),
  /** The severest window that fires. */
  firing: z.enum(['high', 'medium', 'low']).nullable(),
  /** When it began to fire; null while it does not. */
  since: z.number().nullable(),
  sample: z.array(z.string()),
});
export type SloState = z.output<typeof sloState>;

/** 1: the budget lasts exactly as long as its period. 0 without calls. */
export function burnRate({ total, bad }: Pick<Count, 'total' | 'bad'>, objective: number): number {
  return total === 0 ? 0 : bad / total / (1 - objective);
}

/** What counts say about a promise. `period` counts the whole period; `counts` hold all of `WINDOWS_MS`. */
export function evaluateSlo(
  slo: Pick<Slo, 'objective' | 'periodDays' | 'callsMin' | 'state'>,
  {
    period,
    counts,
    at,
  }: { readonly period: Omit<Count, 'sample'>; readonly counts: readonly Count[]; readonly at: number },
): SloState {
  const count = (windowMs: number): Count =>
    counts.find((one) => one.windowMs === windowMs) ?? { windowMs, total: 0, bad: 0, sample: [] };
  const windows = BURN_WINDOWS.map(({ longMs, shortMs, share, level }) => {
    const [long, short] = [count(longMs), count(shortMs)];
    const threshold = (share * slo.periodDays * DAY_MS) / longMs;
    const [longBurn, shortBurn] = [burnRate(long, slo.objective), burnRate(short, slo.objective)];
    const firing = long.total >= slo.callsMin && longBurn >= threshold && shortBurn >= threshold;
    return { longMs, shortMs, level, longBurn, shortBurn, threshold, firing };
  });
  const firing = windows.find((one) => one.firing)?.level ?? null;
  const allowed = period.total * (1 - slo.objective);
  return {
    at,
    total: period.total,
    bad: period.bad,
    budgetLeft: allowed === 0 ? 1 : 1 - period.bad / allowed,
    windows,
    firing,
    since: firing === null ? null : (slo.state?.since ?? at),
    sample: [...(counts.find(({ sample }) => sample.length > 0)?.sample ?? [])],
  };
}

/** One rule for each promise: its alerts are told apart, and can be kept quiet, by it. */
export function sloRuleId(id: string): string {
  return `cordon.slo.${id}`;
}
