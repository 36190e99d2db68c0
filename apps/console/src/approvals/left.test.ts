import { expect, test } from 'vitest';
import { showLeft } from './left.ts';

const rows: [number, string][] = [
  [245_999, '4:05'],
  [60_000, '1:00'],
  [999, '0:00'],
  [-5_000, '0:00'],
];
test.each(rows)('%i ms are %s', (left, text) => {
  const now = Date.UTC(2027, 0, 1);
  expect(showLeft(new Date(now + left).toISOString(), now)).toBe(text);
});
