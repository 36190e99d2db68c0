import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestLake, sampleCall, type TestLake } from './testing.ts';

const HOUR = 3_600_000;
const NOW = Math.floor(Date.now() / HOUR) * HOUR + 30 * 60_000;
const APP = '019b0000-0000-7000-8000-00000000b001';
let one: TestLake;

const call = (id: string, at: number, over: Parameters<typeof sampleCall>[0] = {}) =>
  sampleCall({ id, time: at, ...over });

beforeAll(async () => {
  one = await createTestLake();
  await one.lake.ingest({
    id: 'calls',
    events: [
      ...Array.from({ length: 8 }, (_, at) =>
        call(`ok-${at}`, NOW - 60_000 + at, { durationMs: 10 * (at + 1), records: 3 }),
      ),
      call('slow', NOW - 50_000, { durationMs: 900 }),
      call('broken', NOW - 40_000, { response: { status: 503, bytes: 10 } }),
      call('missing', NOW - 40_000, { response: { status: 404, bytes: 10 }, operation: 'repos/other' }),
      call('away', NOW - 30_000, { decision: 'error', reason: 'gateway.upstream_unreachable' }),
      call('refused', NOW - 20_000, { decision: 'deny', reason: 'gateway.operation_not_granted' }),
      call('old', NOW - 2 * HOUR, { response: { status: 500, bytes: 10 } }),
      call('yesterday', NOW - 24 * HOUR, {}),
      // A vendor's own record of a call is not a call through a gateway.
      { ...call('vendor', NOW - 10_000), unmapped: {} },
    ],
  });
});
afterAll(() => one.close());

test('rows tell refusals, failures and client errors apart, and count records', async () => {
  const [row] = await one.lake.monitor.rows({ by: ['app'], from: NOW - HOUR, to: NOW });
  expect(row).toMatchObject({
    key: [{ id: APP, name: 'GitHub' }],
    calls: 13,
    refusals: 1,
    failures: 2,
    clientErrors: 1,
    records: 24,
  });
  expect(row?.p99).toBeGreaterThan(row?.p50 ?? 0);
});

test.each([
  [['operation'], ['repos/get', 'repos/other']],
  [['reason'], ['', 'gateway.operation_not_granted', 'gateway.upstream_unreachable']],
] as const)('rows by %s', async (by, keys) => {
  const rows = await one.lake.monitor.rows({ by, from: NOW - HOUR, to: NOW });
  expect(new Set(rows.map(({ key }) => key[0]?.id))).toEqual(new Set(keys));
});

test('a series has a bucket for each step in which something happened', async () => {
  const series = await one.lake.monitor.series({ from: NOW - 3 * HOUR, to: NOW, stepMs: HOUR });
  expect(series.map(({ calls, failures }) => [calls, failures])).toEqual([
    [1, 1],
    [13, 2],
  ]);
});

test('a budget counts windows that end together; refusals are no calls that the app served', async () => {
  const windowsMs = [5 * 60_000, 3 * HOUR];
  const scope = { filters: [{ field: 'app', operator: '=', value: APP }] } as const;
  const budget = await one.lake.monitor.budget({ scope, windowsMs, to: NOW });
  expect(budget).toMatchObject([
    { total: 12, bad: 2, sample: expect.arrayContaining(['broken', 'away']) },
    { total: 13, bad: 3 },
  ]);
  const slow = await one.lake.monitor.budget({ scope: {}, windowsMs, to: NOW, latencyMs: 500 });
  expect(slow[0]).toMatchObject({ total: 11, bad: 1, sample: ['slow'] });
});

test('hours of pairs are those of the same hour of the day', async () => {
  const hours = await one.lake.monitor.edgeHours({ from: NOW - 48 * HOUR, to: NOW });
  expect(hours.map(({ calls, failures, refusals }) => [calls, failures, refusals])).toEqual([
    [1, 0, 0],
    [13, 2, 1],
  ]);
  expect(hours[1]?.sample.slice(0, 3).toSorted()).toEqual(['away', 'broken', 'refused']);
});

test('a hunt counts all hits by day and gives the newest', async () => {
  const found = await one.lake.hunt.run({
    where: 'http_status >= {p0:Float64}',
    params: { p0: 500 },
    from: NOW - 48 * HOUR,
    to: NOW,
    limit: 1,
  });
  expect(found.days.reduce((sum, { hits }) => sum + hits, 0)).toBe(2);
  expect(found.hits.map(({ id }) => id)).toEqual(['broken']);
});
