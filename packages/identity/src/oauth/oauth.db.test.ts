import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationId, readAudit, systemClock } from '@cordon/kernel';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { hashSecret } from '../token-secret.ts';
import { ClientId } from './client.ts';
import type { NewClient } from './clients.ts';
import type { IdentityTables } from '../tables.ts';
import type { OauthServer } from './oauth-server.ts';

const OWNER = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const SYSTEM = { kind: 'system', name: 'test' } as const;
const RESOURCE = 'https://api.example/jwt';

let fake: FakeIdentity;
let http: Server;
let oauth: OauthServer;
let issuer: string;

beforeAll(async () => {
  // The address must be known before the issuer, so the listener comes first and the handler after it.
  http = createServer((request, response) => void oauth.handle(request, response));
  const { promise, resolve } = Promise.withResolvers<void>();
  http.listen(0, '127.0.0.1', resolve);
  await promise;
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`; // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    config: { publicUrl: issuer, resources: [{ id: RESOURCE, tokenFormat: 'jwt' }] },
  });
  oauth = await fake.identity.startOauthServer();
});
afterAll(async () => {
  http.closeAllConnections();
  http.close();
  await oauth.stop();
  await fake.test.drop();
});

// Attacks of one test shall not lock the address out of the next.
beforeEach(async () => {
  await fake.db.tables<IdentityTables>().deleteFrom('client_locks').execute();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${issuer}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

async function makeClient(input: Partial<NewClient> = {}) {
  const integrationId = IntegrationId.create();
  const auth = { method: 'client_secret_basic' } as const;
  const made = await fake.identity.oauthClients.create(OWNER, { integrationId, name: 'Nightly sync', auth, ...input });
  return { integrationId, id: made.client.id, secret: made.secret ?? '' };
}

async function obtain(client: { id: string; secret: string }, form: Record<string, string> = {}): Promise<Answer> {
  return post('/oauth/token', { grant_type: 'client_credentials', ...form }, basic(client.id, client.secret));
}

const sha256 = (value: unknown): string => hashSecret(String(value)).toString('hex');

interface KeyClient {
  readonly id: string;
  readonly key: CryptoKey;
  readonly integrationId: IntegrationId;
}

async function makeKeyClient(input: Partial<NewClient> = {}): Promise<KeyClient> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwks = { keys: [await exportJWK(pair.publicKey)] };
  const { id, integrationId } = await makeClient({ auth: { method: 'private_key_jwt', jwks }, ...input });
  return { id, key: pair.privateKey, integrationId };
}

async function assertionOf(client: { id: string; key: CryptoKey }, claims: Record<string, unknown> = {}, exp = 60) {
  const now = Math.floor(Date.now() / 1000);
  const base = { iss: client.id, sub: client.id, aud: issuer, jti: crypto.randomUUID(), iat: now, exp: now + exp };
  return new SignJWT({ ...base, ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(client.key);
}

function withAssertion(assertion: string): Record<string, string> {
  return {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
}

describe('a client with a secret', () => {
  test('gets an opaque token that is stored only as its hash, for an hour', async () => {
    const client = await makeClient();
    const { status, body } = await obtain(client);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 });
    const rows = await fake.db
      .tables<{ oauth_tokens: { hash: Buffer; payload: unknown } }>()
      .selectFrom('oauth_tokens')
      .selectAll()
      .execute();
    const row = rows.find((candidate) => candidate.hash.toString('hex') === sha256(body['access_token']));
    expect(row).toBeDefined();
    expect(JSON.stringify(rows)).not.toContain(String(body['access_token']));
    expect(await fake.identity.tokens.find(sha256(body['access_token']))).toMatchObject({
      integrationId: client.integrationId,
      clientId: client.id,
      assurance: 'm0',
      cnf: null,
    });
    expect(fake.events.at(-1)).toMatchObject({
      class_uid: 3002,
      activity_id: 3,
      actor: { app_uid: client.integrationId },
      unmapped: { client_id: client.id },
    });
  });

  test('the secret is nowhere in the database', async () => {
    const client = await makeClient();
    const rows = await fake.db
      .tables<{ oauth_client_secrets: { hash: Buffer } }>()
      .selectFrom('oauth_client_secrets')
      .selectAll()
      .execute();
    expect(JSON.stringify(rows)).not.toContain(client.secret);
    const shown = await fake.identity.oauthClients.get(OWNER, client.id);
    expect(shown.secrets).toMatchObject([{ hint: client.secret.slice(-4) }]);
    expect(JSON.stringify(shown)).not.toContain(client.secret);
  });

  const wrong: [string, (client: { id: string; secret: string }) => Record<string, string>][] = [
    ['another secret', ({ id }) => basic(id, 'cordon_sec_wrong')],
    ['the placeholder that stands for the secret', ({ id }) => basic(id, 'only-a-hash-is-kept')],
    ['the stored hash', ({ id, secret }) => basic(id, sha256(secret))],
    ['an unknown client', ({ secret }) => basic(crypto.randomUUID(), secret)],
    ['an id that is no id', ({ secret }) => basic('admin', secret)],
    ['no authentication', () => ({})],
  ];
  test.each(wrong)('is refused with %s', async (_what, headers) => {
    const client = await makeClient();
    const { status, body } = await post('/oauth/token', { grant_type: 'client_credentials' }, headers(client));
    expect([400, 401]).toContain(status);
    expect(body['access_token']).toBeUndefined();
  });

  test('rotation: the old secret works on only as long as asked', async () => {
    const client = await makeClient();
    const kept = await fake.identity.oauthClients.rotateSecret(OWNER, client.id, 60_000);
    expect((await obtain(client)).status).toBe(200);
    expect((await obtain({ ...client, secret: kept.secret })).status).toBe(200);
    const sharp = await fake.identity.oauthClients.rotateSecret(OWNER, client.id);
    expect((await obtain(client)).status).toBe(401);
    expect((await obtain({ ...client, secret: kept.secret })).status).toBe(401);
    expect((await obtain({ ...client, secret: sharp.secret })).status).toBe(200);
  });

  test.each([60, 86_400])('its tokens live as long as it was set to: %d s', async (tokenTtlS) => {
    expect((await obtain(await makeClient({ tokenTtlS }))).body['expires_in']).toBe(tokenTtlS);
  });

  test.each([59, 86_401, 1.5])('a lifetime of %d s is refused', async (tokenTtlS) => {
    await expect(makeClient({ tokenTtlS })).rejects.toMatchObject({ code: 'identity.client_invalid' });
  });
});

describe('a client with a key', () => {
  test('gets a token for a signed assertion', async () => {
    const client = await makeKeyClient();
    const { status, body } = await post('/oauth/token', withAssertion(await assertionOf(client)));
    expect(status).toBe(200);
    expect(await fake.identity.tokens.find(sha256(body['access_token']))).toMatchObject({ assurance: 'm1' });
  });

  // OAuth 2.0 Security BCP (RFC 9700) and RFC 7523, section 3: an attack, and its refusal.
  const attacks: [string, (client: KeyClient) => Promise<string>][] = [
    ['for another server', (client) => assertionOf(client, { aud: 'https://other.example' })],
    ['that has expired', (client) => assertionOf(client, {}, -60)],
    ['that lives for a day', (client) => assertionOf(client, {}, 86_400)],
    ['without an id', (client) => assertionOf(client, { jti: undefined })],
    ['issued by another', (client) => assertionOf(client, { iss: crypto.randomUUID() })],
    [
      'signed with another key',
      async (client) => assertionOf({ id: client.id, key: (await generateKeyPair('ES256')).privateKey }),
    ],
    [
      'signed by HMAC with the public placeholder',
      (client) =>
        new SignJWT({ iss: client.id, sub: client.id, aud: issuer, jti: 'x', exp: Math.floor(Date.now() / 1000) + 60 })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(Buffer.from('only-a-hash-is-kept')),
    ],
    [
      'not signed at all',
      async (client) => {
        const [, payload] = (await assertionOf(client)).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
  ];
  test.each(attacks)('an assertion %s is refused', async (_what, make) => {
    const { status } = await post('/oauth/token', withAssertion(await make(await makeKeyClient())));
    expect([400, 401]).toContain(status);
  });

  test('an assertion works once, also when it comes many times at once', async () => {
    const assertion = await assertionOf(await makeKeyClient());
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('/oauth/token', withAssertion(assertion))));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  });

  test('a private key that is given by mistake is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [await exportJWK(privateKey)] };
    await expect(makeClient({ auth: { method: 'private_key_jwt', jwks } })).rejects.toMatchObject({
      code: 'identity.client_invalid',
    });
  });

  test('replaced keys: only the new one works', async () => {
    const client = await makeKeyClient();
    const fresh = await generateKeyPair('ES256', { extractable: true });
    await fake.identity.oauthClients.replaceKeys(OWNER, ClientId.parse(client.id), {
      keys: [await exportJWK(fresh.publicKey)],
    });
    expect((await post('/oauth/token', withAssertion(await assertionOf(client)))).status).toBe(401);
    const { status } = await post(
      '/oauth/token',
      withAssertion(await assertionOf({ ...client, key: fresh.privateKey })),
    );
    expect(status).toBe(200);
  });
});

describe('a DPoP-bound client (RFC 9449)', () => {
  async function proofOf(key: CryptoKey, jwk: JWK, claims: Record<string, unknown> = {}): Promise<string> {
    const base = { htm: 'POST', htu: `${issuer}/oauth/token`, jti: crypto.randomUUID() };
    return new SignJWT({ ...base, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(key);
  }

  test('gets a token tied to its key, and none without a proof', async () => {
    const client = await makeKeyClient({ binding: 'dpop' });
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    const without = await post('/oauth/token', withAssertion(await assertionOf(client)));
    expect(without.status).toBe(400);
    const dpop = await proofOf(pair.privateKey, jwk);
    const bound = await post('/oauth/token', withAssertion(await assertionOf(client)), { dpop });
    expect(bound.body).toMatchObject({ token_type: 'DPoP' });
    expect(await fake.identity.tokens.find(sha256(bound.body['access_token']))).toMatchObject({
      cnf: { jkt: await calculateJwkThumbprint(jwk) },
      assurance: 'm2',
    });
    const replayed = await post('/oauth/token', withAssertion(await assertionOf(client)), { dpop });
    expect(replayed.status).toBe(400);
  });

  test.each([
    ['another address', { htu: 'https://other.example/oauth/token' }],
    ['another method', { htm: 'GET' }],
  ])('a proof for %s is refused', async (_what, claims) => {
    const client = await makeKeyClient({ binding: 'dpop' });
    const pair = await generateKeyPair('ES256', { extractable: true });
    const dpop = await proofOf(pair.privateKey, await exportJWK(pair.publicKey), claims);
    expect((await post('/oauth/token', withAssertion(await assertionOf(client)), { dpop })).status).toBe(400);
  });
});

describe('an mTLS-bound client (RFC 8705)', () => {
  test('gets nothing over a connection without a certificate, whatever headers say', async () => {
    const client = await makeKeyClient({ binding: 'mtls' });
    const headers = { 'x-client-cert': 'anything', 'ssl-client-cert': 'anything' };
    expect((await post('/oauth/token', withAssertion(await assertionOf(client)), headers)).status).toBe(400);
  });
});

describe('JWT access tokens', () => {
  test('are given for a resource that asks for them, for five minutes at most, and verify', async () => {
    const client = await makeClient({ tokenTtlS: 86_400 });
    const { body } = await obtain(client, { resource: RESOURCE });
    expect(body['expires_in']).toBe(300);
    const keys = createLocalJWKSet({ keys: await fake.identity.signingKeys.publicKeys() });
    const { payload } = await jwtVerify(String(body['access_token']), keys, {
      issuer,
      audience: RESOURCE,
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ client_id: client.id, integration_id: client.integrationId });
    expect(await fake.identity.tokens.find(sha256(body['access_token']))).toBeNull();
  });

  test('an unknown resource is refused', async () => {
    const { body } = await obtain(await makeClient(), { resource: 'https://elsewhere.example' });
    expect(body).toMatchObject({ error: 'invalid_target' });
  });

  test('after a rotation fresh keys sign, and what the old ones signed still verifies', async () => {
    const client = await makeClient();
    const before = await obtain(client, { resource: RESOURCE });
    const known = (await fake.identity.signingKeys.publicKeys()).length;
    await fake.identity.signingKeys.rotate(OWNER);
    expect(await fake.identity.signingKeys.publicKeys()).toHaveLength(2 * known);
    const keys = createLocalJWKSet({ keys: await fake.identity.signingKeys.publicKeys() });
    await jwtVerify(String(before.body['access_token']), keys, { issuer });
  });

  test('the published keys are public', async () => {
    const { keys } = (await (await fetch(`${issuer}/oauth/jwks`)).json()) as { keys: JWK[] };
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(key.d ?? key.p).toBeUndefined();
  });
});

describe('introspection and revocation', () => {
  test.each([
    ['the token’s own client', { own: true, introspects: false }, true],
    ['another client', { own: false, introspects: false }, false],
    ['a gateway', { own: false, introspects: true }, true],
  ])('%s may ask: %o', async (_what, { own, introspects }, active) => {
    const client = await makeClient();
    const { body } = await obtain(client);
    const auth = { method: 'client_secret_basic' } as const;
    const made = await fake.identity.oauthClients.create(SYSTEM, {
      integrationId: null,
      name: 'gateway',
      auth,
      introspects,
    });
    const asks = own ? client : { id: made.client.id, secret: made.secret ?? '' };
    const answer = await post(
      '/oauth/introspect',
      { token: String(body['access_token']) },
      basic(asks.id, asks.secret),
    );
    expect(answer.body['active']).toBe(active);
    expect(answer.body['integration_id']).toBe(active ? client.integrationId : undefined);
  });

  test('a client revokes its own token, and no other’s', async () => {
    const [client, other] = [await makeClient(), await makeClient()];
    const token = String((await obtain(client)).body['access_token']);
    expect((await post('/oauth/revoke', { token }, basic(other.id, other.secret))).status).toBe(400);
    expect(await fake.identity.tokens.find(sha256(token))).not.toBeNull();
    expect((await post('/oauth/revoke', { token }, basic(client.id, client.secret))).status).toBe(200);
    expect(await fake.identity.tokens.find(sha256(token))).toBeNull();
    expect(fake.revocations.at(-1)).toMatchObject({ tokens: [{ hash: sha256(token) }] });
    const [record] = await readAudit(fake.db, { limit: 1 });
    expect(record).toMatchObject({ action: 'token.revoked', actor: { kind: 'client', id: client.id } });
  });

  test('one token of several: its siblings live on', async () => {
    const client = await makeClient();
    const tokens = [];
    for (let made = 0; made < 3; made++) tokens.push(String((await obtain(client)).body['access_token']));
    await fake.identity.oauthClients.revokeToken(OWNER, { value: tokens[1] ?? '' }, 'stolen');
    const alive = await Promise.all(
      tokens.map(async (token) => (await fake.identity.tokens.find(sha256(token))) !== null),
    );
    expect(alive).toEqual([true, false, true]);
  });

  test('a revoked client is out at once: tokens gone, no new ones, and the composition was told', async () => {
    const client = await makeClient();
    const token = String((await obtain(client)).body['access_token']);
    await fake.identity.oauthClients.revoke(OWNER, client.id, 'left the company');
    expect(await fake.identity.tokens.find(sha256(token))).toBeNull();
    expect((await obtain(client)).status).toBe(401);
    expect(fake.revocations.at(-1)).toMatchObject({ clientId: client.id, tokens: [{ hash: sha256(token) }] });
  });

  test('an integration that is cut off gets no tokens until it is restored', async () => {
    const client = await makeClient();
    await obtain(client);
    const { integrationId } = client;
    await fake.db.transaction((tx) =>
      fake.identity.oauthClients.endAccess(tx, { integrationId, actor: OWNER, reason: 'odd' }),
    );
    expect((await obtain(client)).status).toBe(401);
    await fake.db.transaction((tx) => fake.identity.oauthClients.restoreAccess(tx, { integrationId, actor: OWNER }));
    expect((await obtain(client)).status).toBe(200);
  });

  test('no token slips in behind a revocation that is under way', async () => {
    const client = await makeClient();
    await Promise.all([
      ...Array.from({ length: 20 }, () => obtain(client)),
      fake.identity.oauthClients.revoke(OWNER, client.id, 'race'),
    ]);
    const left = await fake.db
      .tables<{ oauth_tokens: { client_id: string } }>()
      .selectFrom('oauth_tokens')
      .selectAll()
      .where('client_id', '=', client.id)
      .execute();
    expect(left).toEqual([]);
  });

  test('a transaction that fails revokes nothing', async () => {
    const client = await makeClient();
    const token = String((await obtain(client)).body['access_token']);
    const { integrationId } = client;
    const failing = fake.db.transaction(async (tx) => {
      await fake.identity.oauthClients.endAccess(tx, { integrationId, actor: OWNER, reason: 'odd' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await fake.identity.tokens.find(sha256(token))).not.toBeNull();
  });
});

describe('the read model', () => {
  test('gives each new token once, and again if the reader’s transaction fails', async () => {
    await fake.db.transaction((tx) => fake.identity.tokens.takeUnpublished(tx, 1_000));
    const token = String((await obtain(await makeClient())).body['access_token']);
    const failing = fake.db.transaction(async (tx) => {
      expect(await fake.identity.tokens.takeUnpublished(tx, 1_000)).toHaveLength(1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const taken = await fake.db.transaction((tx) => fake.identity.tokens.takeUnpublished(tx, 1_000));
    expect(taken.map((one) => one.hash)).toEqual([sha256(token)]);
    expect(await fake.db.transaction((tx) => fake.identity.tokens.takeUnpublished(tx, 1_000))).toEqual([]);
  });

  test('tells of issued and revoked tokens on its channel', async () => {
    const heard: string[] = [];
    let wake: () => void = () => undefined;
    const listener = await fake.db.listen('cordon_tokens', (payload) => {
      heard.push(payload ?? '');
      wake();
    });
    const hear = async (kind: 'issued' | 'revoked', hash: string): Promise<void> => {
      while (!heard.some((text) => text.startsWith(`{"${kind}"`) && text.includes(hash))) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    };
    const token = String((await obtain(await makeClient())).body['access_token']);
    await hear('issued', sha256(token));
    await fake.identity.oauthClients.revokeToken(OWNER, { value: token }, 'test');
    await hear('revoked', sha256(token));
    await listener.stop();
    expect(heard.join('')).not.toContain(token);
  });
});

describe('the metadata document (RFC 8414)', () => {
  test('names only what works', async () => {
    const found = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
    expect(found).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/oauth/token`,
      grant_types_supported: expect.arrayContaining(['client_credentials']),
      tls_client_certificate_bound_access_tokens: true,
    });
    expect(found).toMatchObject({ dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']) });
  });
});

test('addresses are those of the configuration, whatever a client names', async () => {
  const { request } = await import('node:http');
  const { port } = new URL(issuer);
  const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/.well-known/openid-configuration', headers: forged },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        answer.once('end', () => resolve(body));
      },
    );
    sent.once('error', reject).end();
  });
  expect(JSON.parse(text)).toMatchObject({ issuer, token_endpoint: `${issuer}/oauth/token` });
  expect(text).not.toContain('evil.example');
});
