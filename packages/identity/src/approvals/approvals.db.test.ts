import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationId, PersonId, readAudit, type Role, systemClock } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OauthServer } from '../oauth/oauth-server.ts';
import { createTestBrowser, startTestServer, type TestBrowser } from '../test-server.ts';
import {
  createFakeIdentity,
  createSoftwareAuthenticator,
  type FakeIdentity,
  type SoftwareAuthenticator,
} from '../testing.ts';
import type { IdentityTables } from '../tables.ts';
import { hashSecret } from '../token-secret.ts';

const OWNER = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const CALL = {
  type: 'cordon_call',
  app: 'bank',
  operation: 'payouts/create',
  method: 'POST',
  path: '/payouts',
  body_sha256: 'a'.repeat(64),
};

interface Person {
  readonly id: string;
  readonly browser: TestBrowser;
  readonly key: SoftwareAuthenticator;
}

let fake: FakeIdentity;
let server: FastifyInstance;
let http: Server;
let oauth: OauthServer;
let issuer: string;
const people = new Map<string, Person>();
/** Where clients are told of decisions: what came, and what is answered. */
let told: { readonly headers: IncomingHttpHeaders; readonly body: Record<string, unknown> }[] = [];
let answers: number[] = [];
let client443: Server;
/** Who owns the integration that asks. */
let ownerId = '';

async function addPerson(name: string, token: string): Promise<void> {
  const browser = createTestBrowser(server, fake.publicUrl);
  await browser.send('POST', '/api/v1/auth/link', { token, name, email: `${name}@example.com` });
  const key = createSoftwareAuthenticator(fake.publicUrl);
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  const body = { challengeId, response: key.create(options), name: 'Key' };
  await browser.send('POST', '/api/v1/auth/passkey/register/verify', body);
  const { actor } = (await browser.send('GET', '/api/v1/session')).json();
  people.set(name, { id: actor.id, browser, key });
}

const person = (name: string): Person => people.get(name)!; // made in beforeAll

beforeAll(async () => {
  http = createServer((request, response) => void oauth.handle(request, response));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  client443 = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      told.push({ headers: request.headers, body: JSON.parse(text) });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => {
    client443.listen(0, '127.0.0.1', resolve);
  });
  const local = `http://127.0.0.1:${(client443.address() as AddressInfo).port}`; // as below
  issuer = `http://localhost:${(http.address() as AddressInfo).port}`; // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    findIntegration: async () => ({ name: 'payroll', ownerId, active: true }),
    hasApp: async (name) => name === 'bank',
    // The guard of addresses has its own test; here the name leads to this machine.
    postJson: async (address, headers, body) => {
      const url = local + new URL(address).pathname;
      return (await fetch(url, { method: 'POST', headers: { ...headers }, body: JSON.stringify(body) })).status;
    },
    config: { publicUrl: issuer, gatewayUrl: 'https://gateway.example' },
  });
  oauth = await fake.identity.startOauthServer();
  ({ server } = await startTestServer(fake));
  await addPerson('ada', (await fake.identity.links.createFirstOwnerLink()).token);
  const others: [string, Role][] = [
    ['grace', 'security'],
    ['linus', 'app-owner'],
    ['dev', 'developer'],
  ];
  for (const [name, role] of others) {
    const body = { name, email: `${name}@example.com`, roles: [role] };
    const made = await person('ada').browser.send('POST', '/api/v1/people', body);
    await addPerson(name, made.json().link.url.split('#token=')[1]);
  }
  ownerId = person('ada').id;
});
afterAll(async () => {
  http.closeAllConnections();
  http.close();
  client443.closeAllConnections();
  client443.close();
  await server.close();
  await oauth.stop();
  await fake.test.drop();
});

async function makeAsker(delivery?: 'ping' | 'push') {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const made = await fake.identity.oauthClients.create(OWNER, {
    integrationId: IntegrationId.create(),
    name: 'payroll',
    auth: { method: 'private_key_jwt', jwks: { keys: [await exportJWK(pair.publicKey)] } },
    binding: delivery === 'push' ? 'none' : 'dpop',
    delivery: delivery && { mode: delivery, endpoint: 'https://client.example/told' },
  });
  const execute = [client.allowInsecureRequests];
  const auth = client.PrivateKeyJwt(pair.privateKey);
  const config = await client.discovery(new URL(issuer), made.client.id, {}, auth, { execute });
  const keys = await client.randomDPoPKeyPair('ES256');
  const ask = (extra: Record<string, string> = {}, call: object = CALL) =>
    client.initiateBackchannelAuthentication(config, {
      scope: 'openid',
      login_hint: 'approvers',
      binding_message: 'Payroll of November',
      authorization_details: JSON.stringify([call]),
      ...extra,
    });
  /** One poll, without the library's waiting. */
  const poll = (authReqId: string) =>
    client.genericGrantRequest(
      config,
      'urn:openid:params:grant-type:ciba',
      { auth_req_id: authReqId },
      { DPoP: client.getDPoPHandle(config, keys) },
    );
  return { ask, poll, clientId: made.client.id };
}

async function newest(name: string) {
  const { items } = (await person(name).browser.send('GET', '/api/v1/approvals')).json();
  return items[0];
}

async function decide(name: string, id: string, verb: 'approve' | 'deny', reason = 'agreed with finance') {
  return person(name).browser.send('POST', `/api/v1/approvals/${id}/${verb}`, { reason });
}

/** Shows the passkey again, as the console's dialog does. */
async function stepUp(name: string): Promise<void> {
  const { browser, key } = person(name);
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/step-up/passkey/options')).json();
  await browser.send('POST', '/api/v1/auth/step-up/passkey/verify', { challengeId, response: key.get(options) });
}

describe('an approval', () => {
  test('is asked for, waited for, given by another person, and fetched once', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask();
    expect(asked.expires_in).toBe(600);
    await expect(asker.poll(asked.auth_req_id)).rejects.toMatchObject({ error: 'authorization_pending' });
    const shown = await newest('grace');
    expect(shown).toMatchObject({ state: 'pending', decidable: true, message: 'Payroll of November', call: CALL });
    expect(await newest('ada')).toMatchObject({ decidable: false });
    const approved = await decide('grace', shown.id, 'approve');
    expect(approved.statusCode).toBe(200);
    const { access_token: token, authorization_details: details } = await asker.poll(asked.auth_req_id);
    expect(details).toEqual([{ ...CALL, count: 1 }]);
    const sha256 = hashSecret(token).toString('hex');
    expect(await fake.identity.tokens.find(sha256)).toMatchObject({
      clientId: asker.clientId,
      approval: { id: shown.id, call: CALL },
      cnf: { jkt: expect.any(String) },
      assurance: 'm2',
    });
    const uses = await Promise.all([1, 2, 3, 4].map((use) => fake.identity.approvals.consume(sha256, `call-${use}`)));
    expect(uses.filter(Boolean)).toHaveLength(1);
    expect(await newest('grace')).toMatchObject({ state: 'used', uses: 1, decidedBy: { name: 'grace' } });
    const actions = (await readAudit(fake.db, { after: 0, limit: 500 })).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['approval.asked', 'approval.approved', 'approval.used']));
  });

  test('fetched again is withdrawn: somebody else may have the first token', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask();
    await decide('grace', (await newest('grace')).id, 'approve');
    const { access_token: token } = await asker.poll(asked.auth_req_id);
    await expect(asker.poll(asked.auth_req_id)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await fake.identity.approvals.consume(hashSecret(token).toString('hex'), 'call')).toBe(false);
  });

  test('fetched several times at once gives one token at most', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask();
    await decide('grace', (await newest('grace')).id, 'approve');
    const polls = await Promise.allSettled([1, 2, 3].map(() => asker.poll(asked.auth_req_id)));
    expect(polls.filter((one) => one.status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  test('denied, says so to the integration', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask();
    const { id } = await newest('grace');
    expect((await decide('grace', id, 'deny', 'not this month')).statusCode).toBe(200);
    await expect(asker.poll(asked.auth_req_id)).rejects.toMatchObject({ error: 'access_denied' });
    expect((await decide('grace', id, 'approve')).json()).toMatchObject({ code: 'identity.approval_over' });
  });

  test('covers as many calls as it names', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask({}, { ...CALL, count: 3 });
    await decide('grace', (await newest('grace')).id, 'approve');
    const { access_token: token } = await asker.poll(asked.auth_req_id);
    const sha256 = hashSecret(token).toString('hex');
    const uses = await Promise.all([1, 2, 3, 4, 5].map((use) => fake.identity.approvals.consume(sha256, `${use}`)));
    expect(uses.filter(Boolean)).toHaveLength(3);
  });
});

describe('a client that polls', () => {
  test('too fast is slowed down, in whatever process; the answer is never kept from it', async () => {
    const asker = await makeAsker();
    const { auth_req_id: id } = await asker.ask();
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'authorization_pending' });
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'slow_down' });
    const row = () =>
      fake.db
        .tables<IdentityTables>()
        .selectFrom('oauth_artifacts')
        .select(['poll_interval_s', 'polled_at'])
        .where('hash', '=', hashSecret(id))
        .executeTakeFirstOrThrow();
    expect((await row()).poll_interval_s).toBe(10);
    const polledAgo = (seconds: number) =>
      fake.db
        .tables<IdentityTables>()
        .updateTable('oauth_artifacts')
        .set({ polled_at: new Date(Date.now() - seconds * 1_000) })
        .where('hash', '=', hashSecret(id))
        .execute();
    await polledAgo(6);
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'slow_down' });
    await polledAgo(16);
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'authorization_pending' });
    expect((await row()).poll_interval_s).toBe(15);
    await decide('grace', (await newest('grace')).id, 'approve');
    await expect(asker.poll(id)).resolves.toMatchObject({ access_token: expect.any(String) });
  });
});

describe('a client that is told', () => {
  const NOTIFICATION = { client_notification_token: 'n-0S6_WzA2Mj.notify' };
  beforeEach(() => {
    [told, answers] = [[], []];
  });
  const one = () => expect.poll(() => told.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(1);

  test('by ping learns the id of the request, and fetches the token with its key', async () => {
    const asker = await makeAsker('ping');
    const { auth_req_id: id } = await asker.ask(NOTIFICATION);
    await decide('grace', (await newest('grace')).id, 'approve');
    await one();
    expect(told[0]?.body).toEqual({ auth_req_id: id });
    expect(told[0]?.headers).toMatchObject({
      authorization: 'Bearer n-0S6_WzA2Mj.notify',
      'content-type': 'application/json',
    });
    const { access_token: token } = await asker.poll(id);
    expect(await fake.identity.tokens.find(hashSecret(token).toString('hex'))).toMatchObject({ assurance: 'm2' });
  });

  test('by ping is told again when its endpoint failed, and can poll when it never heard', async () => {
    answers = [503, 204];
    const asker = await makeAsker('ping');
    const { auth_req_id: id } = await asker.ask(NOTIFICATION);
    await decide('grace', (await newest('grace')).id, 'deny', 'not this month');
    await expect.poll(() => told.length, { timeout: 8_000 }).toBe(2);
    expect(told[1]?.body).toEqual({ auth_req_id: id });
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'access_denied' });
  });

  test('by push is told by another process, when the one that took the decision ended before it could', async () => {
    // Nobody listens, then only a process that starts later is there to tell it.
    answers = [500, 204];
    const asker = await makeAsker('push');
    const { auth_req_id: id } = await asker.ask(NOTIFICATION);
    await decide('grace', (await newest('grace')).id, 'approve');
    await one();
    await oauth.stop();
    const waiting = await fake.db
      .tables<{ backchannel_notifications: { sealed: string } }>()
      .selectFrom('backchannel_notifications')
      .select('sealed')
      .execute();
    expect(waiting).toHaveLength(1);
    // What lies there is sealed: neither the token nor the request can be read from it.
    expect(waiting[0]!.sealed).not.toContain(id);
    oauth = await fake.identity.startOauthServer();
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(2);
    expect(told[1]?.body).toMatchObject({ auth_req_id: id, access_token: expect.any(String) });
    expect(told[1]?.body).toEqual(told[0]?.body);
  });

  test('by push gets token and ID token, once, and has nothing to fetch', async () => {
    const asker = await makeAsker('push');
    const { auth_req_id: id } = await asker.ask(NOTIFICATION);
    await expect(asker.poll(id)).rejects.toMatchObject({ error: 'unauthorized_client' });
    const { id: approval } = await newest('grace');
    await decide('grace', approval, 'approve');
    await one();
    const body = told[0]?.body ?? {};
    expect(body).toMatchObject({ auth_req_id: id, token_type: 'Bearer', expires_in: expect.any(Number) });
    expect(told[0]?.headers.authorization).toBe('Bearer n-0S6_WzA2Mj.notify');
    const token = String(body['access_token']);
    const sha256 = hashSecret(token).toString('hex');
    expect(await fake.identity.tokens.find(sha256)).toMatchObject({
      approval: { id: approval, call: CALL },
      cnf: null,
    });
    const keys = createRemoteJWKSet(new URL(`${issuer}/oauth/jwks`));
    const { payload } = await jwtVerify(String(body['id_token']), keys, { issuer, audience: asker.clientId });
    const half = createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
    expect(payload).toMatchObject({
      sub: person('grace').id,
      at_hash: half,
      'urn:openid:params:jwt:claim:auth_req_id': id,
    });
    const uses = await Promise.all([1, 2].map((use) => fake.identity.approvals.consume(sha256, `push-${use}`)));
    expect(uses.filter(Boolean)).toHaveLength(1);
  });

  test('by push learns that it was denied', async () => {
    const asker = await makeAsker('push');
    const { auth_req_id: id } = await asker.ask(NOTIFICATION);
    await decide('grace', (await newest('grace')).id, 'deny', 'not this month');
    await one();
    expect(told[0]?.body).toMatchObject({ auth_req_id: id, error: 'access_denied' });
    expect(told[0]?.body).not.toHaveProperty('access_token');
  });

  test('needs a token of its own to be told with', async () => {
    const asker = await makeAsker('ping');
    await expect(asker.ask()).rejects.toMatchObject({ error: 'invalid_request' });
  });

  test.each([
    ['plain http', { mode: 'ping', endpoint: 'http://client.example/told' }, 'dpop'],
    ['the metadata of a cloud', { mode: 'ping', endpoint: 'https://169.254.169.254/told' }, 'dpop'],
    ['this machine', { mode: 'push', endpoint: 'https://127.0.0.1/told' }, 'none'],
    ['a pushed token that would have to be bound', { mode: 'push', endpoint: 'https://client.example/told' }, 'dpop'],
  ] as const)('is not made with %s', async (_what, delivery, binding) => {
    const input = { integrationId: IntegrationId.create(), name: 'payroll', binding, delivery } as const;
    const auth = { method: 'client_secret_basic' } as const;
    await expect(fake.identity.oauthClients.create(OWNER, { ...input, auth })).rejects.toMatchObject({
      code: 'identity.client_invalid',
    });
  });

  test('is offered all three ways in the server’s metadata', async () => {
    const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({ backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'] });
  });
});

describe('nobody approves', () => {
  test('what their own integration asks for', async () => {
    const asker = await makeAsker();
    await asker.ask();
    const { id } = await newest('ada');
    const refused = await decide('ada', id, 'approve');
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'identity.approval_own' });
  });

  test('what another person was asked', async () => {
    const asker = await makeAsker();
    await asker.ask({ login_hint: 'linus@example.com' });
    const { id } = await newest('grace');
    expect((await decide('grace', id, 'approve')).json()).toMatchObject({ code: 'identity.approval_own' });
    await stepUp('linus');
    expect((await decide('linus', id, 'approve')).statusCode).toBe(200);
  });

  test('without the role, or with an API token', async () => {
    const asker = await makeAsker();
    await asker.ask();
    const { id } = await newest('grace');
    expect((await decide('dev', id, 'approve')).statusCode).toBe(403);
    const made = await person('grace').browser.send('POST', '/api/v1/api-tokens', {
      name: 'script',
      roles: ['security'],
      days: 1,
    });
    const response = await server.inject({
      method: 'POST',
      url: `/api/v1/approvals/${id}/approve`,
      headers: { authorization: `Bearer ${made.json().value}` },
      payload: { reason: 'by script' },
    });
    expect(response.statusCode).toBe(401);
  });

  const stale: [string, { readonly strongAuthAt: number | null; readonly amr: string[] }][] = [
    ['a passkey shown three minutes ago', { strongAuthAt: Date.now() - 180_000, amr: ['hwk'] }],
    ['no factor', { strongAuthAt: null, amr: ['pwd'] }],
    ['a code shown just now, after a passkey', { strongAuthAt: Date.now() + 60_000, amr: ['hwk', 'otp'] }],
  ];
  test.each(stale)('with %s', async (_what, shown) => {
    const asker = await makeAsker();
    await asker.ask();
    const { id } = await newest('grace');
    const [session] = await fake.identity.sessions.list(
      { kind: 'system', name: 'test' },
      PersonId.parse(person('grace').id),
    );
    const actor = { kind: 'person', id: person('grace').id, name: 'grace', roles: ['security'] } as const;
    const principal = { actor, via: 'session', session: { ...session!, ...shown }, expiresAt: Infinity } as const; // she has one
    await expect(fake.identity.approvals.decide(principal, id, 'approved', 'why not')).rejects.toMatchObject({
      code: 'kernel.step_up_required',
    });
  });

  test('what is over', async () => {
    const asker = await makeAsker();
    const asked = await asker.ask({ requested_expiry: '1' });
    const { id } = await newest('grace');
    await expect.poll(async () => (await newest('grace')).state, { timeout: 5_000 }).toBe('expired');
    expect((await decide('grace', id, 'approve')).json()).toMatchObject({ code: 'identity.approval_over' });
    await expect(asker.poll(asked.auth_req_id)).rejects.toMatchObject({ error: 'expired_token' });
  });
});

describe('nothing is asked for', () => {
  const requests: [string, Record<string, string>, object, string][] = [
    ['without details', { authorization_details: '[]' }, CALL, 'invalid_authorization_details'],
    ['of another type', {}, { ...CALL, type: 'payment' }, 'invalid_authorization_details'],
    ['with members nobody knows', {}, { ...CALL, also: 'this' }, 'invalid_authorization_details'],
    ['for an app that isn’t there', {}, { ...CALL, app: 'unknown' }, 'invalid_authorization_details'],
    ['of somebody who may not approve', { login_hint: 'dev@example.com' }, CALL, 'unknown_user_id'],
    ['of nobody', { login_hint: 'nobody@example.com' }, CALL, 'unknown_user_id'],
    ['with a message of control characters', { binding_message: 'a\u0007b' }, CALL, 'invalid_binding_message'],
  ];
  test.each(requests)('%s', async (_what, extra, call, error) => {
    const asker = await makeAsker();
    await expect(asker.ask(extra, call)).rejects.toMatchObject({ error });
  });

  test('at the token endpoint: details need a person', async () => {
    const made = await fake.identity.oauthClients.create(OWNER, {
      integrationId: IntegrationId.create(),
      name: 'payroll',
      auth: { method: 'client_secret_basic' },
    });
    const basic = Buffer.from(`${made.client.id}:${made.secret}`).toString('base64');
    const form = { grant_type: 'client_credentials', authorization_details: JSON.stringify([CALL]) };
    const headers = { authorization: `Basic ${basic}` };
    const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
    expect(await response.json()).toMatchObject({ error: 'invalid_authorization_details' });
  });
});
