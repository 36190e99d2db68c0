import { expect, test } from 'vitest';
import { isComplete, kindOf, VAULT_KINDS, vaultBody } from './vault-kinds.ts';

test('each kind is there once and needs something', () => {
  expect(new Set(VAULT_KINDS.map(({ kind }) => kind)).size).toBe(VAULT_KINDS.length);
  expect(VAULT_KINDS.filter((kind) => isComplete(kind, {}))).toEqual([]);
});

test.each([
  ['bearer', { secret: ' t ' }, { kind: 'bearer', secret: 't', scheme: 'Bearer' }],
  [
    'api-key-form',
    { secret: 'k', verifyPath: '/me' },
    { kind: 'api-key-form', secret: 'k', field: 'api_key', verifyPath: '/me' },
  ],
  [
    'oauth2-authorization-code',
    {
      clientId: 'c',
      clientSecret: 's',
      authorizeUrl: 'https://v/a',
      tokenUrl: 'https://v/t',
      scopes: ' a  b ',
      scopeSeparator: 'comma',
      parameters: 'access_type=offline  prompt=consent',
    },
    {
      kind: 'oauth2-authorization-code',
      clientId: 'c',
      clientAuth: 'client_secret_basic',
      clientSecret: 's',
      authorizeUrl: 'https://v/a',
      tokenUrl: 'https://v/t',
      scopes: ['a', 'b'],
      scopeSeparator: ',',
      parameters: { access_type: 'offline', prompt: 'consent' },
    },
  ],
])('%s', (kind, values, body) => {
  expect(isComplete(kindOf(kind), values)).toBe(true);
  expect(vaultBody(kindOf(kind), values)).toEqual(body);
});
