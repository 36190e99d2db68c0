import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { VendorRefused } from '../errors.ts';
import { parseTokenAnswer, refreshTime, tokenRequest } from './token-request.ts';
import type { OAuthSource, VaultSource } from './vault-source.ts';

const NOW = Date.UTC(2026, 0, 1);
const context = { now: NOW, id: () => 'jti-1' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pem = (pair: typeof rsa): string => pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
const client: OAuthSource = {
  kind: 'oauth2-client-credentials',
  clientId: 'id:with%odd',
  tokenUrl: 'https://vendor.example/token',
  clientAuth: 'client_secret_basic',
  algorithm: 'RS256',
  scopes: ['a', 'b'],
  scopeSeparator: ' ',
  scheme: 'Bearer',
};

describe('how the client proves itself', () => {
  test('client_secret_basic: both halves form-encoded first (RFC 6749, section 2.3.1)', () => {
    const { headers, body } = tokenRequest(client, { clientSecret: 'p@ss word' }, context);
    const [, encoded = ''] = (headers['authorization'] ?? '').split(' ');
    expect(Buffer.from(encoded, 'base64').toString()).toBe('id%3Awith%25odd:p%40ss+word');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({ grant_type: 'client_credentials', scope: 'a b' });
  });

  test('client_secret_post, and none', () => {
    const post = tokenRequest({ ...client, clientAuth: 'client_secret_post' }, { clientSecret: 's' }, context);
    expect(new URLSearchParams(post.body).get('client_secret')).toBe('s');
    expect(post.headers['authorization']).toBeUndefined();
    const none = tokenRequest({ ...client, clientAuth: 'none' }, {}, context);
    expect(new URLSearchParams(none.body).get('client_id')).toBe('id:with%odd');
  });

  test.each([
    ['RS256', rsa, 'sha256', {}],
    ['ES256', ec, 'sha256', { dsaEncoding: 'ieee-p1363' as const }],
    ['EdDSA', ed, null, {}],
  ] as const)('private_key_jwt with %s verifies and says whom it is for', (algorithm, pair, digest, how) => {
    const source: OAuthSource = { ...client, clientAuth: 'private_key_jwt', algorithm, keyId: 'k1' };
    const { body } = tokenRequest(source, { privateKey: pem(pair as typeof rsa) }, context);
    const jwt = new URLSearchParams(body).get('client_assertion') ?? '';
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toEqual({ alg: algorithm, typ: 'JWT', kid: 'k1' });
    expect(read(claims)).toMatchObject({
      iss: client.clientId,
      sub: client.clientId,
      aud: client.tokenUrl,
      jti: 'jti-1',
    });
    const key = createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }));
    const data = Buffer.from(`${head}.${claims}`);
    expect(verify(digest, data, { key, ...how }, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});

describe('what vendors answer', () => {
  const ok = (body: object, status = 200) => ({ status, body: JSON.stringify(body) });

  test.each([
    ['RFC 6749', { access_token: 't', expires_in: 3600, refresh_token: 'r' }, NOW + 3_600_000, 'r'],
    ['expires_in as text', { access_token: 't', expires_in: '60' }, NOW + 60_000, null],
    ['GitHub’s installation token', { token: 't', expires_at: '2026-01-01T01:00:00Z' }, NOW + 3_600_000, null],
    ['Slack', { ok: true, access_token: 't', expires_in: 43_200, refresh_token: 'xoxe-1' }, NOW + 43_200_000, 'xoxe-1'],
    ['no end', { access_token: 't' }, null, null],
  ])('%s', (_name, body, expiresAt, refreshToken) => {
    expect(parseTokenAnswer(ok(body), NOW)).toEqual({ accessToken: 't', expiresAt, refreshToken });
  });

  test.each([
    ['Slack’s refusal with 200', ok({ ok: false, error: 'invalid_refresh_token' }), true],
    ['GitHub’s refusal with 200', ok({ error: 'bad_verification_code', error_description: 'expired' }), true],
    ['invalid_grant', ok({ error: 'invalid_grant' }, 400), true],
    ['an unknown installation', ok({ message: 'Not Found' }, 404), true],
    ['too busy', { status: 503, body: '<html>' }, false],
    ['slow down', ok({ error: 'slow_down' }, 429), false],
    ['a token beside an error', ok({ access_token: 't', error: 'x' }), false],
    ['a token that is no text', ok({ access_token: 7 }), false],
    ['nothing', { status: 200, body: '' }, false],
  ])('%s is a refusal', (_name, answer, permanent) => {
    const parse = (): unknown => parseTokenAnswer(answer, NOW);
    expect(parse).toThrow(VendorRefused);
    expect(parse).toThrow(expect.objectContaining({ detail: { permanent } }) as Error); // a matcher
  });
});

const refreshing: VaultSource = { ...client, kind: 'oauth2-refresh-token' };
test.each([
  ['an hour', client, { expiresAt: NOW + 3_600_000 }, {}, NOW + 3_000_000],
  ['a minute', client, { expiresAt: NOW + 60_000 }, {}, NOW + 45_000],
  ['untold', client, { expiresAt: null }, {}, NOW + 1_800_000],
  ['without a refresh token', refreshing, { expiresAt: NOW + 60_000 }, {}, null],
  ['with one that stays', refreshing, { expiresAt: NOW + 60_000 }, { refreshToken: 'r' }, NOW + 45_000],
  ['for good', refreshing, { expiresAt: null, refreshToken: 'r' }, {}, null],
] as const)('renewal of a token of %s', (_name, source, minted, secrets, expected) => {
  expect(refreshTime(source, { accessToken: 't', refreshToken: null, ...minted }, secrets, NOW)).toBe(expected);
});
