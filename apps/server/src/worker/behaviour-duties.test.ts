import { expect, test } from 'vitest';
import { spansOf } from './behaviour-duties.ts';

const HOUR = 3_600_000;

test.each([
  ['none', [], []],
  ['neighbours are one span', [0, 1, 2], [[0, 3]]],
  [
    'a gap makes two',
    [0, 2],
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    'a span is a day at most',
    Array.from({ length: 30 }, (_, at) => at),
    [
      [0, 24],
      [24, 30],
    ],
  ],
])('%s', (_what, hours, spans) => {
  const wanted = spans.map((span) => span.map((at) => at * HOUR));
  expect(spansOf(hours.map((at) => at * HOUR))).toEqual(wanted);
});
