import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestLake, sampleCall, type TestLake } from './testing.ts';

/** What the worker labelled as an exercise's counts nowhere; what only says so of itself counts as what it is. */

const HOUR = 3_600_000;
const NOW = Math.floor(Date.now() / HOUR) * HOUR + 30 * 60_000;
const SPAN = { from: NOW - HOUR, to: NOW };
const AGENT = 'cordon-drill/v1.01a209db-743e-7000-a1f8-5ae5721c1801.1.mac';
let one: TestLake;

function call(id: string, userAgent: string, labels?: readonly string[]) {
  const event = sampleCall({ id, time: NOW - 60_000 });
  return {
    ...event,
    metadata: { ...event.metadata, ...(labels && { labels: [...labels] }) },
    http_request: { http_method: 'GET', user_agent: userAgent },
    actor: { ...event.actor, user: { email_addr: `${id}@example.com`, name: id } },
  };
}

beforeAll(async () => {
  one = await createTestLake();
  await one.lake.ingest({
    id: 'calls',
    events: [
      call('real', 'curl/8'),
      call('exercise', AGENT, ['drill:01a209db-743e-7000-a1f8-5ae5721c1801']),
      call('claims', AGENT, ['forged-drill-tag']),
      call('says', AGENT),
    ],
  });
});
afterAll(() => one.close());

test('traffic, monitoring, service levels and use leave it out', async () => {
  const { lake } = one;
  expect((await lake.monitor.rows({ by: ['app'], ...SPAN })).map(({ calls }) => calls)).toEqual([3]);
  expect((await lake.monitor.series({ ...SPAN, stepMs: HOUR })).reduce((sum, { calls }) => sum + calls, 0)).toBe(3);
  expect((await lake.monitor.edgeHours(SPAN)).map(({ calls, sample }) => [calls, sample.includes('exercise')])).toEqual(
    [[3, false]],
  );
  expect((await lake.monitor.budget({ scope: {}, windowsMs: [HOUR], to: NOW })).map(({ total }) => total)).toEqual([3]);
  expect((await lake.traffic({ by: ['app'], ...SPAN })).map(({ calls }) => calls)).toEqual([3]);
  expect((await lake.usage.usage(SPAN)).map(({ allowed }) => allowed)).toEqual([3]);
});

test('nobody gets a habit by it', async () => {
  const { behaviour } = one.lake;
  const until = await behaviour.now();
  const { hours } = await behaviour.changedHours({ since: 0, until }, 0);
  for (const hour of hours) await behaviour.sumHours(hour, hour + HOUR, until);
  const active = await behaviour.activeEntities({
    day: Math.floor(NOW / (24 * HOUR)) * 24 * HOUR,
    since: 0,
    limit: 50,
  });
  const people = active.filter(({ type }) => type === 'person').map(({ id }) => id);
  expect(people.toSorted()).toEqual(['claims@example.com', 'real@example.com', 'says@example.com']);
});

test('a search still finds it', async () => {
  const found = await one.lake.search({ query: 'class:api-activity', ...SPAN, limit: 10 });
  expect(found.events.length).toBe(4);
});
