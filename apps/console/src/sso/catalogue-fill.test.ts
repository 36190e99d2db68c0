import { expect, test } from 'vitest';
import { bodyOf, fillIn, isFilled } from './catalogue-fill.ts';

const entry = {
  app: 'wiki',
  title: 'Wiki',
  vendor: 'Wiki Inc.',
  category: 'knowledge',
  protocol: 'saml' as const,
  sources: ['https://wiki.example/sso'],
  evidence: 'described' as const,
  needs: null,
  fields: [{ name: 'team', title: 'Team', help: 'The team.', example: 'acme', pattern: '[a-z]{1,9}' }],
  settings: { entityId: 'https://{team}.wiki.example', acsUrls: ['https://{team}.wiki.example/acs'] },
  launchUrl: 'https://{team}.wiki.example',
  steps: ['Enter {samlSsoUrl}.'],
  notes: [],
};

test('the body holds what was filled in', () => {
  expect(bodyOf(entry, { team: 'acme' }, { name: 'Wiki', everyone: true })).toEqual({
    name: 'Wiki',
    catalogue: 'wiki',
    settings: { protocol: 'saml', entityId: 'https://acme.wiki.example', acsUrls: ['https://acme.wiki.example/acs'] },
    access: { everyone: true },
    launchUrl: 'https://acme.wiki.example',
  });
});

test('a field must fit its pattern as a whole, and what is missing stays to be seen', () => {
  expect([isFilled(entry, { team: 'acme' }), isFilled(entry, { team: 'acme.evil' }), isFilled(entry, {})]).toEqual([
    true,
    false,
    false,
  ]);
  expect(fillIn('{team} {other}', { team: '' })).toBe('{team} {other}');
});
