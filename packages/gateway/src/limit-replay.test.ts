import fc from 'fast-check';
import { type EntryInputOf, limitEntry, type LimitEntry } from '@cordon/policy';
import { sampleEntry } from '@cordon/policy/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type LimitCheck, LocalCounters } from './limit-counters.ts';
import { limitCovers, planLimit } from './limit-plan.ts';
import { createLimitReplay, type ReplayedCall } from './limit-replay.ts';
import { startTestGateway, startUpstream, TEST_TOKEN } from './testing.ts';

const DAY_MS = 86_400_000;
const eventOf = z.object({ time: z.number(), duration: z.number(), api: z.object({ operation: z.string() }) });
const limit = (given: object): LimitEntry =>
  limitEntry.parse({ id: 'l1', name: 'few', countBy: ['integration'], ...given });
const call = (given: Partial<ReplayedCall>): ReplayedCall => ({
  integrationId: 'i1',
  appId: 'a1',
  operationId: 'o1',
  address: '10.0.0.1',
  at: 0,
  durationMs: 10,
  requestBytes: 100,
  responseBytes: 900,
  records: 5,
  ...given,
});
const kinds = (given: object, calls: readonly Partial<ReplayedCall>[]) =>
  calls
    .map(call)
    .map(createLimitReplay([limit(given)]))
    .map((one) => one?.kind ?? null);

test.each<[what: string, limit: object, calls: Partial<ReplayedCall>[], expected: (string | null)[]]>([
  [
    'a rate',
    { rate: { count: 1, periodMs: 1_000, burst: 1 } },
    [{ at: 0 }, { at: 500 }, { at: 1_000 }],
    [null, 'rate', null],
  ],
  [
    'calls in flight',
    { concurrency: 1 },
    [{ at: 0, durationMs: 100 }, { at: 50 }, { at: 100 }],
    [null, 'concurrency', null],
  ],
  [
    'calls of a day, which begins anew at midnight',
    { quota: { callsPerDay: 1 } },
    [{ at: 0 }, { at: 1 }, { at: DAY_MS }],
    [null, 'quota', null],
  ],
  [
    'bytes, once the call that brought them has ended',
    { quota: { bytesPerDay: 1_000 } },
    [{ at: 0, durationMs: 100 }, { at: 50 }, { at: 200 }],
    [null, null, 'quota'],
  ],
  ['records of answers', { quota: { recordsPerDay: 5 } }, [{ at: 0 }, { at: 100 }], [null, 'quota']],
  [
    'another integration’s calls',
    { rate: { count: 1, periodMs: 1_000, burst: 1 } },
    [{}, { integrationId: 'i2' }],
    [null, null],
  ],
  [
    'calls outside of its scope',
    { scope: { operationId: 'o2' }, quota: { callsPerDay: 1 } },
    [{}, { at: 1 }],
    [null, null],
  ],
])('%s', (_, given, calls, expected) => {
  expect(kinds(given, calls)).toEqual(expected);
});

/** What a gateway does: admits or refuses each call as it comes, and ends those that went on, on one clock. */
function enforce(limits: readonly LimitEntry[], calls: readonly ReplayedCall[]): (string | null)[] {
  let now = 0;
  const counters = new LocalCounters({ now: () => now });
  const ends: { at: number; end: () => void }[] = [];
  const settle = (until: number): void => {
    for (;;) {
      const next = ends.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > until) return;
      ends.splice(ends.indexOf(next), 1);
      now = next.at;
      next.end();
    }
  };
  return calls.map((one) => {
    settle(one.at);
    now = one.at;
    const plans = limits.filter((each) => limitCovers(each, one)).flatMap((each) => planLimit(each, one));
    const checks: LimitCheck[] = plans.map(({ check }) => check);
    const place = counters.admit(checks);
    if (place.admission.refused) return place.admission.refused.kind;
    const end = (): void => {
      place.leave();
      for (const { check, sum } of plans) {
        const amount = { both: one.requestBytes + one.responseBytes, out: one.responseBytes, records: one.records }[
          sum
        ];
        if (check.bytesPerDay !== null) counters.addBytes(check.key, amount);
      }
    };
    ends.push({ at: one.at + one.durationMs, end });
    return null;
  });
}

const anyLimit = fc
  .record({
    countBy: fc.subarray(['integration', 'app', 'operation', 'address'] as const),
    scope: fc.record({ integrationId: fc.constantFrom(null, 'i1'), operationId: fc.constantFrom(null, 'o1') }),
    rate: fc.option(
      fc.record({
        count: fc.integer({ min: 1, max: 5 }),
        periodMs: fc.integer({ min: 50, max: 2_000 }),
        burst: fc.integer({ min: 1, max: 5 }),
      }),
    ),
    concurrency: fc.option(fc.integer({ min: 1, max: 3 })),
    quota: fc.option(
      fc.record({
        callsPerDay: fc.option(fc.integer({ min: 1, max: 20 })),
        bytesPerDay: fc.option(fc.integer({ min: 1, max: 5_000 })),
        bytesOutPerDay: fc.option(fc.integer({ min: 1, max: 5_000 })),
        recordsPerDay: fc.option(fc.integer({ min: 1, max: 30 })),
      }),
    ),
  })
  .map((given) => limit(given));
const anyCalls = fc
  .array(
    fc.record({
      integrationId: fc.constantFrom('i1', 'i2'),
      appId: fc.constantFrom('a1', 'a2'),
      operationId: fc.constantFrom('o1', 'o2'),
      address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      at: fc.integer({ min: DAY_MS - 3_000, max: DAY_MS + 3_000 }),
      durationMs: fc.integer({ min: 0, max: 400 }),
      requestBytes: fc.integer({ min: 0, max: 500 }),
      responseBytes: fc.integer({ min: 0, max: 900 }),
      records: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 60 },
  )
  .map((calls) => calls.toSorted((a, b) => a.at - b.at));

test('is what the gateway’s counters do with the same calls, decision by decision', () => {
  fc.assert(
    fc.property(fc.array(anyLimit, { minLength: 1, maxLength: 3 }), anyCalls, (given, calls) => {
      const limits = given.map((one, index) => ({ ...one, id: `l${index}` }));
      const replayed = calls.map(createLimitReplay(limits)).map((one) => one?.kind ?? null);
      expect(replayed).toEqual(enforce(limits, calls));
    }),
    { numRuns: 300 },
  );
});

test('is what a gateway did with its calls, by the events that it recorded', async () => {
  const upstream = await startUpstream((_request, _body, response) => response.end('{}'));
  const limits: Record<string, Partial<EntryInputOf<'limit'>>> = {
    'limit:per-operation': {
      id: 'per-operation',
      name: 'a',
      countBy: ['operation'],
      rate: { count: 3, periodMs: 3_600_000, burst: 3 },
    },
    'limit:per-day': { id: 'per-day', name: 'b', countBy: ['integration'], quota: { callsPerDay: 5 } },
  };
  const entries = Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, sampleEntry('limit', value)]));
  const gw = await startTestGateway({ upstream: upstream.url, entries });
  try {
    const headers = { authorization: `Bearer ${TEST_TOKEN}` };
    const paths = ['/a', '/a', '/b', '/a', '/a', '/b', '/a', '/b', '/b', '/a'];
    const statuses: number[] = [];
    for (const path of paths) {
      const answer = await fetch(`${gw.url}/github${path}`, { headers });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    const rows = (await gw.events()).map((event) => eventOf.parse(event)).toSorted((a, b) => a.time - b.time);
    const replay = createLimitReplay(Object.values(limits).map((one) => limitEntry.parse(one)));
    const replayed = rows.map((event) =>
      replay(
        call({
          integrationId: 'int-1',
          appId: 'app-1',
          operationId: event.api.operation,
          at: event.time,
          durationMs: event.duration,
        }),
      ),
    );
    expect(replayed.map((one) => (one === null ? 200 : 429))).toEqual(statuses);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(3);
  } finally {
    await gw.stop();
    await upstream.close();
  }
});
