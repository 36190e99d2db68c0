import { expect, test } from 'vitest';
import type { LimitRule } from '../api/wire.ts';
import { describeLimit, draftOfLimit, limitBody } from './limit-draft.ts';

const rule: LimitRule = {
  id: 'l',
  kind: 'limit',
  name: 'flood',
  createdAt: 1,
  updatedAt: 2,
  entry: {
    name: 'flood',
    scope: { integrationId: null, appId: 'a', operationId: null },
    countBy: ['integration'],
    rate: { count: 60, periodMs: 60_000, burst: 20 },
    concurrency: 5,
    quota: { callsPerDay: 1_000, bytesPerDay: null, bytesOutPerDay: null, recordsPerDay: null },
  },
};

test('a stored limit goes through the form unchanged', () => {
  expect(limitBody(draftOfLimit(rule))).toEqual(rule.entry);
});

test('an emptied number is no limit', () => {
  const draft = { ...draftOfLimit(rule), count: '', callsPerDay: '', concurrency: ' ' };
  expect(limitBody(draft)).toMatchObject({ rate: null, concurrency: null, quota: null });
});

test('a limit without a rate stays without one', () => {
  const entry = { ...rule.entry, rate: null };
  expect(limitBody(draftOfLimit({ ...rule, entry }))).toEqual(entry);
});

test.each([
  [rule.entry, '60 calls a minute, bursts of 20; 5 at once; 1000 calls a day'],
  [{ rate: null, concurrency: null, quota: null }, 'no limit'],
  [{ rate: { count: 1, periodMs: 1_500, burst: 1 }, concurrency: null, quota: null }, '1 calls a 1500 ms, bursts of 1'],
])('says what a limit is', (entry, text) => {
  expect(describeLimit(entry)).toBe(text);
});
