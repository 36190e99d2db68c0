import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationId, systemClock } from '@cordon/kernel';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { hashSecret } from '../token-secret.ts';
import type { OauthServer } from './oauth-server.ts';

const SYSTEM = { kind: 'system', name: 'test' } as const;
const GITHUB = 'https://token.actions.githubusercontent.com';
const KEYS_AT = `${GITHUB}/.well-known/jwks`;
const SUBJECT = 'repo:acme/site:ref:refs/heads/main';

let fake: FakeIdentity;
let http: Server;
let oauth: OauthServer;
let issuer: string;
let key: CryptoKey;
let jwk: JWK;
/** What the issuer publishes, and how often it was asked. */
let published: unknown;
let fetches = 0;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  key = pair.privateKey;
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  http = createServer((request, response) => void oauth.handle(request, response));
  const { promise, resolve } = Promise.withResolvers<void>();
  http.listen(0, '127.0.0.1', resolve);
  await promise;
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`; // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    config: { publicUrl: issuer },
    fetchJson: async (url) => {
      fetches += 1;
      if (url !== KEYS_AT) throw new Error(`asked ${url}`);
      return published;
    },
  });
  oauth = await fake.identity.startOauthServer();
});
afterAll(async () => {
  http.closeAllConnections();
  http.close();
  await oauth.stop();
  await fake.test.drop();
});
beforeEach(() => {
  fetches = 0;
  published = { keys: [{ kty: 'unusable' }, jwk] };
});

const rule = { method: 'federated', issuer: GITHUB, subject: SUBJECT, audience: 'cordon' } as const;

async function makeClient(auth: object = { jwks: { keys: [jwk] } }): Promise<string> {
  const integrationId = IntegrationId.create();
  const made = await fake.identity.oauthClients.create(SYSTEM, {
    integrationId,
    name: 'CI',
    auth: { ...rule, ...auth },
  });
  expect(made.secret).toBeNull();
  return made.client.id;
}

async function assertionOf(claims: object = {}, header: object = {}, signer: CryptoKey = key): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: GITHUB, sub: SUBJECT, aud: 'cordon', iat: now, exp: now + 300, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header })
    .sign(signer);
}

async function obtain(clientId: string, assertion: string, form: Record<string, string> = {}) {
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const body = new URLSearchParams({ grant_type, client_id: clientId, assertion, ...form });
  const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('a workload gets a token for its issuer’s assertion, and stores no secret', async () => {
  const { status, body } = await obtain(await makeClient(), await assertionOf());
  expect(status).toBe(200);
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 });
  expect(await fake.identity.tokens.find(hashSecret(String(body['access_token'])).toString('hex'))).toMatchObject({
    assurance: 'm1',
  });
});

const refused: [string, () => Promise<string>][] = [
  ['another repository', () => assertionOf({ sub: 'repo:evil/site:ref:refs/heads/main' })],
  ['a subject that only begins the same', () => assertionOf({ sub: `${SUBJECT}-2` })],
  ['no subject', () => assertionOf({ sub: undefined })],
  ['another issuer', () => assertionOf({ iss: 'https://evil.example' })],
  ['another audience', () => assertionOf({ aud: 'other' })],
  ['one that is over', () => assertionOf({ exp: Math.floor(Date.now() / 1000) - 60 })],
  ['one that never ends', () => assertionOf({ exp: undefined })],
  ['one that lives for a year', () => assertionOf({ exp: Math.floor(Date.now() / 1000) + 31_536_000 })],
  ['one that isn’t valid yet', () => assertionOf({ nbf: Math.floor(Date.now() / 1000) + 600 })],
  ['another’s signature', async () => assertionOf({}, {}, (await generateKeyPair('RS256')).privateKey)],
  ['no JWT', async () => 'nonsense'],
  [
    'no signature',
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await assertionOf()).split('.')[1]}.`,
  ],
];
test.each(refused)('refused: %s', async (_what, make) => {
  const { status, body } = await obtain(await makeClient(), await make());
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: 'invalid_grant' });
  expect(body).not.toHaveProperty('access_token');
});

test('a federated client gets nothing without an assertion, by any other grant', async () => {
  const client_id = await makeClient();
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id });
  expect((await fetch(`${issuer}/oauth/token`, { method: 'POST', body })).status).toBe(400);
});

test('another kind of client can’t use the grant', async () => {
  const auth = { method: 'client_secret_basic' } as const;
  const made = await fake.identity.oauthClients.create(SYSTEM, {
    integrationId: IntegrationId.create(),
    name: 'x',
    auth,
  });
  expect((await obtain(made.client.id, await assertionOf())).status).toBe(401);
});

describe('keys that the issuer publishes', () => {
  test('are fetched once, and again for one that is new', async () => {
    const client = await makeClient({ jwksUri: KEYS_AT });
    expect((await obtain(client, await assertionOf())).status).toBe(200);
    expect((await obtain(client, await assertionOf())).status).toBe(200);
    expect(fetches).toBe(1);
    // A made-up key id doesn't make us ask each time.
    for (let tries = 0; tries < 3; tries++) await obtain(client, await assertionOf({}, { kid: 'made up' }));
    expect(fetches).toBe(1);
  });
});

const wrong: [string, object][] = [
  ['a star in the middle', { subject: 'repo:*/site' }],
  ['a star for everybody', { subject: '*' }],
  ['no keys', { jwks: undefined }],
  ['keys twice', { jwksUri: KEYS_AT }],
  ['plain http', { jwks: undefined, jwksUri: 'http://issuer.example/jwks' }],
  ['no address for an issuer', { issuer: 'github' }],
];
test.each(wrong)('no such rule: %s', async (_what, auth) => {
  const attempt = makeClient({ jwks: { keys: [jwk] }, ...auth });
  await expect(attempt).rejects.toMatchObject({ code: 'identity.client_invalid' });
});

test('a rule with a star at its end takes all that begin so', async () => {
  const client = await makeClient({ subject: 'repo:acme/*', jwks: { keys: [jwk] } });
  expect((await obtain(client, await assertionOf({ sub: 'repo:acme/other:ref:x' }))).status).toBe(200);
  expect((await obtain(client, await assertionOf({ sub: 'repo:acmes/other' }))).status).toBe(400);
});
