import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationId, PersonId, readAudit, type Role, systemClock } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OauthServer } from '../oauth/oauth-server.ts';
import { createTestBrowser, startTestServer, type TestBrowser } from '../test-server.ts';
import {
  createFakeIdentity,
  createSoftwareAuthenticator,
  type FakeIdentity,
  type SoftwareAuthenticator,
} from '../testing.ts';
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
  issuer = `http://localhost:${(http.address() as AddressInfo).port}`; // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    findIntegration: async () => ({ name: 'payroll', ownerId, active: true }),
    hasApp: async (name) => name === 'bank',
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
  await server.close();
  await oauth.stop();
  await fake.test.drop();
});

async function makeAsker() {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const made = await fake.identity.oauthClients.create(OWNER, {
    integrationId: IntegrationId.create(),
    name: 'payroll',
    auth: { method: 'private_key_jwt', jwks: { keys: [await exportJWK(pair.publicKey)] } },
    binding: 'dpop',
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
