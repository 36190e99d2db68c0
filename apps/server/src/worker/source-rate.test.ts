import { createFakeClock } from '@cordon/kernel/testing';
import { expect, test } from 'vitest';
import { createSourceRate } from './source-rate.ts';

test('ten seconds of the rate are saved up; then a source waits, each for itself', () => {
  const clock = createFakeClock();
  const take = createSourceRate(clock);
  expect(take('a', 100, 1_000)).toBe(0);
  expect(take('a', 100, 1)).toBeGreaterThan(0);
  expect(take('b', 100, 1)).toBe(0);
  clock.advance(1_000);
  expect(take('a', 100, 50)).toBe(0);
});

test('a delivery is never refused for its size alone, but what it took too much is owed', () => {
  const clock = createFakeClock();
  const take = createSourceRate(clock);
  expect(take('a', 1, 100)).toBe(0);
  const wait = take('a', 1, 1);
  expect(wait).toBe(91);
  clock.advance((wait - 1) * 1_000);
  expect(take('a', 1, 1)).toBeGreaterThan(0);
  clock.advance(1_000);
  expect(take('a', 1, 1)).toBe(0);
});
