import type { Clock, Logger } from '@cordon/kernel';
import { CALL_BOUNDS_S, type CallMetrics, type CallSeries } from './call-metrics.ts';
import { repeat } from './repeating.ts';

const EVERY_MS = 15_000;
const ANSWER_MS_MAX = 10_000;
/** opentelemetry.proto.metrics.v1.AggregationTemporality. */
const CUMULATIVE = 2;

const nanos = (ms: number): string => `${Math.trunc(ms)}000000`;
const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/**
 * OTLP/JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): 64-bit integers as decimal text, enums as
 * numbers. All sums are cumulative since `startAt`, so a request that is lost costs nothing but its moment.
 */
export function otlpMetrics(series: readonly CallSeries[], { startAt, at }: { startAt: number; at: number }) {
  const times = { startTimeUnixNano: nanos(startAt), timeUnixNano: nanos(at) };
  const attributes = ({ labels }: CallSeries) =>
    Object.entries(labels).map(([name, value]) => attribute(`cordon.${name}`, value));
  const sum = (name: string, unit: string, value: (one: CallSeries) => number) => ({
    name,
    unit,
    sum: {
      aggregationTemporality: CUMULATIVE,
      isMonotonic: true,
      dataPoints: series.map((one) => ({
        ...times,
        attributes: attributes(one),
        asInt: String(Math.trunc(value(one))),
      })),
    },
  });
  const durations = {
    name: 'cordon.api.call.duration',
    unit: 's',
    histogram: {
      aggregationTemporality: CUMULATIVE,
      dataPoints: series.map((one) => {
        const inside = one.buckets.reduce((total, count) => total + count, 0);
        return {
          ...times,
          attributes: attributes(one),
          count: String(one.calls),
          sum: one.seconds,
          explicitBounds: [...CALL_BOUNDS_S],
          bucketCounts: [...one.buckets, one.calls - inside].map(String),
        };
      }),
    },
  };
  return {
    resourceMetrics: [
      {
        resource: { attributes: [attribute('service.name', 'cordon'), attribute('service.namespace', 'worker')] },
        scopeMetrics: [
          {
            scope: { name: 'cordon.api' },
            metrics: [
              sum('cordon.api.calls', '{call}', ({ calls }) => calls),
              sum('cordon.api.request.size', 'By', ({ requestBytes }) => requestBytes),
              sum('cordon.api.response.size', 'By', ({ responseBytes }) => responseBytes),
              sum('cordon.api.records', '{record}', ({ records }) => records),
              durations,
            ],
          },
        ],
      },
    ],
  };
}

/** Sends the sums of calls to a collector while there are any; the address is the installation's own setting. */
export function startOtlpMetrics(deps: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: CallMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  const startAt = deps.clock.now();
  const endpoint = `${deps.url.replace(/\/+$/, '')}/v1/metrics`;
  return repeat('OpenTelemetry', EVERY_MS, deps.logger, async () => {
    const series = deps.calls.series();
    if (series.length === 0) return;
    const answer = await fetch(endpoint, {
      method: 'POST',
      redirect: 'error',
      headers: { ...deps.headers, 'content-type': 'application/json' },
      body: JSON.stringify(otlpMetrics(series, { startAt, at: deps.clock.now() })),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`The collector answered ${answer.status}.`);
  });
}
