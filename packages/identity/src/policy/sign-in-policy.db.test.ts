import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '@cordon/kernel';
import type { IdentityTables } from '../tables.ts';
import { createTestBrowser, startTestServer, type TestBrowser } from '../test-server.ts';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from '../testing.ts';

/** Sign-ins through the routes, decided by policies that are published through the routes. */

let fake: FakeIdentity;
let server: FastifyInstance;
let owner: TestBrowser;
let bo: TestBrowser;
let boId = '';
const ownerKey = createSoftwareAuthenticator('https://cordon.example');
const boKey = createSoftwareAuthenticator('https://cordon.example');
const glass = new Set<string>();
let country: string | null = null;

beforeAll(async () => {
  fake = await createFakeIdentity({
    isBreakGlass: async (id) => glass.has(id),
    countryOf: async () => country,
    riskOf: async () => ({ score: 0, alerts: 0 }),
  });
  ({ server } = await startTestServer(fake));
  owner = await enrol((await fake.identity.links.createFirstOwnerLink()).token, ownerKey, {
    name: 'Ada Moreau',
    email: 'ada@example.com',
  });
  const invited = await owner.send('POST', '/api/v1/people', {
    name: 'Bo',
    email: 'bo@example.com',
    roles: ['developer'],
  });
  boId = invited.json().person.id;
  bo = await enrol(new URL(invited.json().link.url).hash.slice('#token='.length), boKey);
});
afterAll(async () => {
  await server.close();
  await fake.test.drop();
});

async function enrol(token: string, key: typeof ownerKey, who: object = {}): Promise<TestBrowser> {
  const browser = createTestBrowser(server, fake.publicUrl);
  await browser.send('POST', '/api/v1/auth/link', { token, ...who });
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  const body = { challengeId, response: key.create(options), name: 'Laptop' };
  expect((await browser.send('POST', '/api/v1/auth/passkey/register/verify', body)).statusCode).toBe(200);
  return browser;
}

async function signIn(browser: TestBrowser, key: typeof ownerKey) {
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/options')).json();
  return browser.send('POST', '/api/v1/auth/passkey/verify', { challengeId, response: key.get(options) });
}

async function publish(set: object, note = 'because') {
  await signIn(owner, ownerKey);
  const { version } = (await owner.send('GET', '/api/v1/sign-in-policy')).json();
  return owner.send('PUT', '/api/v1/sign-in-policy', { set, note, basedOn: version });
}

const refuseBo = {
  name: 'no developers',
  text: '@id("developers-out") @advice("Developers work elsewhere.") forbid (principal, action, resource) when { principal.roles.contains("developer") };',
};

test('what holds before anybody wrote a policy lets people in and keeps the facts', async () => {
  expect((await owner.send('GET', '/api/v1/sign-in-policy')).json()).toMatchObject({ version: 0, set: { base: true } });
  expect((await signIn(bo, boKey)).statusCode).toBe(200);
  // The second time the browser is known by its cookie.
  expect((await signIn(bo, boKey)).statusCode).toBe(200);
  const { items } = (await owner.send('GET', `/api/v1/sign-ins?person=${boId}`)).json();
  expect(items[0]).toMatchObject({
    outcome: 'allow',
    version: 0,
    reasons: [{ policy: 'base', statement: 'base', effect: 'permit' }],
    facts: { device: 'known', strength: 'passkey', country: 'unknown', roles: ['developer'], missing: [] },
  });
  expect(items[1].facts.device).toBe('new');
});

test('a dry run counts whom a change would have refused, and changes nothing', async () => {
  const set = { policies: [refuseBo] };
  const found = (await owner.send('POST', '/api/v1/sign-in-policy/dry-run', { set, days: 30 })).json();
  expect(found).toMatchObject({ truncated: false, incomplete: 0, owners: { total: 1, letIn: 1 } });
  expect(found.proposed.refuse).toBe(3);
  expect(found.now.refuse).toBe(0);
  expect(found.people).toMatchObject([
    {
      personName: 'Bo',
      refuse: 3,
      last: { before: 'allow', after: 'refuse', reasons: [{ statement: 'developers-out' }] },
    },
  ]);
  expect((await signIn(bo, boKey)).statusCode).toBe(200);
});

test('a policy refuses with what to do and a number that the administrator finds', async () => {
  expect((await publish({ policies: [refuseBo] })).json()).toMatchObject({ version: 1, madeBy: 'Ada Moreau' });
  const refused = await signIn(bo, boKey);
  expect(refused.statusCode).toBe(403);
  const { code, detail, reference } = refused.json();
  expect(code).toBe('identity.sign_in_policy_refused');
  expect(detail).toContain('Developers work elsewhere.');
  const { items } = (await owner.send('GET', `/api/v1/sign-ins?id=${reference}`)).json();
  expect(items).toMatchObject([{ outcome: 'refuse', version: 1, reasons: [{ policy: 'no developers' }] }]);
  expect(fake.events.findLast((event) => event.class_uid === 3002 && event['status_id'] === 2)).toMatchObject({
    activity_name: 'Refused by the sign-in policy',
    status_detail: 'refuse: developers-out',
  });
});

test('a break-glass account gets in whatever the policies say, and it is kept that it did', async () => {
  glass.add(boId);
  expect((await signIn(bo, boKey)).statusCode).toBe(200);
  glass.clear();
  expect((await owner.send('GET', `/api/v1/sign-ins?person=${boId}&limit=1`)).json().items).toMatchObject([
    { outcome: 'allow', exempt: true },
  ]);
});

test('the country comes from the port, and one that nobody knows is refused', async () => {
  const text = 'forbid (principal, action, resource) unless { ["CH"].contains(context.country) };';
  country = 'CH';
  await signIn(owner, ownerKey);
  expect((await publish({ policies: [{ name: 'home', text }] })).statusCode).toBe(200);
  expect((await signIn(bo, boKey)).statusCode).toBe(200);
  country = null;
  expect((await signIn(bo, boKey)).statusCode).toBe(403);
  country = 'CH';
});

test('policies that would shut out the owners are not put in force', async () => {
  const out = { name: 'nobody', text: 'forbid (principal, action, resource);' };
  const refused = await publish({ policies: [out] });
  expect([refused.statusCode, refused.json().code]).toEqual([422, 'identity.sign_in_policy_locks_out']);
  expect((await publish({ base: false })).json().code).toBe('identity.sign_in_policy_locks_out');
});

test.each([
  ['a text that is no Cedar', { policies: [{ name: 'x', text: 'permit (' }] }, 400],
  ['a network that is none', { networks: [{ name: 'x', cidrs: ['office'] }] }, 400],
])('%s is refused', async (_name, set, status) => {
  expect((await publish(set)).statusCode).toBeGreaterThanOrEqual(status);
});

test('two who change at once: the second looks first', async () => {
  await signIn(owner, ownerKey);
  const stale = await owner.send('PUT', '/api/v1/sign-in-policy', { set: {}, note: '', basedOn: 0 });
  expect([stale.statusCode, stale.json().code]).toEqual([409, 'identity.sign_in_policy_changed']);
});

test('history holds every version, and the audit trail who made it', async () => {
  const { items } = (await owner.send('GET', '/api/v1/sign-in-policy/history')).json();
  expect(items.map((one: { version: number }) => one.version)).toEqual([2, 1, 0]);
  const [newest] = (await readAudit(fake.db, { limit: 100 })).filter(
    ({ action }) => action === 'sign_in_policy.changed',
  );
  expect(newest).toMatchObject({
    actor: { name: 'Ada Moreau' },
    detail: { policies: [{ name: 'home', mode: 'enforce' }] },
  });
});

test('a factor that is set up after a link leads in only when the policies let it', async () => {
  expect((await publish({ policies: [refuseBo] })).statusCode).toBe(200);
  const { url } = (await owner.send('POST', `/api/v1/people/${boId}/recovery-link`)).json();
  const browser = createTestBrowser(server, fake.publicUrl);
  await browser.send('POST', '/api/v1/auth/link', { token: new URL(url).hash.slice('#token='.length) });
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  const key = createSoftwareAuthenticator('https://cordon.example');
  const body = { challengeId, response: key.create(options), name: 'Other' };
  const refused = await browser.send('POST', '/api/v1/auth/passkey/register/verify', body);
  expect([refused.statusCode, refused.json().code]).toEqual([403, 'identity.sign_in_policy_refused']);
  const passkeys = await fake.db.tables<IdentityTables>().selectFrom('passkeys').selectAll().execute();
  expect(passkeys.filter(({ name }) => name === 'Other')).toEqual([]);
});
