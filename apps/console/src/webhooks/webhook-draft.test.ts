import { expect, test } from 'vitest';
import { EMPTY_WEBHOOK, toWebhookInput } from './webhook-draft.ts';

const draft = { ...EMPTY_WEBHOOK, name: ' a ', appId: 'app', integrationId: 'int', scheme: 'github', secret: 's ' };

test('empty fields are left to the server', () => {
  expect(toWebhookInput({ ...draft, url: ' https://a.example ' })).toEqual({
    name: 'a',
    appId: 'app',
    integrationId: 'int',
    scheme: 'github',
    secret: 's ',
    url: 'https://a.example',
    order: 'none',
  });
});

test('lists are read with commas, spaces and lines; http needs a named address', () => {
  const input = toWebhookInput({
    ...draft,
    url: 'http://a',
    types: 'push, issues*\nping',
    privateAddresses: '10.0.0.1',
  });
  expect(input).toMatchObject({
    types: ['push', 'issues*', 'ping'],
    privateAddresses: ['10.0.0.1'],
    plaintext: 'allow',
  });
  expect(toWebhookInput({ ...draft, url: 'http://a' })).not.toHaveProperty('plaintext');
});
