import { readAudit } from '@cordon/kernel';
import { fastify, type FastifyInstance } from 'fastify';
import { createLocalJWKSet, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityTables } from '../tables.ts';
import { OWNER, openSsoBrowser, type SsoBrowser, type SsoStage, startSsoStage } from '../sso/test-sso.ts';
import { EVENT_TYPES, type SignalName } from './signal-event.ts';
import { signalEndpoints } from './stream-routes.ts';
import type { SignalAdmin } from './signal-admin.ts';
import type { SignalServer } from './signals.ts';
import { DEFAULT_ACTS } from './source-store.ts';
import { type Peer, startPeer } from './test-peer.ts';

/** Both halves against software that is jose and nothing of ours: a receiver, and a transmitter with faults. */

let stage: SsoStage;
let signals: SignalServer;
let admin: SignalAdmin;
let outside: FastifyInstance;
let peer: Peer;
let ada: SsoBrowser;
let bo: SsoBrowser;

beforeAll(async () => {
  peer = await startPeer();
  stage = await startSsoStage({ signOnPrivateHosts: [new URL(peer.url).host] });
  ({ admin } = stage.fake.identity.signals);
  // The stage's routes are built already; the endpoints for others live beside them.
  outside = fastify();
  await outside.register(signalEndpoints(stage.fake.identity));
  signals = await stage.fake.identity.signals.start();
  ada = await openSsoBrowser(stage, { as: 'first-owner' });
  bo = await openSsoBrowser(stage, { as: { name: 'Bo Diddley', roles: ['auditor'] } });
});
afterAll(async () => {
  await signals.stop();
  await outside.close();
  await stage.stop();
  peer.stop();
});
beforeEach(() => {
  peer.pushed.length = 0;
  peer.polls.length = 0;
  peer.answer = { status: 202, body: '' };
});

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  url: string,
  token: string,
  body?: object | string,
) {
  const isToken = typeof body === 'string';
  const response = await outside.inject({
    method,
    url,
    headers: {
      ...(token === '' ? {} : { authorization: token.includes(' ') ? token : `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': isToken ? 'application/secevent+jwt' : 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: response.statusCode, body: response.body === '' ? null : response.json() };
}

async function addReceiver(name: string, more: object = {}) {
  return admin.addReceiver(OWNER, {
    name,
    audience: `https://${name}.example`,
    subjectFormat: 'email',
    allSubjects: true,
    push: null,
    ...more,
  });
}

/** As a receiver that isn't ours checks a token. */
async function checkSet(token: string, audience: string) {
  const keys = { keys: await stage.fake.identity.signingKeys.publicKeys() };
  return jwtVerify(token, createLocalJWKSet(keys), { issuer: stage.url, audience, typ: 'secevent+jwt' });
}

describe('transmitter', () => {
  test('its metadata names every endpoint', async () => {
    const { status, body } = await call('GET', '/.well-known/ssf-configuration', '');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      spec_version: '1_0',
      issuer: stage.url,
      delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    });
    for (const name of ['jwks_uri', 'configuration_endpoint', 'status_endpoint', 'verification_endpoint']) {
      expect(body[name]).toContain(stage.url);
    }
  });

  test('a receiver makes, reads, changes, pauses and deletes its stream, and no other’s', async () => {
    const { receiver, token } = await addReceiver('manager');
    const { token: other } = await addReceiver('other');
    expect((await call('GET', '/ssf/streams', token)).body).toEqual([]);
    const made = await call('POST', '/ssf/streams', token, {
      delivery: { method: 'urn:ietf:rfc:8936' },
      events_requested: [EVENT_TYPES['session-revoked'], 'https://unknown.example/event'],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      stream_id: receiver.id,
      iss: stage.url,
      aud: 'https://manager.example',
      events_delivered: [EVENT_TYPES['session-revoked']],
      delivery: { endpoint_url: `${stage.url}/ssf/poll/${receiver.id}` },
    });
    expect((await call('POST', '/ssf/streams', token, {})).status).toBe(409);
    const changed = await call('PATCH', '/ssf/streams', token, { stream_id: receiver.id, events_requested: [] });
    expect(changed.body.events_delivered).toHaveLength(7);
    const paused = { stream_id: receiver.id, status: 'paused', reason: 'a pause' };
    expect((await call('POST', '/ssf/status', token, paused)).body).toEqual(paused);
    expect((await call('GET', `/ssf/status?stream_id=${receiver.id}`, other)).status).toBe(404);
    expect((await call('DELETE', `/ssf/streams?stream_id=${receiver.id}`, other)).status).toBe(404);
    expect((await call('DELETE', `/ssf/streams?stream_id=${receiver.id}`, token)).status).toBe(204);
    expect((await call('GET', `/ssf/streams?stream_id=${receiver.id}`, token)).status).toBe(404);
  });

  test.each([
    ['no token', ''],
    ['a token of nobody', 'cordon_ssf_nobody'],
  ])('%s: 401', async (_name, token) => {
    const { status, body } = await call('GET', '/ssf/streams', token);
    expect([status, body.err]).toEqual([401, 'authentication_failed']);
  });

  test.each([
    ['push without an address', { delivery: { method: 'urn:ietf:rfc:8935' } }],
    ['push into a private network', { delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://10.0.0.1/x' } }],
    ['push in plaintext', { delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'http://example.com/x' } }],
    ['a method that there is none of', { delivery: { method: 'mail' } }],
  ])('%s: 400', async (name, body) => {
    const { token } = await addReceiver(`bad ${name}`.replaceAll(' ', '-'));
    expect((await call('POST', '/ssf/streams', token, body)).status).toBe(400);
  });

  test('pushes an ended session, signed, with the receiver’s own header (RFC 8935)', async () => {
    const { token } = await addReceiver('pushed');
    await call('POST', '/ssf/streams', token, {
      delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: `${peer.url}/in`, authorization_header: 'Bearer theirs' },
      events_requested: [EVENT_TYPES['session-revoked']],
    });
    const session = (await stage.fake.identity.sessions.list(OWNER, bo.personId))[0];
    await stage.fake.identity.sessions.endAll(OWNER, bo.personId);
    await signals.run();
    expect(peer.pushed).toMatchObject([{ authorization: 'Bearer theirs', type: 'application/secevent+jwt' }]);
    const { payload } = await checkSet(peer.pushed[0]?.body ?? '', 'https://pushed.example');
    expect(payload).toMatchObject({
      sub_id: {
        format: 'complex',
        user: { format: 'email', email: 'bo.diddley@example.com' },
        session: { format: 'opaque', id: session?.id },
      },
      events: { [EVENT_TYPES['session-revoked']]: { event_timestamp: expect.any(Number) } },
    });
    expect(payload).not.toHaveProperty('sub');
    expect(payload).not.toHaveProperty('exp');
    await bo.signInAgain();
  });

  test('tries again when nobody answers, and keeps what was refused as dead', async () => {
    const receiver = (await admin.receivers(OWNER)).find(({ name }) => name === 'pushed');
    peer.answer = { status: 503, body: '' };
    await stage.fake.identity.sessions.endAll(OWNER, bo.personId);
    await signals.run();
    const [waiting] = await admin.outbox(OWNER, receiver?.id ?? '', 'waiting');
    expect(waiting).toMatchObject({ attempts: 1, outcome: expect.stringContaining('HTTP 503') });
    expect((waiting?.nextAt ?? 0) - Date.now()).toBeGreaterThan(1_000);
    peer.answer = { status: 400, body: '{"err":"invalid_audience"}' };
    await stage.fake.db
      .tables<IdentityTables>()
      .updateTable('signal_outbox')
      .set({ next_at: new Date(0) })
      .execute();
    await signals.run();
    const [dead] = await admin.outbox(OWNER, receiver?.id ?? '', 'dead');
    expect(dead).toMatchObject({ id: waiting?.id, outcome: expect.stringContaining('invalid_audience') });
    peer.answer = { status: 202, body: '' };
    expect(await admin.requeue(OWNER, receiver?.id ?? '', [dead?.id ?? ''])).toBe(1);
    await signals.run();
    expect((await admin.outbox(OWNER, receiver?.id ?? '', 'delivered')).map(({ id }) => id)).toContain(dead?.id);
    await bo.signInAgain();
  });

  test('hands out what waits, until it is acknowledged (RFC 8936), of the subjects that were added', async () => {
    const { receiver, token } = await addReceiver('polled', { allSubjects: false, subjectFormat: 'iss_sub' });
    await call('POST', '/ssf/streams', token, { delivery: { method: 'urn:ietf:rfc:8936' } });
    const poll = (body: object = {}) =>
      call('POST', `/ssf/poll/${receiver.id}`, token, { returnImmediately: true, ...body });
    await stage.fake.identity.people.change(OWNER, bo.personId, { roles: ['auditor'] });
    await stage.fake.identity.sessions.endAll(OWNER, bo.personId);
    await signals.run();
    expect((await poll()).body.sets).toEqual({});
    const subject = { format: 'email', email: 'BO.diddley@example.com' };
    const add = await call('POST', '/ssf/subjects/add', token, { stream_id: receiver.id, subject });
    expect(add.status).toBe(200);
    await bo.signInAgain();
    await stage.fake.identity.sessions.endAll(OWNER, bo.personId);
    await signals.run();
    const first = await poll();
    const [jti = ''] = Object.keys(first.body.sets);
    expect(Object.keys((await poll()).body.sets)).toEqual([jti]);
    const { payload } = await checkSet(first.body.sets[jti], 'https://polled.example');
    expect(payload).toMatchObject({
      jti,
      sub_id: { user: { format: 'iss_sub', iss: `${stage.url}/sso`, sub: bo.personId } },
    });
    expect((await poll({ ack: [jti] })).body.sets).toEqual({});
    await call('POST', '/ssf/subjects/remove', token, { stream_id: receiver.id, subject });
    await bo.signInAgain();
    await stage.fake.identity.sessions.endAll(OWNER, bo.personId);
    await signals.run();
    expect((await poll()).body.sets).toEqual({});
    const verify = await call('POST', '/ssf/verify', token, { stream_id: receiver.id, state: 'abc' });
    expect(verify.status).toBe(204);
    const [token2 = ''] = Object.values<string>((await poll()).body.sets);
    expect((await checkSet(token2, 'https://polled.example')).payload['events']).toEqual({
      'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'abc' },
    });
    await bo.signInAgain();
  });

  test('a leaver, a new and a removed factor, a recovery link and a change of address are told', async () => {
    const { receiver, token } = await addReceiver('everything');
    await call('POST', '/ssf/streams', token, { delivery: { method: 'urn:ietf:rfc:8936' } });
    const eve = await openSsoBrowser(stage, { as: { name: 'Eve Adams', roles: [] } });
    await stage.fake.identity.links.createRecoveryLink(OWNER, eve.personId);
    await stage.fake.identity.people.resetFactors(OWNER, eve.personId);
    await stage.fake.identity.people.disable(OWNER, eve.personId, 'left');
    await stage.fake.identity.people.enable(OWNER, eve.personId);
    await signals.run();
    const rows = await admin.outbox(OWNER, receiver.id);
    expect(rows.map(({ event }) => event).toReversed()).toEqual([
      'credential-change',
      'recovery-activated',
      'credential-change',
      'session-revoked',
      'account-disabled',
      'account-enabled',
    ]);
  });
});

const SUBJECT = { format: 'email', email: 'bo.diddley@example.com' };

async function makeSet(
  change: {
    claims?: Record<string, unknown>;
    header?: Record<string, unknown>;
    key?: CryptoKey | Uint8Array;
    alg?: string;
    name?: SignalName;
    event?: object;
  } = {},
): Promise<string> {
  const { claims = {}, header = {}, key = peer.key, alg = 'RS256', name = 'session-revoked', event = {} } = change;
  const all: Record<string, unknown> = {
    iss: peer.url,
    aud: 'https://aud.example',
    iat: Math.floor(Date.now() / 1000),
    jti: crypto.randomUUID(),
    sub_id: SUBJECT,
    events: { [EVENT_TYPES[name]]: event },
    ...claims,
  };
  const defined = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(defined).setProtectedHeader({ alg, typ: 'secevent+jwt', kid: 'k1', ...header }).sign(key);
}

describe('receiver', () => {
  let id = '';
  let authorization = '';
  const send = (token: string, header = authorization) => call('POST', `/ssf/in/${id}`, header, token);
  const sessions = async () => (await stage.fake.identity.sessions.list(OWNER, bo.personId)).length;

  beforeAll(async () => {
    const made = await admin.addSource(OWNER, {
      name: 'Peer',
      issuer: peer.url,
      delivery: 'push',
      token: 'ours',
      acts: DEFAULT_ACTS,
    });
    ({ id } = made.source);
    ({ authorization } = made.address);
  });

  test('its stream is made at the transmitter, with the events that are acted on', () => {
    expect(peer.created[0]).toMatchObject({
      delivery: {
        method: 'urn:ietf:rfc:8935',
        endpoint_url: `${stage.url}/ssf/in/${id}`,
        authorization_header: authorization,
      },
    });
  });

  test.each<[string, () => Promise<string>, string]>([
    ['another issuer', () => makeSet({ claims: { iss: 'https://evil.example' } }), 'invalid_issuer'],
    ['another audience', () => makeSet({ claims: { aud: 'https://other.example' } }), 'invalid_audience'],
    ['no jti', () => makeSet({ claims: { jti: undefined } }), 'invalid_request'],
    ['no iat', () => makeSet({ claims: { iat: undefined } }), 'invalid_request'],
    ['from the future', () => makeSet({ claims: { iat: Date.now() / 1000 + 3_600 } }), 'invalid_request'],
    ['too old', () => makeSet({ claims: { iat: Date.now() / 1000 - 20 * 86_400 } }), 'invalid_request'],
    ['with sub', () => makeSet({ claims: { sub: 'somebody' } }), 'invalid_request'],
    ['with exp', () => makeSet({ claims: { exp: Math.floor(Date.now() / 1000) + 60 } }), 'invalid_request'],
    ['two events', () => makeSet({ claims: { events: { a: {}, b: {} } } }), 'invalid_request'],
    ['no event', () => makeSet({ claims: { events: {} } }), 'invalid_request'],
    ['no subject', () => makeSet({ claims: { sub_id: undefined } }), 'invalid_request'],
    ['a subject of no known form', () => makeSet({ claims: { sub_id: { format: 'mood' } } }), 'invalid_request'],
    ['an ID token in its place', () => makeSet({ header: { typ: 'JWT' } }), 'invalid_request'],
    ['a logout token in its place', () => makeSet({ header: { typ: 'logout+jwt' } }), 'invalid_request'],
    ['another key', async () => makeSet({ key: (await generateKeyPair('RS256')).privateKey }), 'invalid_key'],
    ['a key id of nobody', () => makeSet({ header: { kid: 'k9' } }), 'invalid_key'],
    [
      'HMAC with the public key',
      () => makeSet({ key: new TextEncoder().encode('x'.repeat(32)), alg: 'HS256' }),
      'invalid_request',
    ],
    ['no signature', async () => `${(await makeSet()).split('.').slice(0, 2).join('.')}.`, 'invalid_key'],
    ['no token at all', async () => 'nothing', 'invalid_request'],
  ])('%s is refused and does nothing', async (_name, make, err) => {
    const before = await sessions();
    const { status, body } = await send(await make());
    expect([status, body.err]).toEqual([400, err]);
    expect(await sessions()).toBe(before);
  });

  test.each([
    ['none', ''],
    ['another one', 'Bearer somebody'],
  ])('an Authorization of %s is refused', async (_name, header) => {
    expect((await send(await makeSet(), header)).body.err).toBe('authentication_failed');
  });

  test('a token that is too large is refused before it is read', async () => {
    expect((await send('x'.repeat(70_000))).status).toBe(413);
  });

  test('a session-revoked ends the person’s sessions, once, with audit; the second of the same is acknowledged', async () => {
    await bo.signInAgain();
    const token = await makeSet({ claims: { jti: 'one' } });
    expect((await send(token)).status).toBe(202);
    expect(await sessions()).toBe(0);
    await bo.signInAgain();
    expect((await send(token)).status).toBe(202);
    expect(await sessions()).toBe(1);
    const audit = (await readAudit(stage.fake.db, { limit: 50 })).find(({ action }) => action === 'signal.received');
    expect(audit).toMatchObject({
      target: { id: bo.personId },
      detail: { event: 'session-revoked', act: 'end-sessions' },
    });
  });

  test('who isn’t known is acknowledged and noted', async () => {
    const subject = { format: 'email', email: 'nobody@example.com' };
    expect((await send(await makeSet({ claims: { sub_id: subject } }))).status).toBe(202);
    expect((await admin.received(OWNER, id))[0]).toMatchObject({ outcome: 'nobody here', personId: null });
  });

  test.each<[string, SignalName, object, string]>([
    ['a stronger sign-in', 'assurance-level-change', { change_direction: 'increase' }, 'noted'],
    ['a weaker one', 'assurance-level-change', { change_direction: 'decrease' }, 'require-factor'],
    ['a new factor', 'credential-change', { change_type: 'create' }, 'noted'],
    ['a removed factor', 'credential-change', { change_type: 'delete' }, 'require-factor'],
    ['a device in order', 'device-compliance-change', { current_status: 'compliant' }, 'note-compliance'],
    ['a risk', 'risk-level-change', { current_level: 'HIGH' }, 'note-risk'],
    ['all sessions (RISC)', 'sessions-revoked', {}, 'end-sessions'],
    ['an address of somebody else now', 'identifier-recycled', {}, 'end-sessions'],
  ])('%s: %s', async (_name, name, event, outcome) => {
    expect((await send(await makeSet({ name, event }))).status).toBe(202);
    expect((await admin.received(OWNER, id))[0]).toMatchObject({ event: name, outcome });
  });

  test('a suspended account signs in no more until it is enabled there', async () => {
    expect((await send(await makeSet({ name: 'account-disabled' }))).status).toBe(202);
    expect(await bo.signInAgain()).toBe(403);
    expect(await admin.holds(OWNER)).toMatchObject([{ personId: bo.personId, hold: 'suspended' }]);
    await send(await makeSet({ name: 'account-enabled' }));
    expect(await bo.signInAgain()).toBe(200);
  });

  test('factors that must be replaced: only a recovery link leads in, or a person who lifts it', async () => {
    await send(await makeSet({ name: 'credential-compromise' }));
    expect(await bo.signInAgain()).toBe(403);
    await admin.liftHold(OWNER, bo.personId);
    expect(await bo.signInAgain()).toBe(200);
  });

  test('an owner loses sessions, but nobody outside shuts them out', async () => {
    const subject = { format: 'email', email: 'ada.lovelace@example.com' };
    await send(await makeSet({ name: 'account-disabled', claims: { sub_id: subject } }));
    expect(await stage.fake.identity.sessions.list(OWNER, ada.personId)).toEqual([]);
    expect(await ada.signInAgain()).toBe(200);
  });

  test('a verification is believed with the state that was asked for, and with no other', async () => {
    const type = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
    const { verify_state: state } = await stage.fake.db
      .tables<IdentityTables>()
      .selectFrom('signal_sources')
      .select('verify_state')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const events = (value: string | null) => ({
      events: { [type]: { state: value } },
      sub_id: { format: 'opaque', id: 's-1' },
    });
    expect((await send(await makeSet({ claims: events('wrong') }))).body.err).toBe('invalid_state');
    expect((await send(await makeSet({ claims: events(state) }))).status).toBe(202);
    expect((await admin.sources(OWNER)).find((one) => one.id === id)?.verifiedAt).not.toBeNull();
  });

  test('a source that is polled is asked, acknowledged, and told of what was refused', async () => {
    const made = await admin.addSource(OWNER, {
      name: 'Polled peer',
      issuer: peer.url,
      delivery: 'poll',
      token: 'ours',
      acts: DEFAULT_ACTS,
    });
    await bo.signInAgain();
    await signals.run();
    peer.polls.length = 0;
    await stage.fake.db.tables<IdentityTables>().updateTable('signal_sources').set({ polled_at: null }).execute();
    peer.sets = {
      good: await makeSet({ claims: { jti: 'good' } }),
      bad: await makeSet({ claims: { jti: 'bad', iss: 'https://x.example' } }),
    };
    await signals.run();
    expect(peer.polls).toMatchObject([{ ack: [] }, { ack: ['good'], setErrs: { bad: { err: 'invalid_issuer' } } }]);
    expect(await sessions()).toBe(0);
    await admin.removeSource(OWNER, made.source.id);
    await bo.signInAgain();
  });

  test('what follows from a signal is told to others, but not back', async () => {
    const back = await addReceiver('back', { audience: peer.url });
    const onward = await addReceiver('onward');
    for (const { token } of [back, onward]) {
      await call('POST', '/ssf/streams', token, { delivery: { method: 'urn:ietf:rfc:8936' } });
    }
    await send(await makeSet());
    await signals.run();
    expect(await admin.outbox(OWNER, back.receiver.id)).toEqual([]);
    expect((await admin.outbox(OWNER, onward.receiver.id)).map(({ event }) => event)).toEqual(['session-revoked']);
  });
});
