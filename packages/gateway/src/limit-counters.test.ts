import { createFakeClock } from '@cordon/kernel/testing';
import { expect, test } from 'vitest';
import { encodeMessage, parseMessage, type CounterMessage } from './counter-message.ts';
import { type LimitCheck, LocalCounters } from './limit-counters.ts';

const none = { rate: null, concurrency: null, callsPerDay: null, bytesPerDay: null };
const rated = (key: string, count: number): LimitCheck => ({
  ...none,
  key,
  rate: { count, periodMs: 60_000, burst: count },
});

test('a call takes from all limits or from none', () => {
  const counters = new LocalCounters(createFakeClock(0));
  const checks = [rated('wide', 10), rated('narrow', 2)];
  expect([1, 2, 3, 4].map(() => counters.admit(checks).admission.refused)).toEqual([
    undefined,
    undefined,
    { index: 1, kind: 'rate' },
    { index: 1, kind: 'rate' },
  ]);
  expect(counters.admit([rated('wide', 10)]).admission.verdicts[0]?.remaining).toBe(7);
});

test('places come back, quotas begin again with the day', () => {
  const clock = createFakeClock(86_400_000 * 3 - 1_000);
  const counters = new LocalCounters(clock);
  const place = counters.admit([{ ...none, key: 'p', concurrency: 1 }]);
  expect(counters.admit([{ ...none, key: 'p', concurrency: 1 }]).admission.refused?.kind).toBe('concurrency');
  place.leave();
  expect(counters.admit([{ ...none, key: 'p', concurrency: 1 }]).admission.refused).toBeUndefined();
  const daily = [{ ...none, key: 'q', callsPerDay: 1, bytesPerDay: 100 }];
  expect(counters.admit(daily).admission.refused).toBeUndefined();
  expect(counters.admit(daily).admission.refused?.kind).toBe('quota');
  clock.advance(1_000);
  counters.addBytes('q', 100);
  expect(counters.admit(daily).admission.refused?.kind).toBe('quota');
  clock.advance(86_400_000);
  expect(counters.admit(daily).admission.refused).toBeUndefined();
});

test('another process goes on from the states it was told, whatever its clock says', () => {
  const first = new LocalCounters(createFakeClock(1_000));
  const second = new LocalCounters(createFakeClock(9_000_000));
  const checks = [{ ...rated('k', 3), callsPerDay: 10 }];
  for (let call = 0; call < 3; call++) first.admit(checks);
  for (const state of first.states()) second.learn(state);
  expect(second.admit(checks).admission.refused).toEqual({ index: 0, kind: 'rate' });
  expect(second.state('k')).toEqual({ key: 'k', resetMs: 60_000, calls: 3, bytes: 0 });
  // An older state takes nothing back.
  second.learn({ key: 'k', resetMs: 1, calls: 1, bytes: 0 });
  expect(second.state('k').calls).toBe(3);
});

const verdict = { allowed: false, remaining: 0, retryAfterMs: 12, resetMs: 34 };
test.each<CounterMessage>([
  { what: 'admit', id: 1, checks: [rated('a"\n', 3), { ...none, key: 'b', concurrency: 2, callsPerDay: 5 }] },
  { what: 'hold', id: 2, checks: [{ ...none, key: 'b', bytesPerDay: 7 }] },
  { what: 'leave', id: 3 },
  { what: 'peers', count: 2 },
  { what: 'bytes', key: 'b', bytes: 12 },
  { what: 'states', day: 9, states: [{ key: 'k', resetMs: 1.5, calls: 2, bytes: 3 }] },
  {
    what: 'verdict',
    id: 4,
    admission: { refused: { index: 0, kind: 'quota' }, verdicts: [verdict, undefined] },
    states: [{ resetMs: 1, calls: 2, bytes: 3 }],
  },
])('a message survives its line: $what', (message) => {
  const line = encodeMessage(message);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(parseMessage(line)).toEqual(message);
});

test.each([
  '',
  '{}',
  '[]',
  '["x",1]',
  '["a",-1,[]]',
  '["a",1,[["k"]]]',
  '["v",1,[0,9],[],[]]',
  '["b","k",null]',
  '["l"]',
])('what is no message is refused: %s', (line) => {
  expect(() => parseMessage(line)).toThrow(Error);
});
