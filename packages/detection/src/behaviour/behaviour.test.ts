import { describe, expect, test } from 'vitest';
import { behaviourKey, DAY_MS, type DaySum, type Facts, type Feedback } from './behaviour.ts';
import { entityQuery } from './behaviour-query.ts';
import type { ScoreContext } from './candidate.ts';
import { findPeers } from './peers.ts';
import { runningScore, scoreDay } from './score.ts';
import { atLeast, median, upperTail } from './statistics.ts';

/** A Monday. */
const DAY = Date.UTC(2026, 10, 23);

const sum = (day: number, over: Partial<DaySum> = {}): DaySum => ({
  day,
  events: 40,
  failures: 1,
  requestBytes: 0,
  responseBytes: 1_000_000,
  operations: 4,
  resources: 20,
  actors: 1,
  ...over,
});

const past = Array.from({ length: 40 }, (_, index) => DAY - (40 - index) * DAY_MS).filter(
  (day) => ![0, 6].includes(new Date(day).getUTCDay()),
);
const slots = Object.fromEntries(
  [0, 1, 2, 3, 4].flatMap((day) => [9, 10, 11, 14, 15].map((hour) => [day * 24 + hour, 5])),
);

function facts(over: Partial<Facts> = {}, today: Partial<DaySum> = {}): Facts {
  return {
    type: 'person',
    id: 'ada@example.com',
    name: 'Ada',
    firstAt: DAY - 40 * DAY_MS,
    days: [...past.map((day) => sum(day)), sum(DAY, today)],
    slots,
    hours: [DAY + 10 * 3_600_000],
    fresh: [],
    novelty: [],
    sample: ['e1'],
    ...over,
  };
}

const context = (over: Partial<ScoreContext> = {}): ScoreContext => ({
  day: DAY,
  peerNorms: [],
  peerIds: new Set(),
  population: 100,
  noveltyRates: new Map(),
  feedback: [],
  ...over,
});

const feedback = (over: Partial<Feedback>): Feedback => ({
  id: 'f1',
  entityKey: 'person:ada@example.com',
  feature: 'bytes',
  value: null,
  verdict: 'expected',
  observed: 500_000_000,
  day: DAY,
  reason: 'year end',
  expiresAt: DAY + DAY_MS,
  createdAt: DAY,
  createdBy: 'Bob',
  ...over,
});

const network = (seenBy: string[] = []) => ({
  facet: 'network' as const,
  value: '203.0.113.0/24',
  events: 3,
  firstAt: DAY,
  sample: ['e9'],
  seenBy,
});

describe('a day is judged', () => {
  test('a day like the others scores nothing', () => {
    expect(scoreDay(facts(), context())).toEqual({ state: 'known', score: 0, terms: [] });
  });

  test.each([
    ['bytes', facts({}, { responseBytes: 500_000_000 })],
    ['failures', facts({}, { failures: 60 })],
    ['events', facts({}, { events: 900 })],
    ['hour', facts({ hours: [DAY + 3 * 3_600_000] })],
    ['new-network', facts({ fresh: [network()] })],
    ['dormant', facts({ days: [...past.slice(0, 12).map((day) => sum(day)), sum(DAY)] })],
  ])('%s that is unusual is the first term, with its baseline and events', (feature, unusual) => {
    const { score, terms } = scoreDay(unusual, context());
    expect(terms[0]).toMatchObject({ feature, from: DAY, to: DAY + DAY_MS });
    expect(terms[0]?.eventIds.length).toBeGreaterThan(0);
    expect(terms[0]?.query).toContain('actor.email:"ada@example.com"');
    expect(score).toBeCloseTo(terms.reduce((total, { contribution }) => total + contribution, 0));
  });

  test('what peers or everybody are seen with is less strange', () => {
    const scoreOf = (seenBy: string[], peerIds: string[]) =>
      scoreDay(facts({ fresh: [network(seenBy)] }), context({ peerIds: new Set(peerIds) })).score;
    const alone = scoreOf([], ['p1', 'p2', 'p3']);
    expect(scoreOf(['p1'], ['p1', 'p2', 'p3'])).toBeLessThan(alone);
    expect(
      scoreOf(
        Array.from({ length: 90 }, (_, at) => `x${at}`),
        [],
      ),
    ).toBeLessThan(alone);
  });

  test('without enough history it is learning, and borrows from its peers', () => {
    const peer = {
      type: 'person' as const,
      id: 'p',
      activeDays: 30,
      events: Math.log1p(900),
      failures: Math.log1p(1),
      responseBytes: Math.log1p(1_000_000),
      resources: Math.log1p(20),
    };
    const young = facts({ firstAt: DAY - 3 * DAY_MS, days: [sum(DAY - DAY_MS), sum(DAY, { events: 900 })] });
    const alone = scoreDay(young, context());
    const among = scoreDay(young, context({ peerNorms: [peer] }));
    expect([alone.state, among.state]).toEqual(['learning', 'learning']);
    expect(among.score).toBeLessThan(alone.score);
  });

  test('what was expected is usual, and says by whose word', () => {
    const busy = facts({}, { responseBytes: 500_000_000 });
    const before = scoreDay(busy, context());
    const after = scoreDay(busy, context({ feedback: [feedback({})] }));
    expect(before.terms[0]?.feature).toBe('bytes');
    expect(after.score).toBeLessThan(before.score);
    const more = scoreDay(facts({}, { responseBytes: 90_000_000_000 }), context({ feedback: [feedback({})] }));
    expect(more.terms[0]).toMatchObject({ feature: 'bytes', feedback: 'f1' });
    expect(more.terms[0]?.baseline.usual).toBeCloseTo(500_000_000, -3);
    const known = feedback({ feature: 'new-network', value: '203.0.113.0/24' });
    expect(scoreDay(facts({ fresh: [network()] }), context({ feedback: [known] })).terms).toEqual([]);
  });

  test('a day that was not expected does not become the baseline', () => {
    const days = [...past.slice(0, 3).map((day) => sum(day, { events: 3_000 })), sum(DAY, { events: 3_000 })];
    const learnt = scoreDay(facts({ days }), context());
    const wrong = past.slice(0, 2).map((day) => feedback({ verdict: 'not-expected', feature: 'events', day }));
    const kept = scoreDay(
      facts({ days: [...past.slice(3).map((day) => sum(day)), ...days] }),
      context({ feedback: wrong }),
    );
    expect(learnt.terms.map(({ feature }) => feature)).not.toContain('events');
    expect(kept.terms.map(({ feature }) => feature)).toContain('events');
  });
});

test('a score halves in three days and is scaled by criticality', () => {
  const days = [{ day: DAY, score: 8 }];
  expect(runningScore(days, DAY + DAY_MS, 1)).toBe(8);
  expect(runningScore(days, DAY + 4 * DAY_MS, 2)).toBe(8);
});

test('peers are those that do the same, not those that do what all do', () => {
  const kind = (id: string, ...words: string[]) => ({
    type: 'person',
    id,
    work: words.map((word) => [word, 10] as const),
  });
  const peers = findPeers([
    kind('a', 'op:all', 'op:push', 'op:review'),
    kind('b', 'op:all', 'op:push', 'op:review'),
    kind('c', 'op:all', 'op:invoice', 'op:ledger'),
  ]);
  expect(peers.get('person\0a')?.map(({ id }) => id)).toEqual(['b']);
});

test.each([
  [[], 0],
  [[3], 3],
  [[4, 1], 2.5],
  [[9, 1, 5], 5],
])('the middle of %j is %d', (values, middle) => expect(median(values)).toBe(middle));

test('tails: the middle is a half, more is rarer, counts below nothing are certain', () => {
  expect(upperTail(0)).toBeCloseTo(0.5);
  // Student's t, 4 degrees of freedom, one-sided 5%.
  expect(upperTail(2.132)).toBeCloseTo(0.05, 3);
  expect(atLeast(0, 1)).toBe(1);
  expect(atLeast(1, 1)).toBeCloseTo(1 - Math.exp(-1));
  expect(atLeast(1.5, 1)).toBeLessThan(atLeast(1, 1));
});

test.each([
  ['person', 'ada@example.com', 'actor.email:"ada@example.com"'],
  ['account', 'okta:svc1', 'product:"okta" actor.id:"svc1"'],
  ['edge', 'i1>a1', 'integration:"i1" app:"a1"'],
  ['network', '203.0.113.0/24', 'src_ip:203.0.113.0/24'],
  ['resource', 'box:file:f 1', 'target:"f 1"'],
])('%s %s is searched by %s', (type, id, query) => expect(entityQuery({ type, id })).toBe(query));

test('keys do not mind capitals', () => {
  expect(behaviourKey({ type: 'person', id: 'Ada@Example.com' })).toBe('person:ada@example.com');
});
