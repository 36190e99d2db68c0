import { expect, test } from 'vitest';
import { clockText, readParticipants, tookText } from './drill-text.ts';

test.each([
  [0, '00:00'],
  [65_000, '01:05'],
  [3_849_000, '1:04:09'],
])('%d ms on the clock are %s', (ms, text) => {
  expect(clockText(ms)).toBe(text);
});

test.each([
  [null, '-'],
  [407, '407 ms'],
  [3_120, '3.1 s'],
  [125_000, '02:05'],
])('%o took %s', (ms, text) => {
  expect(tookText(ms)).toBe(text);
});

const ADA = { id: 'p1', name: 'Ada Byron', email: 'ada@example.com' };

test.each([
  ['commander: Ada Byron', [{ role: 'commander', name: 'Ada Byron', personId: 'p1' }]],
  [
    'Technical: ada@example.com\n\nlegal: Bob: from outside',
    [
      { role: 'technical', name: 'Ada Byron', personId: 'p1' },
      { role: 'legal', name: 'Bob: from outside' },
    ],
  ],
  ['', []],
  ['chief: Ada', null],
  ['commander', null],
])('%o is read', (text, taking) => {
  expect(readParticipants(text, [ADA])).toEqual(taking);
});
