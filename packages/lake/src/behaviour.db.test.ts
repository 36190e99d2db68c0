import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestLake, sampleCall, type TestLake } from './testing.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Math.floor(Date.now() / DAY) * DAY;
let test1: TestLake;

const call = (id: string, time: number, over: Record<string, unknown> = {}) => ({
  ...sampleCall({ id, time }),
  actor: { user: { email_addr: 'Ada@example.com', name: 'Ada' } },
  http_request: { http_method: 'GET', user_agent: 'curl/8.1' },
  src_endpoint: { ip: '198.51.100.7' },
  ...over,
});

beforeAll(async () => {
  test1 = await createTestLake();
});
afterAll(() => test1.close());

async function sum(): Promise<number> {
  const { behaviour } = test1.lake;
  const until = await behaviour.now();
  const { hours } = await behaviour.changedHours({ since: 0, until }, 0);
  for (const hour of hours) await behaviour.sumHours(hour, hour + HOUR, until);
  return hours.length;
}

test('hours are summed up, and again without counting twice', async () => {
  const events = [
    call('a', TODAY - DAY + HOUR),
    call('b', TODAY - DAY + HOUR + 5),
    call('c', TODAY + HOUR, { src_endpoint: { ip: '203.0.113.9' } }),
  ];
  await test1.lake.ingest({ id: 'one', events });
  expect(await sum()).toBe(2);
  await sum();
  const { behaviour } = test1.lake;
  const active = await behaviour.activeEntities({ day: TODAY, since: 0, limit: 50 });
  const ada = active.find(({ type }) => type === 'person');
  expect(ada).toMatchObject({ id: 'ada@example.com', name: 'Ada' });
  const [facts] = await behaviour.facts({ entities: ada ? [ada] : [], day: TODAY, historyDays: 28, relearn: [] });
  expect(facts?.days.map(({ events: count }) => count)).toEqual([2, 1]);
  expect(facts?.fresh).toMatchObject([{ facet: 'network', value: '203.0.113.0/24', sample: ['c'], seenBy: [] }]);
  expect(facts?.firstAt).toBe(TODAY - DAY);
  const norms = await behaviour.norms({ day: TODAY, historyDays: 28, limit: 100 });
  expect(norms.find(({ type }) => type === 'person')).toMatchObject({ activeDays: 1 });
  expect((await behaviour.work({ day: TODAY, historyDays: 28, limit: 100 })).length).toBeGreaterThan(0);
});

test('late events change the hour that they fall into, and what was new is new no longer', async () => {
  await test1.lake.ingest({
    id: 'late',
    events: [call('d', TODAY - DAY + 2 * HOUR, { src_endpoint: { ip: '203.0.113.80' } })],
  });
  await sum();
  const { behaviour } = test1.lake;
  const ada = { type: 'person', id: 'ada@example.com', name: 'Ada' } as const;
  const [facts] = await behaviour.facts({ entities: [ada], day: TODAY, historyDays: 28, relearn: [] });
  expect(facts?.days.map(({ events }) => events)).toEqual([3, 1]);
  expect(facts?.fresh).toEqual([]);
  const relearn = ['person\0ada@example.com\0network\x00203.0.113.0/24'];
  const [again] = await behaviour.facts({ entities: [ada], day: TODAY, historyDays: 28, relearn });
  expect(again?.fresh).toMatchObject([{ facet: 'network', value: '203.0.113.0/24' }]);
});
