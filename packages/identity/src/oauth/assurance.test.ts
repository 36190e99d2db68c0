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

const rows: [ClientAuthMethod, Record<string, string> | null, string | null, string][] = [
  ['client_secret_basic', null, null, 'm0'],
  ['client_secret_basic', { jkt: 'k' }, null, 'm1'],
  ['client_secret_basic', { 'x5t#S256': 'c' }, 'p', 'm1'],
  ['private_key_jwt', null, null, 'm1'],
  ['private_key_jwt', { 'x5t#S256': 'c' }, 'p', 'm2'],
  ['private_key_jwt', { 'x5t#S256': 'c' }, null, 'm1'],
  ['tls_client_auth', null, 'p', 'm1'],
  ['tls_client_auth', { 'x5t#S256': 'c' }, 'p', 'm1'],
  ['tls_client_auth', { jkt: 'k' }, 'p', 'm2'],
  ['tls_client_auth', { jkt: 'p' }, 'p', 'm1'],
  ['tls_client_auth', { jkt: 'k' }, null, 'm1'],
  ['self_signed_tls_client_auth', { 'x5t#S256': 'c' }, 'p', 'm1'],
];
test.each(rows)('%s with a token tied to %j and certificate key %s is %s', (authMethod, cnf, peerKey, assurance) => {
  expect(assuranceOf({ authMethod, jwks: null, cnf, peerKey })).toBe(assurance);
});

test('a certificate of the very key that signs assertions counts once', async () => {
  const { publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const facts = {
    authMethod: 'private_key_jwt',
    jwks: parsePublicKeys({ keys: [jwk] }),
    cnf: { 'x5t#S256': 'c' },
  } as const;
  expect(assuranceOf({ ...facts, peerKey: await calculateJwkThumbprint(jwk) })).toBe('m1');
});
