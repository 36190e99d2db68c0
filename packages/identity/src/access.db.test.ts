import { authorize, isAllowed, type Permission, PERMISSIONS, type Role, ROLES } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBrowser, type DeclaredRoute, startTestServer, type TestBrowser } from './test-server.ts';
import { createFakeIdentity, createSoftwareAuthenticator, type FakeIdentity } from './testing.ts';

let fake: FakeIdentity;
let server: FastifyInstance;
let routes: readonly DeclaredRoute[];
const tokens = new Map<Role, string>();
const ids = new Map<Role, string>();
const browsers = new Map<Role, TestBrowser>();

/** One active person for each role, with a browser session in which a factor was just shown. */
async function addPerson(role: Role, token: string): Promise<void> {
  const browser = createTestBrowser(server, fake.publicUrl);
  await browser.send('POST', '/api/v1/auth/link', { token, name: role, email: `${role}@example.com` });
  const key = createSoftwareAuthenticator(fake.publicUrl);
  const { challengeId, options } = (await browser.send('POST', '/api/v1/auth/passkey/register/options')).json();
  const body = { challengeId, response: key.create(options), name: 'Key' };
  await browser.send('POST', '/api/v1/auth/passkey/register/verify', body);
  browsers.set(role, browser);
  ids.set(role, (await browser.send('GET', '/api/v1/session')).json().actor.id);
}

beforeAll(async () => {
  fake = await createFakeIdentity();
  ({ server, routes } = await startTestServer(fake));
  await addPerson('owner', (await fake.identity.links.createFirstOwnerLink()).token);
  for (const role of ROLES.filter((one) => one !== 'owner')) {
    const body = { name: role, email: `${role}@example.com`, roles: [role] };
    const made = await browsers.get('owner')?.send('POST', '/api/v1/people', body);
    await addPerson(role, made?.json().link.url.split('#token=')[1]);
  }
});
afterAll(async () => {
  await server.close();
  await fake.test.drop();
});

const NOBODY = '01890000-0000-7000-8000-00000000dead';

function fill(url: string): string {
  return url.replace(':id', NOBODY).replace(':person', NOBODY);
}

/** What each route asks for. A new route needs a row here: the table is the review of who may do what. */
const TABLE: Readonly<Record<string, Permission | 'public'>> = {
  'GET /api/v1/sign-in-policy': 'sso.read',
  'GET /api/v1/sign-in-policy/history': 'sso.read',
  'GET /api/v1/sign-in-policy/templates': 'sso.read',
  'POST /api/v1/sign-in-policy/check': 'sso.read',
  'POST /api/v1/sign-in-policy/dry-run': 'sso.read',
  'PUT /api/v1/sign-in-policy': 'sso.write',
  'GET /api/v1/sign-ins': 'sso.read',
  'GET /api/v1/signals/receivers': 'sso.read',
  'POST /api/v1/signals/receivers': 'sso.write',
  'POST /api/v1/signals/receivers/:id/token': 'sso.write',
  'PUT /api/v1/signals/receivers/:id/status': 'sso.write',
  'POST /api/v1/signals/receivers/:id/verify': 'sso.write',
  'GET /api/v1/signals/receivers/:id/events': 'sso.read',
  'POST /api/v1/signals/receivers/:id/requeue': 'sso.write',
  'DELETE /api/v1/signals/receivers/:id': 'sso.write',
  'GET /api/v1/signals/sources': 'sso.read',
  'POST /api/v1/signals/sources': 'sso.write',
  'PATCH /api/v1/signals/sources/:id': 'sso.write',
  'POST /api/v1/signals/sources/:id/verify': 'sso.write',
  'GET /api/v1/signals/sources/:id/events': 'sso.read',
  'DELETE /api/v1/signals/sources/:id': 'sso.write',
  'GET /api/v1/signals/holds': 'person.read',
  'DELETE /api/v1/signals/holds/:id': 'person.suspend',
  'GET /api/v1/groups/:id': 'person.read',
  'GET /api/v1/groups/:id/members': 'person.read',
  'POST /api/v1/groups': 'person.write',
  'PATCH /api/v1/groups/:id': 'person.write',
  'DELETE /api/v1/groups/:id': 'person.write',
  'POST /api/v1/groups/:id/members': 'person.write',
  'POST /api/v1/groups/:id/preview': 'person.write',
  'GET /api/v1/people/:id/access': 'session.self',
  'GET /api/v1/elevations': 'session.self',
  'POST /api/v1/elevations': 'session.self',
  'GET /api/v1/elevations/choices': 'session.self',
  'POST /api/v1/elevations/:id/decide': 'elevation.decide',
  'POST /api/v1/elevations/:id/end': 'session.self',
  'GET /api/v1/sso/apps/:id/owner': 'sso.read',
  'PUT /api/v1/sso/apps/:id/owner': 'sso.write',
  'GET /api/v1/break-glass': 'person.read',
  'POST /api/v1/break-glass': 'person.write',
  'DELETE /api/v1/break-glass/:id': 'person.write',
  'PUT /api/v1/break-glass/:id/seal': 'person.write',
  'POST /api/v1/break-glass/:id/drill': 'person.write',
  'GET /api/v1/break-glass/:id/uses': 'person.read',
  'GET /api/v1/session': 'public',
  'DELETE /api/v1/session': 'session.self',
  'GET /api/v1/sessions': 'session.self',
  'GET /api/v1/approvals': 'approval.read',
  'GET /api/v1/approvals/:id': 'approval.read',
  'POST /api/v1/approvals/:id/approve': 'approval.decide',
  'POST /api/v1/approvals/:id/deny': 'approval.decide',
  'GET /api/v1/certificates': 'integration.read',
  'POST /api/v1/certificates/enrolments': 'integration.credential',
  'POST /api/v1/certificates/:id/revoke': 'integration.revoke',
  'GET /api/v1/my-apps': 'public',
  'GET /api/v1/sso/addresses': 'sso.read',
  'GET /api/v1/sso/apps': 'sso.read',
  'POST /api/v1/sso/apps': 'sso.write',
  'GET /api/v1/sso/apps/:id': 'sso.read',
  'PUT /api/v1/sso/apps/:id': 'sso.write',
  'DELETE /api/v1/sso/apps/:id': 'sso.write',
  'POST /api/v1/sso/apps/:id/secret': 'sso.write',
  'GET /api/v1/sso/apps/:id/sign-ons': 'sso.read',
  'POST /api/v1/sso/certificates/rotate': 'sso.write',
  'POST /api/v1/auth/way': 'public',
  'POST /api/v1/auth/upstream/link': 'session.self',
  'GET /api/v1/auth/upstream': 'session.self',
  'POST /api/v1/auth/sign-out': 'session.self',
  'GET /api/v1/sign-on/providers': 'sso.read',
  'POST /api/v1/sign-on/providers': 'sso.write',
  'POST /api/v1/sign-on/metadata': 'sso.write',
  'GET /api/v1/sign-on/providers/:id': 'sso.read',
  'PUT /api/v1/sign-on/providers/:id': 'sso.write',
  'PUT /api/v1/sign-on/providers/:id/status': 'sso.write',
  'DELETE /api/v1/sign-on/providers/:id': 'sso.write',
  'GET /api/v1/sign-on/providers/:id/domains': 'sso.read',
  'POST /api/v1/sign-on/providers/:id/domains': 'sso.write',
  'POST /api/v1/sign-on/providers/:id/domains/:domain/verify': 'sso.write',
  'DELETE /api/v1/sign-on/providers/:id/domains/:domain': 'sso.write',
  'GET /api/v1/sign-on/providers/:id/accounts': 'sso.read',
  'DELETE /api/v1/sign-on/providers/:id/accounts/:person': 'sso.write',
  'GET /api/v1/sign-on/providers/:id/attempts': 'sso.read',
  'GET /api/v1/sso/catalogue': 'sso.read',
  'GET /api/v1/locks': 'lock.read',
  'POST /api/v1/locks/remove': 'lock.write',
  'DELETE /api/v1/sessions/:id': 'session.self',
  'POST /api/v1/auth/passkey/options': 'public',
  'POST /api/v1/auth/passkey/verify': 'public',
  'POST /api/v1/auth/password': 'public',
  'POST /api/v1/auth/totp': 'public',
  'POST /api/v1/auth/recovery': 'public',
  'POST /api/v1/auth/link/inspect': 'public',
  'POST /api/v1/auth/link': 'public',
  'GET /api/v1/auth/factors': 'session.self',
  'POST /api/v1/auth/passkey/register/options': 'session.self',
  'POST /api/v1/auth/passkey/register/verify': 'session.self',
  'DELETE /api/v1/auth/passkey/:id': 'session.self',
  'PUT /api/v1/auth/password': 'session.self',
  'DELETE /api/v1/auth/password': 'session.self',
  'POST /api/v1/auth/totp/begin': 'session.self',
  'POST /api/v1/auth/totp/confirm': 'session.self',
  'POST /api/v1/auth/recovery-codes': 'session.self',
  'POST /api/v1/auth/step-up/passkey/options': 'session.self',
  'POST /api/v1/auth/step-up/passkey/verify': 'session.self',
  'POST /api/v1/auth/step-up/totp': 'session.self',
  'GET /api/v1/people': 'person.read',
  'POST /api/v1/people': 'person.write',
  'GET /api/v1/people/:id': 'session.self',
  'PATCH /api/v1/people/:id': 'person.write',
  'POST /api/v1/people/:id/disable': 'person.suspend',
  'POST /api/v1/people/:id/enable': 'person.write',
  'POST /api/v1/people/:id/invite': 'person.write',
  'POST /api/v1/people/:id/recovery-link': 'person.write',
  'DELETE /api/v1/people/:id/factors': 'person.write',
  'DELETE /api/v1/people/:id/sessions': 'session.self',
  'GET /api/v1/api-tokens': 'api-token.self',
  'POST /api/v1/api-tokens': 'api-token.self',
  'DELETE /api/v1/api-tokens/:id': 'api-token.self',
  'POST /api/v1/oauth-clients': 'integration.credential',
  'GET /api/v1/oauth-clients/:id': 'integration.read',
  'POST /api/v1/oauth-clients/:id/rotate-secret': 'integration.credential',
  'PUT /api/v1/oauth-clients/:id/keys': 'integration.credential',
  'POST /api/v1/oauth-clients/:id/revoke': 'integration.revoke',
  'GET /api/v1/exchange-policies': 'integration.read',
  'PUT /api/v1/exchange-policies/:from/:to': 'integration.credential',
  'DELETE /api/v1/exchange-policies/:from/:to': 'integration.credential',
  'GET /api/v1/tokens': 'integration.read',
  'POST /api/v1/tokens/revoke': 'integration.revoke',
  'POST /api/v1/tokens/revoke-all': 'integration.revoke',
  'POST /api/v1/signing-keys/rotate': 'system.write',
  'GET /api/v1/scim/tokens': 'scim.write',
  'POST /api/v1/scim/tokens': 'scim.write',
  'POST /api/v1/scim/tokens/:id/rotate': 'scim.write',
  'DELETE /api/v1/scim/tokens/:id': 'scim.write',
  'GET /api/v1/groups': 'person.read',
  'PUT /api/v1/groups/:id/roles': 'person.write',
};

const guarded = Object.entries(TABLE).filter(([, access]) => access !== 'public');

test('every route is in the table, with the access that it declares', () => {
  const declared = Object.fromEntries(
    routes.map((route) => [`${route.method} ${route.url}`, route.permission ?? 'public']),
  );
  expect(declared).toEqual(TABLE);
});

test.each(guarded)('%s is closed to nobody’s request', async (route) => {
  const [method, url = ''] = route.split(' ');
  const response = await server.inject({ method: method as 'GET', url: fill(url) }); // a method from the table
  expect(response.statusCode).toBe(401);
});

describe.each(ROLES)('%s', (role) => {
  // Sign-out would end the session that the other rows use.
  const rows = guarded.filter(([route]) => !/ \/api\/v1\/(?:session|auth\/sign-out)$/.test(route));
  test.each(rows)('%s', async (route, permission) => {
    const [method, url = ''] = route.split(' ');
    const response = await browsers.get(role)?.send(method as 'GET', fill(url), method === 'GET' ? undefined : {});
    const held = PERMISSIONS[permission as Permission] as readonly Role[]; // not 'public': filtered above
    const refusedByGate = response?.statusCode === 403 && response.json().permission === permission;
    expect(refusedByGate).toBe(!held.includes(role));
  });
});

describe('what a permission of one’s own doesn’t open', () => {
  const others: [string, Role, 'GET' | 'DELETE', (victim: string) => string, number][] = [
    ['another person', 'developer', 'GET', (id) => `/api/v1/people/${id}`, 403],
    ['another person’s sessions', 'developer', 'GET', (id) => `/api/v1/sessions?person=${id}`, 403],
    ['everyone’s sessions', 'developer', 'GET', () => '/api/v1/sessions?everyone=true', 403],
    ['everyone’s API tokens', 'developer', 'GET', () => '/api/v1/api-tokens?everyone=true', 403],
    ['ending another’s sessions', 'auditor', 'DELETE', (id) => `/api/v1/people/${id}/sessions`, 403],
    ['another person, with the role', 'auditor', 'GET', (id) => `/api/v1/people/${id}`, 200],
    ['another person’s sessions, with the role', 'security', 'GET', (id) => `/api/v1/sessions?person=${id}`, 200],
  ];
  test.each(others)('%s as %s', async (_what, role, method, url, status) => {
    const response = await browsers.get(role)?.send(method, url(ids.get('responder') ?? ''));
    expect(response?.statusCode).toBe(status);
  });

  test('an API token opens no more than its roles, and no browser matters', async () => {
    const made = await browsers
      .get('owner')
      ?.send('POST', '/api/v1/api-tokens', { name: 'ci', roles: ['owner'], days: 1 });
    const value = made?.json().value;
    tokens.set('owner', value);
    const headers = { authorization: `Bearer ${value}` };
    expect((await server.inject({ url: '/api/v1/people', headers })).statusCode).toBe(200);
    const factors = await server.inject({ method: 'GET', url: '/api/v1/auth/factors', headers });
    expect(factors.statusCode).toBe(401);
    // Privileged: a token shows no factor.
    const payload = { name: 'X', email: 'x@example.com', roles: ['owner'] };
    expect((await server.inject({ method: 'POST', url: '/api/v1/people', headers, payload })).json()).toMatchObject({
      code: 'kernel.step_up_required',
    });
  });
});

test('permissions that this package asks for exist', () => {
  for (const [, permission] of guarded)
    expect(() => authorize({ kind: 'system', name: 'x' }, permission as Permission)).not.toThrow();
  expect(isAllowed({ kind: 'client', id: 'x', name: 'x', roles: [] }, 'session.self')).toBe(false);
});
