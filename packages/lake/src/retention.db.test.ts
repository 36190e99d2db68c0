import { uuidv7 } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleCall } from './event-sample.ts';
import { createTestLake, type TestLake } from './lake-fixture.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const DAY_MS = 86_400_000;
let test1: TestLake;

beforeAll(async () => {
  test1 = await createTestLake({ clock: { now: () => NOW } });
});
afterAll(() => test1.close());

test('whole days before the moment go, the day itself and what came after stay', async () => {
  const times = [NOW - 10 * DAY_MS, NOW - 3 * DAY_MS, NOW - 3 * DAY_MS + 1, NOW - 2 * DAY_MS, NOW];
  const events = times.map((time) => sampleCall({ time, id: uuidv7(time) }));
  await test1.lake.ingest({ id: 'retention', events });
  const dropped = await test1.lake.dropDaysBefore(NOW - 2 * DAY_MS);
  expect(dropped).toEqual([
    { day: '20260605', events: 1 },
    { day: '20260612', events: 2 },
  ]);
  expect(await test1.lake.count({ from: 0, to: NOW + DAY_MS })).toBe(2);
  expect(await test1.lake.dropDaysBefore(NOW - 2 * DAY_MS)).toEqual([]);
});
