import { describe, expect, test } from 'vitest';
import { type EdgeHourFacts, findAnomalies } from './anomaly.ts';
import { type HourValue, seasonalBaseline } from './seasonal.ts';
import { BURN_WINDOWS, burnRate, type Count, evaluateSlo, sloInput, WINDOWS_MS } from './slo.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 18, 14, 20); // a Wednesday

describe('SLO', () => {
  const slo = { objective: 0.999, periodDays: 30, callsMin: 20, state: null };
  const period = { windowMs: 30 * DAY, total: 100_000, bad: 50 };
  const counts = (badShare: (windowMs: number) => number, total = 1_000): Count[] =>
    WINDOWS_MS.map((windowMs) => ({ windowMs, total, bad: Math.round(total * badShare(windowMs)), sample: ['e'] }));
  const judged = (given: Count[]) => evaluateSlo(slo, { period, counts: given, at: NOW });

  test("thresholds are the workbook's for thirty days", () => {
    expect(judged([]).windows.map(({ threshold }) => Math.round(threshold * 10) / 10)).toEqual([14.4, 6, 3, 1]);
    expect(BURN_WINDOWS.every(({ longMs, shortMs }) => longMs / shortMs === 12)).toBe(true);
  });

  test.each([
    ['nothing bad', () => 0, null],
    ['all bad everywhere', () => 1, 'high'],
    ['a spike that ended: the short window is clean', (ms: number) => (ms === HOUR ? 0.02 : 0), null],
    ['a burst too short for the long window', (ms: number) => (ms <= 5 * 60_000 ? 0.5 : 0), null],
    ['a slow leak', () => 0.0015, 'low'],
    ['a steady burn at four times', () => 0.004, 'medium'],
  ])('%s', (_what, share, level) => {
    expect(judged(counts(share)).firing).toBe(level);
  });

  test('few calls say nothing', () => {
    expect(judged(counts(() => 1, 19)).firing).toBeNull();
  });

  test('budget left, and overdrawn', () => {
    expect(judged([]).budgetLeft).toBeCloseTo(0.5);
    const over = evaluateSlo(slo, { period: { ...period, bad: 200 }, counts: [], at: NOW });
    expect(over.budgetLeft).toBeCloseTo(-1);
    expect(burnRate({ total: 0, bad: 0 }, 0.99)).toBe(0);
  });

  test('it remembers since when it fires', () => {
    const first = judged(counts(() => 1));
    const again = evaluateSlo({ ...slo, state: first }, { period, counts: counts(() => 1), at: NOW + 1_000 });
    expect([first.since, again.since]).toEqual([NOW, NOW]);
    const ended = evaluateSlo({ ...slo, state: again }, { period, counts: counts(() => 0), at: NOW + 2_000 });
    expect(ended.since).toBeNull();
  });

  test.each([
    [{ kind: 'latency' }, false],
    [{ kind: 'latency', latencyMs: 300 }, true],
    [{ kind: 'availability', latencyMs: 300 }, false],
    [{ objective: 0.5 }, false],
  ])('input %j is valid: %s', (over, valid) => {
    const input = { name: 'notes', kind: 'availability', appId: 'a', objective: 0.999, ...over };
    expect(sloInput.safeParse(input).success).toBe(valid);
  });
});

describe('seasonal baseline', () => {
  const hour = Math.floor(NOW / HOUR) * HOUR;
  const weeks = (value: (week: number) => number, count: number): HourValue[] =>
    Array.from({ length: count }, (_, at) => ({ at: hour - (at + 1) * 7 * DAY, value: value(at) }));

  test('the same hour of the week, and one odd week changes nothing', () => {
    const found = seasonalBaseline(
      weeks((week) => (week === 1 ? 90_000 : 100 + week), 5),
      NOW,
      { floor: 10 },
    );
    expect(found).toMatchObject({ season: 'hour-of-week', samples: 5 });
    expect(found?.usual).toBeLessThan(110);
    expect(found?.high).toBeLessThan(300);
  });

  test('before three weeks, the same hour of days of the same kind', () => {
    const days = Array.from({ length: 12 }, (_, at) => hour - (at + 1) * DAY).map((at) => ({
      at,
      value: [0, 6].includes(new Date(at).getUTCDay()) ? 5 : 100,
    }));
    expect(seasonalBaseline(days, NOW, { floor: 10 })).toMatchObject({ season: 'hour-of-day', usual: 100, samples: 8 });
  });

  test.each([
    ['no history', [], null],
    [
      'two days',
      [
        { at: hour - DAY, value: 3 },
        { at: hour - 2 * DAY, value: 3 },
      ],
      null,
    ],
  ])('%s is still learnt', (_what, history, expected) => {
    expect(seasonalBaseline(history, NOW, { floor: 10 })).toBe(expected);
  });

  test('an hour without calls counts as none, unless it is left out', () => {
    const history = [{ at: hour - 28 * DAY, value: 40 }];
    expect(seasonalBaseline(history, NOW, { floor: 10 })?.usual).toBe(0);
    expect(seasonalBaseline(history, NOW, { floor: 10, absent: null })).toBeNull();
  });
});

describe('anomalies', () => {
  const hour = Math.floor(NOW / HOUR) * HOUR;
  const facts = (at: number, over: Partial<EdgeHourFacts> = {}): EdgeHourFacts => ({
    appId: 'a',
    appName: 'Notes',
    integrationId: 'i',
    integrationName: 'sync',
    at,
    calls: 300,
    refusals: 0,
    failures: 1,
    responseBytes: 1_000_000,
    p95: 80,
    sample: ['e1'],
    ...over,
  });
  const history = Array.from({ length: 28 }, (_, day) => facts(hour - (day + 1) * DAY));

  test.each([
    ['an ordinary hour', {}, []],
    ['a spike', { calls: 2_000 }, ['calls']],
    ['refusals', { refusals: 60 }, ['refusals']],
    ['failures and time', { failures: 90, p95: 4_000 }, ['failures', 'latency']],
    ['a mass read', { responseBytes: 400_000_000 }, ['bytes']],
    ['slow, but of too few calls', { calls: 5, p95: 4_000 }, []],
    ['less than the floor', { refusals: 20 }, []],
  ])('%s', (_what, over, features) => {
    expect(findAnomalies([...history, facts(hour, over)], NOW).map(({ feature }) => feature)).toEqual(features);
  });

  test('a new pair is learnt first, and says what is usual afterwards', () => {
    expect(findAnomalies([facts(hour, { calls: 9_000 })], NOW)).toEqual([]);
    const [found] = findAnomalies([...history, facts(hour, { calls: 2_000 })], NOW);
    expect(found?.title).toBe('sync to Notes: 2000 calls this hour, usually 300');
  });
});
