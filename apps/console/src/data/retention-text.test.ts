import { expect, test } from 'vitest';
import { countsText, ruleText, scopeText } from './retention-text.ts';

const any = { app: null, object: null, label: null, category: null, approvalAbove: 100, perMinuteMax: 60 };

test.each([
  [{}, 'delete records, 90 days after they were made'],
  [
    { app: 'slack', object: 'message', label: 'confidential' as const },
    'delete message of slack labelled confidential or higher, 90 days after they were made',
  ],
  [
    { category: 'user.contact', clock: 'updatedAt' as const },
    'delete records with user.contact, 90 days after they were changed',
  ],
])('a rule in words: %j', (settings, words) => {
  const rule = { settings: { ...any, clock: 'createdAt' as const, days: 90, action: 'delete' as const, ...settings } };
  expect(ruleText(rule)).toBe(words);
});

test('what is due is said first, what is unknown last', () => {
  expect(countsText({ counts: { strange: 1, young: 4, held: 0, due: 2 } })).toBe('2 due, 4 too young, 1 strange');
  expect(countsText({ counts: {} })).toBe('nothing read');
});

test('a scope in words', () => {
  expect(scopeText({ app: 'crm', object: null, connectionId: null, recordId: '7' })).toBe(
    'crm, any data set, record 7',
  );
});
