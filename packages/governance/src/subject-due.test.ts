import { expect, test } from 'vitest';
import { dueAfter } from './subject-due.ts';

test.each([
  ['2026-01-31T10:00:00Z', false, '2026-02-28T23:59:59.000Z'],
  ['2026-11-23T23:59:00Z', false, '2026-12-23T23:59:59.000Z'],
  ['2026-11-23T00:00:00Z', true, '2027-02-23T23:59:59.000Z'],
  ['2027-11-30T00:00:00Z', true, '2028-02-29T23:59:59.000Z'],
])('received %s, extended %s: due %s', (received, isExtended, due) => {
  expect(dueAfter(new Date(received), isExtended).toISOString()).toBe(due);
});
