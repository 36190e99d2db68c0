import { expect, test } from 'vitest';
import { parseEventTime } from './event-time.ts';

const AT = Date.UTC(2026, 4, 4, 8, 15, 0, 120);

test.each([
  ['2026-05-04T08:15:00.120Z', AT],
  ['2026-05-04T08:15:00.1204567Z', AT],
  ['2026-05-04 08:15:00.120456789', AT],
  ['2026-05-04 10:15:00.120 +0200', AT],
  ['2026-05-04T10:15:00.120+02:00', AT],
  ['2026-05-04 08:15:00.120 UTC', AT],
  ['5/4/2026 8:15:00 AM', AT - 120],
  [AT / 1000, AT],
  [AT, AT],
  [AT * 1_000, AT],
  [AT * 1_000_000, AT],
  [String(AT), AT],
  ['no time', undefined],
  ['', undefined],
  [0, undefined],
  [Number.NaN, undefined],
  [null, undefined],
])('%s', (value, expected) => {
  expect(parseEventTime(value)).toBe(expected);
});
