import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestLake, sampleCall, type TestLake } from './testing.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22, 12);
let test_: TestLake;

/** Three a day over ten days: two of GitHub, one of Slack. */
beforeAll(async () => {
  test_ = await createTestLake();
  const events = Array.from({ length: 30 }, (_, index) =>
    sampleCall({
      id: `01930000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      time: NOW - Math.floor(index / 3) * DAY - (index % 3) * 60_000,
      app: index % 3 === 0 ? { id: 'app-slack', name: 'Slack' } : { id: 'app-github', name: 'GitHub' },
    }),
  );
  await test_.lake.ingest({ id: 'b', events });
}, 60_000);
afterAll(() => test_.close());

const count = (query: string): Promise<number> => test_.lake.count({ query, from: 0, to: NOW + DAY });
const sum = (days: readonly { events: number; held: number }[]) => [
  days.reduce((all, one) => all + one.events, 0),
  days.reduce((all, one) => all + one.held, 0),
];

test('a dry run says what would go and what is held, and deletes nothing', async () => {
  const { expiry } = test_.lake;
  const holds = [{ query: 'app:slack', from: NOW - 8 * DAY - 1 }];
  expect(sum(await expiry.preview({ query: '', before: NOW - 5 * DAY - 3_600_000 }, holds))).toEqual([9, 3]);
  expect(await count('')).toBe(30);
});

test('a rule for one app takes that and leaves what is held', async () => {
  const { expiry } = test_.lake;
  const rule = { query: 'app:slack', before: NOW - 6 * DAY - 3_600_000 };
  const gone = await expiry.delete(rule, [{ query: 'app:slack', to: NOW - 8 * DAY - 3_600_000 }]);
  expect(sum(gone)).toEqual([2, 0]);
  expect(await count('app:slack')).toBe(8);
  expect(await count('app:github')).toBe(20);
  // Again: nothing is left to do.
  expect(await expiry.delete(rule, [{ query: 'app:slack' }])).toEqual([]);
});

test('age takes whole days; a hold wins over it', async () => {
  const { expiry } = test_.lake;
  const before = NOW - 5 * DAY - 3_600_000;
  await expiry.delete({ query: '', before }, [
    { query: 'app:github', from: NOW - 9 * DAY - 120_000, to: NOW - 9 * DAY },
  ]);
  // The ninth day's two of GitHub are held; the days between are gone.
  expect(await count('')).toBe(18 + 2);
  expect(await count('app:github time<2026-11-14')).toBe(2);
});

test('size names the moment before which days have to go, and never today', async () => {
  const { expiry } = test_.lake;
  expect(await expiry.momentToFit(1_000_000_000, NOW)).toBeNull();
  expect(await expiry.momentToFit(1, NOW)).toBe(Date.UTC(2026, 10, 22));
});

test('no text of a rule or hold is SQL', async () => {
  const { expiry } = test_.lake;
  const hostile = `"') OR 1=1 --"`;
  expect(await expiry.delete({ query: hostile, before: NOW + DAY }, [])).toEqual([]);
  expect(await count('')).toBe(20);
});
