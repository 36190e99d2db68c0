import type { FastifyInstance } from 'fastify';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAudit, verifyAudit } from '@cordon/kernel';
import { createTestBrowser, startTestServer, type TestBrowser } from '../test-server.ts';
import {
  type AuthenticatorFaults,
  createFakeIdentity,
  createSoftwareAuthenticator,
  type FakeIdentity,
} from '../testing.ts';

let fake: FakeIdentity;
let server: FastifyInstance;
const OWNER = { name: 'Ada Moreau', email: 'Ada@example.com' };

beforeAll(async () => {
  fake = await createFakeIdentity();
  ({ server } = await startTestServer(fake));
});
afterAll(async () => {
  await server.close();
  await fake.test.drop();
});

const newBrowser = (): TestBrowser => createTestBrowser(server, fake.publicUrl);
const authenticator = createSoftwareAuthenticator('https://cordon.example');

async function signInWithPasskey(browser: TestBrowser, key = authenticator) {
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/options')).json();
  return browser.send('POST', '/api/v1/auth/passkey/verify', { challengeId, response: key.get(options) });
}

async function enrolPasskey(browser: TestBrowser, key = authenticator) {
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  return browser.send('POST', '/api/v1/auth/passkey/register/verify', {
    challengeId,
    response: key.create(options),
    name: 'Laptop',
  });
}

function codeOf(uri: string): string {
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  return new TOTP({ secret, digits: 6, period: 30 }).generate({ timestamp: fake.clock.now() });
}

describe('the first owner', () => {
  const browser = () => newBrowser();
  let recoveryCodes: string[];

  test('opens the link, sets up a passkey and is signed in under a new cookie', async () => {
    const link = await fake.identity.links.createFirstOwnerLink();
    expect(link.url).toBe(`https://cordon.example/welcome#token=${link.token}`);
    const owner = browser();
    expect((await owner.send('POST', '/api/v1/auth/link/inspect', { token: link.token })).json()).toMatchObject({
      kind: 'first-owner',
      person: null,
    });
    const redeemed = await owner.send('POST', '/api/v1/auth/link', { token: link.token, ...OWNER });
    expect(redeemed.json()).toMatchObject({ stage: 'enrol', person: { name: OWNER.name } });
    expect(redeemed.headers['set-cookie']).toMatch(
      /^__Host-cordon_session=\S+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );

    const early = owner.cookie;
    expect((await owner.send('GET', '/api/v1/people')).statusCode).toBe(401);
    const enrolled = await enrolPasskey(owner);
    expect(enrolled.json()).toMatchObject({ signedIn: true });
    recoveryCodes = enrolled.json().recoveryCodes;
    expect(recoveryCodes).toHaveLength(10);
    expect(owner.cookie).not.toBe(early);
    expect((await owner.send('GET', '/api/v1/people')).json().people).toMatchObject([
      { name: OWNER.name, status: 'active', roles: ['owner'] },
    ]);
    const stale = browser();
    stale.cookie = early;
    expect((await stale.send('GET', '/api/v1/auth/factors')).statusCode).toBe(401);
  });

  test('gets no second link, and a used link opens nothing', async () => {
    await expect(fake.identity.links.createFirstOwnerLink()).rejects.toMatchObject({ code: 'identity.owner_exists' });
  });

  test('signs in again with the passkey, which is two factors, and signs out', async () => {
    const owner = browser();
    const signedIn = await signInWithPasskey(owner);
    expect(signedIn.json()).toMatchObject({ stage: 'full' });
    expect(fake.events.at(-1)).toMatchObject({ class_uid: 3002, activity_id: 1, status_id: 1, is_mfa: true });
    expect((await owner.send('GET', '/api/v1/session')).json()).toMatchObject({ actor: { roles: ['owner'] } });
    expect((await owner.send('DELETE', '/api/v1/session')).statusCode).toBe(204);
    expect(owner.cookie).toBeNull();
  });

  test('a recovery code opens only an enrolment session, once', async () => {
    const owner = browser();
    const login = OWNER.email.toUpperCase();
    const code = recoveryCodes[0]?.toLowerCase().replaceAll('-', ' ');
    const used = await owner.send('POST', '/api/v1/auth/recovery', { login, code });
    expect(used.json()).toMatchObject({ stage: 'enrol' });
    expect((await owner.send('GET', '/api/v1/people')).statusCode).toBe(401);
    const again = await browser().send('POST', '/api/v1/auth/recovery', { login, code });
    expect(again.statusCode).toBe(401);
  });

  test('the audit trail holds every step, unbroken', async () => {
    const actions = (await readAudit(fake.db, { limit: 100 })).map((record) => record.action);
    for (const action of ['link.made', 'person.invited', 'link.redeemed', 'passkey.added', 'recovery_code.used']) {
      expect(actions).toContain(action);
    }
    await verifyAudit(fake.db);
  });
});

describe('password and code', () => {
  const password = 'seven umbrellas at noon';
  let person: TestBrowser;
  let uri: string;

  test('an invited person sets both up; neither alone signs in', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const body = { name: 'Bo Lind', email: 'bo@example.com', roles: ['developer'] };
    const invited = await owner.send('POST', '/api/v1/people', body);
    expect(invited.statusCode).toBe(201);
    const token = invited.json().link.url.split('#token=')[1];
    person = newBrowser();
    await person.send('POST', '/api/v1/auth/link', { token });
    expect((await person.send('PUT', '/api/v1/auth/password', { password: 'Password1234!' })).statusCode).toBe(422);
    expect((await person.send('PUT', '/api/v1/auth/password', { password })).statusCode).toBe(204);
    expect((await newBrowser().send('POST', '/api/v1/auth/password', { login: body.email, password })).statusCode).toBe(
      401,
    );
    ({ uri } = (await person.send('POST', '/api/v1/auth/totp/begin')).json());
    expect((await person.send('POST', '/api/v1/auth/totp/confirm', { code: '000000' })).statusCode).toBe(422);
    const confirmed = await person.send('POST', '/api/v1/auth/totp/confirm', { code: codeOf(uri) });
    expect(confirmed.json()).toMatchObject({ signedIn: true });
  });

  test('signs in with both; a code works once', async () => {
    fake.clock.advance(60_000);
    const first = newBrowser();
    const { challengeId } = (
      await first.send('POST', '/api/v1/auth/password', { login: 'BO@example.com', password })
    ).json();
    const code = codeOf(uri);
    expect((await first.send('POST', '/api/v1/auth/totp', { challengeId, code })).json()).toMatchObject({
      stage: 'full',
    });
    const second = newBrowser();
    const next = (await second.send('POST', '/api/v1/auth/password', { login: 'bo@example.com', password })).json();
    const replay = await second.send('POST', '/api/v1/auth/totp', { challengeId: next.challengeId, code });
    expect(replay.statusCode).toBe(401);
  });

  test('guessing is slowed down and then waits; the passkey of the same person is not locked', async () => {
    const guesser = newBrowser();
    const guess = () => guesser.send('POST', '/api/v1/auth/password', { login: OWNER.email, password: 'wrong' });
    const answers = [];
    for (let tries = 0; tries < 6; tries++) answers.push((await guess()).statusCode);
    expect(answers).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await guess();
    expect(refused.headers['retry-after']).toBe('2');
    expect(refused.json()).toMatchObject({ code: 'identity.sign_in_throttled' });
    expect((await signInWithPasskey(newBrowser())).statusCode).toBe(200);
    fake.clock.advance(3_000);
    expect((await guess()).statusCode).toBe(401);
    expect(fake.events.some((event) => event.class_uid === 3001 && event.activity_id === 9)).toBe(true);
  });

  test('a wrong login, a wrong password and a missing factor look the same', async () => {
    fake.clock.advance(2 * 60 * 60_000);
    const bodies = [
      { login: 'nobody@example.com', password },
      { login: 'bo@example.com', password: 'wrong' },
      { login: OWNER.email, password },
    ];
    const answers = await Promise.all(bodies.map((body) => newBrowser().send('POST', '/api/v1/auth/password', body)));
    const details = answers.map((answer) => answer.json().detail);
    expect(new Set(details).size).toBe(1);
    expect(answers.map((answer) => answer.statusCode)).toEqual([401, 401, 401]);
  });
});

describe('passkeys that must not pass', () => {
  const faults: [string, AuthenticatorFaults, number[]][] = [
    ['without user verification', { withoutUserVerification: true }, [400, 401]],
    ['with a signature over something else', { wrongSignature: true }, [200, 401]],
  ];
  test.each(faults)('%s', async (_what, fault, statuses) => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const good = createSoftwareAuthenticator('https://cordon.example', fault);
    const enrolled = await enrolPasskey(owner, good);
    const signedIn = await signInWithPasskey(newBrowser(), good);
    expect([enrolled.statusCode, signedIn.statusCode]).toEqual(statuses);
  });

  test('one from another origin', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const phished = createSoftwareAuthenticator('https://cordon.example.evil');
    expect((await enrolPasskey(owner, phished)).statusCode).toBe(400);
  });

  test('a cloned one, whose counter stands still', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const cloned = createSoftwareAuthenticator('https://cordon.example', { frozenCounter: true });
    await enrolPasskey(owner, cloned);
    expect((await signInWithPasskey(newBrowser(), cloned)).statusCode).toBe(200);
    expect((await signInWithPasskey(newBrowser(), cloned)).statusCode).toBe(401);
  });

  test('an answer that was used already', async () => {
    const browser = newBrowser();
    const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/options')).json();
    const body = { challengeId, response: authenticator.get(options) };
    expect((await browser.send('POST', '/api/v1/auth/passkey/verify', body)).statusCode).toBe(200);
    expect((await browser.send('POST', '/api/v1/auth/passkey/verify', body)).statusCode).toBe(400);
  });
});

describe('sessions', () => {
  test('end after their idle time, and after their absolute time however busy', async () => {
    const idle = newBrowser();
    await signInWithPasskey(idle);
    fake.clock.advance(59 * 60_000);
    expect((await idle.send('GET', '/api/v1/session')).json().actor).not.toBeNull();
    fake.clock.advance(61 * 60_000);
    expect((await idle.send('GET', '/api/v1/session')).json().actor).toBeNull();

    const busy = newBrowser();
    await signInWithPasskey(busy);
    for (let hours = 0; hours < 13; hours++) {
      fake.clock.advance(55 * 60_000);
      await busy.send('GET', '/api/v1/session');
    }
    fake.clock.advance(10 * 60_000);
    expect((await busy.send('GET', '/api/v1/session')).json().actor).toBeNull();
  });

  test('a stolen cookie in another browser ends the session and is told of', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const thief = createTestBrowser(server, fake.publicUrl, 'curl/8.5.0');
    thief.cookie = owner.cookie;
    expect((await thief.send('GET', '/api/v1/session')).json().actor).toBeNull();
    expect(fake.events.at(-1)).toMatchObject({ severity_id: 4, status_detail: 'The session ended: other-browser.' });
    expect((await owner.send('GET', '/api/v1/session')).json().actor).toBeNull();
  });

  test('an update of the browser doesn’t end its session', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const updated = createTestBrowser(server, fake.publicUrl, 'Mozilla/5.0 (X11; Linux x86_64) Test/2.13.1');
    updated.cookie = owner.cookie;
    expect((await updated.send('GET', '/api/v1/session')).json().actor).not.toBeNull();
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['no origin but a cookie', {}, 403],
    ['no origin, from the same site’s sub-domain', { 'sec-fetch-site': 'same-site' }, 403],
    ['our own pages', { origin: 'https://cordon.example' }, 204],
    ['our own pages without Origin', { 'sec-fetch-site': 'same-origin' }, 204],
  ])('a request that changes something from %s', async (_what, headers, status) => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const response = await server.inject({
      method: 'DELETE',
      url: '/api/v1/session',
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0', cookie: owner.cookie ?? '', ...headers },
    });
    expect(response.statusCode).toBe(status);
  });
});

describe('step-up', () => {
  test('a privileged act needs a factor shown in the last quarter of an hour', async () => {
    const owner = newBrowser();
    await signInWithPasskey(owner);
    const invite = (email: string) => owner.send('POST', '/api/v1/people', { name: 'Cy', email, roles: ['auditor'] });
    expect((await invite('cy@example.com')).statusCode).toBe(201);
    fake.clock.advance(16 * 60_000);
    expect((await invite('cy2@example.com')).json()).toMatchObject({ code: 'kernel.step_up_required', step_up: true });
    const { challengeId, options } = (await owner.send('POST', '/api/v1/auth/step-up/passkey/options')).json();
    const answer = authenticator.get(options);
    const shown = await owner.send('POST', '/api/v1/auth/step-up/passkey/verify', { challengeId, response: answer });
    expect(shown.statusCode).toBe(200);
    expect((await invite('cy2@example.com')).statusCode).toBe(201);
  });
});
