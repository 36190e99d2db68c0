import type { Level } from '../sigma/ast.ts';
import { type Baseline, type HourValue, seasonalBaseline } from './seasonal.ts';

/** An hour of one integration's calls to one app, as the lake gives it. */
export interface EdgeHourFacts {
  readonly appId: string;
  readonly appName: string;
  readonly integrationId: string;
  readonly integrationName: string;
  readonly at: number;
  readonly calls: number;
  readonly refusals: number;
  readonly failures: number;
  readonly responseBytes: number;
  readonly p95: number;
  readonly sample: readonly string[];
}

type Amount = 'calls' | 'refusals' | 'failures' | 'responseBytes' | 'p95';

/** What may be unusual of an hour. `floor`: a rise by less than this is never worth a look. */
export const FEATURES = {
  calls: { amount: 'calls', floor: 200, level: 'medium', says: 'calls' },
  refusals: { amount: 'refusals', floor: 25, level: 'medium', says: 'refusals' },
  failures: { amount: 'failures', floor: 25, level: 'medium', says: 'failures' },
  bytes: { amount: 'responseBytes', floor: 50_000_000, level: 'medium', says: 'bytes read' },
  latency: { amount: 'p95', floor: 500, level: 'low', says: 'ms (95th percentile)' },
} as const satisfies Record<string, { amount: Amount; floor: number; level: Level; says: string }>;
export type MonitorFeature = keyof typeof FEATURES;

/** A percentile of fewer calls is the time of one of them. */
const LATENCY_CALLS_MIN = 20;

export interface Anomaly {
  readonly feature: MonitorFeature;
  readonly level: Level;
  readonly hour: EdgeHourFacts;
  readonly observed: number;
  readonly baseline: Baseline;
  readonly title: string;
}

export function monitorRuleId(feature: MonitorFeature): string {
  return `cordon.monitor.${feature}`;
}

/**
 * The pairs whose current hour is above what is usual for it. A part of an hour is held against whole ones, so a rise
 * is seen as soon as it is one. Pairs that are still learnt give nothing.
 */
export function findAnomalies(hours: readonly EdgeHourFacts[], now: number): Anomaly[] {
  const start = Math.floor(now / 3_600_000) * 3_600_000;
  const edges = Map.groupBy(hours, ({ appId, integrationId }) => `${appId}\0${integrationId}`);
  return [...edges.values()].flatMap((edge) => {
    const hour = edge.find(({ at }) => at === start);
    return hour ? (Object.keys(FEATURES) as MonitorFeature[]).flatMap((one) => judge(one, hour, edge) ?? []) : []; // its own keys
  });
}

function judge(feature: MonitorFeature, hour: EdgeHourFacts, edge: readonly EdgeHourFacts[]): Anomaly | null {
  const { amount, floor, level, says } = FEATURES[feature];
  const isLatency = feature === 'latency';
  if (isLatency && hour.calls < LATENCY_CALLS_MIN) return null;
  const history: HourValue[] = edge
    .filter(({ calls }) => !isLatency || calls >= LATENCY_CALLS_MIN)
    .map((one) => ({ at: one.at, value: one[amount] }));
  const baseline = seasonalBaseline(history, hour.at, { floor, absent: isLatency ? null : 0 });
  if (!baseline || hour[amount] <= baseline.high) return null;
  const observed = Math.round(hour[amount]);
  const title = `${hour.integrationName} to ${hour.appName}: ${observed} ${says} this hour, usually ${Math.round(baseline.usual)}`;
  return { feature, level, hour, observed, baseline, title: title.slice(0, 300) };
}
