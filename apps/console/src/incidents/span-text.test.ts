import { expect, test } from 'vitest';
import { countdownText, spanText } from './span-text.ts';

test.each([
  [null, '-'],
  [0, '0.0 s'],
  [4_240, '4.2 s'],
  [720_000, '12 min'],
  [12_600_000, '3.5 h'],
  [172_800_000, '2.0 days'],
])('%s ms is %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

test.each([
  [240_000, '0 h 04 min left'],
  [-240_000, '0 h 04 min late'],
  [259_200_000, '3 d 0 h left'],
])('%s ms are %s', (ms, text) => {
  expect(countdownText(ms)).toBe(text);
});
