import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import type { ClientAuthMethod } from '../tables.ts';
import { assuranceOf, parsePublicKeys } from './client.ts';

const kinds = ['ES256', 'Ed25519', 'RS256'] as const;

test.each(kinds)('a %s key that both authenticates and binds counts once', async (alg) => {
  const { publicKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  const jwks = parsePublicKeys({ keys: [jwk] });
  const same = { jkt: await calculateJwkThumbprint(jwk) };
  expect(assuranceOf({ authMethod: 'private_key_jwt', jwks, cnf: same })).toBe('m1');
  expect(assuranceOf({ authMethod: 'private_key_jwt', jwks, cnf: { jkt: 'another' } })).toBe('m2');
});

const rows: [ClientAuthMethod, Record<string, string> | null, string][] = [
  ['client_secret_basic', null, 'm0'],
  ['client_secret_basic', { jkt: 'k' }, 'm1'],
  ['client_secret_basic', { 'x5t#S256': 'c' }, 'm1'],
  ['private_key_jwt', null, 'm1'],
  ['private_key_jwt', { 'x5t#S256': 'c' }, 'm2'],
  ['tls_client_auth', null, 'm1'],
  ['tls_client_auth', { 'x5t#S256': 'c' }, 'm1'],
  ['tls_client_auth', { jkt: 'k' }, 'm2'],
  ['self_signed_tls_client_auth', { 'x5t#S256': 'c' }, 'm1'],
];
test.each(rows)('%s with a token tied to %j is %s', (authMethod, cnf, assurance) => {
  expect(assuranceOf({ authMethod, jwks: null, cnf })).toBe(assurance);
});
