import { expect, test } from 'vitest';
import { draftOf, settingsOf } from './mapping-draft.ts';

const settings = {
  protocol: 'saml' as const,
  entityId: 'x',
  emailFrom: ['mail', 'email'],
  groupRules: [{ value: 'cn=eng,dc=corp', roles: ['developer', 'auditor'], groups: ['g1'] }],
  createPeople: true,
};

test('a mapping goes through the form unchanged', () => {
  const draft = draftOf({ settings });
  expect(draft).toMatchObject({ emailFrom: 'mail, email', rules: 'cn=eng,dc=corp = developer, auditor' });
  expect(settingsOf({ settings }, draft)).toMatchObject(settings);
});

test('a new rule has no groups, and a line without a value is none', () => {
  const draft = { ...draftOf({ settings }), rules: 'sec = security\n\n = owner\nnothing' };
  expect(settingsOf({ settings }, draft)['groupRules']).toEqual([{ value: 'sec', roles: ['security'], groups: [] }]);
});
