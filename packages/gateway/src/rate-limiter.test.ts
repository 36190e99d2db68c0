import { createFakeClock } from '@cordon/kernel/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConcurrencyLimiter, RateLimiter } from './rate-limiter.ts';

const rate = { count: 10, periodMs: 1_000, burst: 3 };

test('a burst is served, then one call for each interval', () => {
  const clock = createFakeClock(1_000);
  const limiter = new RateLimiter(clock);
  expect([1, 2, 3, 4].map(() => limiter.take('a', rate).allowed)).toEqual([true, true, true, false]);
  expect(limiter.take('a', rate)).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 100 });
  clock.advance(100);
  expect(limiter.take('a', rate)).toMatchObject({ allowed: true, remaining: 0 });
  expect(limiter.take('a', rate).allowed).toBe(false);
  clock.advance(10_000);
  expect(limiter.take('a', rate)).toMatchObject({ allowed: true, remaining: 2 });
});

test('keys do not share an allowance, and peeking takes nothing', () => {
  const limiter = new RateLimiter(createFakeClock(0));
  limiter.take('a', rate);
  expect(limiter.peek('a', rate).remaining).toBe(2);
  expect(limiter.peek('a', rate).remaining).toBe(2);
  expect(limiter.peek('b', rate).remaining).toBe(3);
});

test('what a refused call is told to wait is enough', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 }),
      (count, periodMs, burst, waits) => {
        const clock = createFakeClock(0);
        const limiter = new RateLimiter(clock);
        for (const wait of waits) {
          clock.advance(wait);
          const verdict = limiter.take('k', { count, periodMs, burst });
          if (verdict.allowed) continue;
          clock.advance(verdict.retryAfterMs);
          expect(limiter.take('k', { count, periodMs, burst }).allowed).toBe(true);
        }
      },
    ),
  );
});

test('never more calls in a period than count plus burst', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 200 }), (waits) => {
      const clock = createFakeClock(0);
      const limiter = new RateLimiter(clock);
      const served: number[] = [];
      for (const wait of waits) {
        clock.advance(wait);
        if (limiter.take('k', rate).allowed) served.push(clock.now());
      }
      for (const start of served) {
        const inPeriod = served.filter((at) => at >= start && at < start + rate.periodMs).length;
        expect(inPeriod).toBeLessThanOrEqual(rate.count + rate.burst);
      }
    }),
  );
});

test('the number of keys is bounded', () => {
  const limiter = new RateLimiter(createFakeClock(0), 100);
  for (let index = 0; index < 1_000; index++) limiter.take(`k${index}`, rate);
  expect(limiter.size).toBeLessThanOrEqual(100);
});

test('places are taken up to the maximum and given back', () => {
  const limiter = new ConcurrencyLimiter();
  expect([limiter.enter('a', 2), limiter.enter('a', 2), limiter.enter('a', 2)]).toEqual([true, true, false]);
  limiter.leave('a');
  expect(limiter.enter('a', 2)).toBe(true);
  limiter.leave('a');
  limiter.leave('a');
  expect(limiter.count('a')).toBe(0);
});
