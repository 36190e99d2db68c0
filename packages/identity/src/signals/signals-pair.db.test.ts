import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@cordon/kernel';
import { fastify, type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OauthServer } from '../oauth/oauth-server.ts';
import { OWNER } from '../sso/test-sso.ts';
import { createTestBrowser, startTestServer, type TestBrowser } from '../test-server.ts';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';
import type { SignalServer } from './signals.ts';
import { DEFAULT_ACTS } from './source-store.ts';
import { signalEndpoints } from './stream-routes.ts';

/** Two Cordons over HTTP, each with its own database and keys: what is revoked at one ends at the other. */

interface Cordon {
  readonly url: string;
  readonly fake: FakeIdentity;
  readonly signals: SignalServer;
  /** Bo, signed in there with a passkey. */
  readonly bo: TestBrowser;
  signIn(): Promise<number>;
  isIn(): Promise<boolean>;
  stop(): Promise<void>;
}

const hosts: string[] = [];

async function listen(): Promise<{ http: Server; url: string }> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`; // listening on TCP
  hosts.push(new URL(url).host);
  return { http, url };
}

async function startOne(http: Server, url: string): Promise<Cordon> {
  const fake = await createFakeIdentity({ clock: systemClock, config: { publicUrl: url, signOnPrivateHosts: hosts } });
  const { server } = await startTestServer(fake);
  const oauth: OauthServer = await fake.identity.startOauthServer();
  const endpoints: FastifyInstance = fastify();
  await endpoints.register(signalEndpoints(fake.identity));
  await endpoints.ready();
  http.on('request', (request, response) => {
    if ((request.url ?? '').startsWith('/oauth/')) void oauth.handle(request, response);
    else endpoints.routing(request, response);
  });
  const signals = await fake.identity.signals.start();
  const invited = await fake.identity.people.invite(OWNER, {
    name: 'Bo',
    email: 'bo@example.com',
    roles: ['developer'],
  });
  const bo = createTestBrowser(server, url);
  const key = createSoftwareAuthenticator(url);
  await bo.send('POST', '/api/v1/auth/link', { token: invited.link.token });
  const started = (await bo.send('POST', '/api/v1/auth/passkey/register/options')).json();
  const answer = { challengeId: started.challengeId, response: key.create(started.options), name: 'Key' };
  await bo.send('POST', '/api/v1/auth/passkey/register/verify', answer);
  return {
    url,
    fake,
    signals,
    bo,
    async signIn() {
      const { challengeId, options } = (await bo.send('POST', '/api/v1/auth/passkey/options')).json();
      return (await bo.send('POST', '/api/v1/auth/passkey/verify', { challengeId, response: key.get(options) }))
        .statusCode;
    },
    isIn: async () => (await bo.send('GET', '/api/v1/session')).json().actor !== null,
    async stop() {
      await signals.stop();
      await oauth.stop();
      await endpoints.close();
      await server.close();
      http.closeAllConnections();
      http.close();
      await fake.test.drop();
    },
  };
}

async function boAt({ fake }: Cordon) {
  const found = (await fake.identity.people.list(OWNER, { limit: 10 })).find(({ name }) => name === 'Bo');
  if (!found) throw new Error('Bo is not there');
  return found.id;
}

let here: Cordon;
let there: Cordon;

beforeAll(async () => {
  const [first, second] = [await listen(), await listen()];
  here = await startOne(first.http, first.url);
  there = await startOne(second.http, second.url);
});
afterAll(async () => {
  await here.stop();
  await there.stop();
});

/** `there` hears of what happens `here`. */
async function connect(delivery: 'push' | 'poll'): Promise<string> {
  const { token, receiver } = await here.fake.identity.signals.admin.addReceiver(OWNER, {
    name: `there by ${delivery}`,
    audience: there.url,
    subjectFormat: 'email',
    allSubjects: true,
    push: null,
  });
  const { source } = await there.fake.identity.signals.admin.addSource(OWNER, {
    name: `here by ${delivery}`,
    issuer: here.url,
    delivery,
    token,
    acts: DEFAULT_ACTS,
  });
  expect(source).toMatchObject({ streamId: receiver.id, audience: there.url, lastError: null });
  await here.signals.run();
  await there.signals.run();
  return source.id;
}

const SESSIONS_MS_MAX = 20_000;

test.each(['push', 'poll'] as const)('a session that is revoked at one ends at the other: %s', async (delivery) => {
  const id = await connect(delivery);
  const { admin } = there.fake.identity.signals;
  await here.signIn();
  await there.signIn();
  expect([await here.isIn(), await there.isIn()]).toEqual([true, true]);
  const [session] = await here.fake.identity.sessions.list(OWNER, await boAt(here));
  expect(session).toBeDefined();
  await here.bo.send('DELETE', '/api/v1/session');
  await expect.poll(() => there.isIn(), { timeout: SESSIONS_MS_MAX }).toBe(false);
  expect((await admin.received(OWNER, id))[0]).toMatchObject({ event: 'session-revoked', outcome: 'end-sessions' });
  expect((await admin.sources(OWNER)).find((one) => one.id === id)?.verifiedAt).not.toBeNull();
  await admin.removeSource(OWNER, id);
  // Our stream there is gone with it.
  expect(
    (await here.fake.identity.signals.admin.receivers(OWNER)).find(({ name }) => name.endsWith(delivery))?.stream,
  ).toBeNull();
});

test('who is disabled at one signs in no more at the other, until enabled again', async () => {
  const { token } = await here.fake.identity.signals.admin.addReceiver(OWNER, {
    name: 'leavers',
    audience: there.url,
    subjectFormat: 'email',
    allSubjects: true,
    push: null,
  });
  await there.fake.identity.signals.admin.addSource(OWNER, {
    name: 'leavers',
    issuer: here.url,
    delivery: 'push',
    token,
    acts: DEFAULT_ACTS,
  });
  await there.signIn();
  const bo = await boAt(here);
  await here.fake.identity.people.disable(OWNER, bo, 'left');
  await expect.poll(() => there.fake.identity.signals.admin.holds(OWNER), { timeout: SESSIONS_MS_MAX }).toHaveLength(1);
  expect([await there.isIn(), await there.signIn()]).toEqual([false, 403]);
  await here.fake.identity.people.enable(OWNER, bo);
  await expect.poll(() => there.fake.identity.signals.admin.holds(OWNER), { timeout: SESSIONS_MS_MAX }).toHaveLength(0);
  expect(await there.signIn()).toBe(200);
});
