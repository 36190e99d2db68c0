import { sampleCall } from '@cordon/lake/testing';
import { expect, test } from 'vitest';
import { createCallMetrics } from './call-metrics.ts';
import { otlpMetrics } from './otlp-metrics.ts';

const call = (id: string, over: Parameters<typeof sampleCall>[0] = {}) => sampleCall({ id, ...over });
const events = [
  call('a', { durationMs: 30, records: 5 }),
  call('b', { durationMs: 60_000 }),
  call('c', { response: { status: 503, bytes: 7 } }),
  call('d', { decision: 'deny', reason: 'gateway.operation_not_granted' }),
  call('known'),
  { ...call('vendor'), unmapped: {} },
];

test('each call of a gateway counts once, by what became of it', () => {
  const calls = createCallMetrics();
  calls.count(events, new Set(['known']));
  expect(calls.series().map(({ labels, calls: count }) => [labels.outcome, count])).toEqual([
    ['ok', 2],
    ['failed', 1],
    ['refused', 1],
  ]);
  const text = calls.text();
  const labels = 'app="GitHub",integration="Invoice sync",operation="repos/get",outcome="ok"';
  expect(text).toContain(`cordon_api_calls_total{${labels}} 2`);
  expect(text).toContain(`cordon_api_records_total{${labels}} 5`);
  expect(text).toContain(`cordon_api_call_seconds_bucket{${labels},le="0.05"} 1`);
  expect(text).toContain(`cordon_api_call_seconds_bucket{${labels},le="30"} 1`);
  expect(text).toContain(`cordon_api_call_seconds_bucket{${labels},le="+Inf"} 2`);
});

test('OTLP: cumulative sums, 64-bit numbers as text, one bucket more than bounds', () => {
  const calls = createCallMetrics();
  calls.count(events, new Set());
  const { metrics } = otlpMetrics(calls.series(), { startAt: 1_000, at: 2_000 }).resourceMetrics[0]
    ?.scopeMetrics[0] ?? { metrics: [] };
  expect(metrics.map(({ name }) => name)).toContain('cordon.api.calls');
  expect(metrics[0]).toMatchObject({
    sum: {
      isMonotonic: true,
      aggregationTemporality: 2,
      dataPoints: [{ asInt: '3', timeUnixNano: '2000000000' }, {}, {}],
    },
  });
  const histogram = metrics.at(-1);
  const points = histogram && 'histogram' in histogram ? histogram.histogram.dataPoints : [];
  expect(points[0]?.bucketCounts).toHaveLength((points[0]?.explicitBounds.length ?? 0) + 1);
  expect(points[0]?.bucketCounts.at(-1)).toBe('1');
});
