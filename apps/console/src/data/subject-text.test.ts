import { expect, test } from 'vitest';
import { countsText, dueLook, wayText } from './subject-text.ts';

const DAY_MS = 86_400_000;

test.each([
  ['far away', 30, null, 'pending'],
  ['soon', 3, null, 'warning'],
  ['over', -1, null, 'error'],
  ['ended in time', 3, 0, 'success'],
  ['ended late', -3, 0, 'error'],
])('a request that is %s', (_name, days, endedAt, look) => {
  const now = 1_000 * DAY_MS;
  const ended = endedAt === null ? null : now + endedAt;
  expect(dueLook({ dueAt: now + days * DAY_MS, endedAt: ended }, now)).toBe(look);
});

test('counts and ways are said in words', () => {
  expect(countsText({ planned: 4, task: 2 })).toBe('4 planned, 2 task for a person');
  expect(countsText({})).toBe('—');
  expect(wayText({ way: 'anonymise', action: 'anonymise-issue' })).toBe('make anonymous (anonymise-issue)');
  expect(wayText({ way: null, action: null })).toBe('—');
});
