import { type Actor, kernelErrors, PERMISSIONS, ROLES, systemClock } from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerRoutes } from '../api-document.ts';
import type { RouteRow } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { createApiServer } from './api-server.ts';

/** Every route against every role, as the one table of permissions says. Handlers have nothing to work with here. */

const GATE_STATUS = new Set([401, 403]);
let server: ApiServer;
let routes: readonly RouteRow[];

function actorOf(header: unknown): Actor | null {
  if (typeof header !== 'string') return null;
  const roles = ROLES.filter((role) => role === header);
  return { kind: 'person', id: 'p-1', name: 'Test', roles, strongAuthAt: systemClock.now() };
}

beforeAll(async () => {
  const made = await createApiServer({
    logger: createTestLogger(),
    clock: systemClock,
    publicUrl: 'http://localhost:7800',
    authenticate: async (request) => actorOf(request.headers['x-test-role']),
    errorTables: [kernelErrors],
  });
  ({ server, routes } = made);
  await registerRoutes(server);
  await server.ready();
});
afterAll(() => server.close());

function addressOf(url: string): string {
  return url.replaceAll(/:[A-Za-z]+/g, '018f0000-0000-7000-8000-000000000000').replace('*', 'x');
}

async function statusOf(row: RouteRow, role?: string): Promise<number> {
  const headers = role === undefined ? {} : { 'x-test-role': role };
  const method = row.method as 'GET';
  const body = method === 'GET' || (method as string) === 'DELETE' ? {} : { payload: {} };
  const answer = await server.inject({ method, url: addressOf(row.url), headers, ...body });
  return answer.statusCode;
}

describe('the access gate', () => {
  test('there are routes, and each declares who may use it', () => {
    expect(routes.length).toBeGreaterThan(60);
    for (const { access } of routes) expect('public' in access || access.permission in PERMISSIONS).toBe(true);
  });

  test('a route that declares nothing cannot be registered', async () => {
    const { server: other } = await createApiServer({
      logger: createTestLogger(),
      clock: systemClock,
      publicUrl: 'http://localhost:7800',
      authenticate: async () => null,
      errorTables: [],
    });
    expect(() => other.get('/api/v1/open', async () => ({}))).toThrow('declares neither a permission nor public');
    await other.close();
  });

  test('nobody passes without signing in', async () => {
    for (const row of routes) {
      if ('public' in row.access) continue;
      expect([row.method, row.url, await statusOf(row)]).toEqual([row.method, row.url, 401]);
    }
  });

  test.each(ROLES)('%s passes exactly where the table lets this role', async (role) => {
    for (const row of routes) {
      if ('public' in row.access) continue;
      const holders: readonly string[] = PERMISSIONS[row.access.permission];
      const refused = (await statusOf(row, role)) === 403;
      expect([row.method, row.url, refused]).toEqual([row.method, row.url, !holders.includes(role)]);
    }
  });

  test('only a few routes are public, and these are they', () => {
    const open = routes.filter(({ access }) => 'public' in access).map(({ method, url }) => `${method} ${url}`);
    // The portal is for people without an account: a link's token or its session decides, in the handlers. My apps is
    // for everyone who is signed in, also without a role: the session decides, and shows only that person's.
    const other = open.filter(
      (row) => !row.includes('/api/v1/portal/') && !row.includes('/api/v1/auth/') && !row.includes('/scim/v2/'),
    );
    expect(other.toSorted()).toEqual([
      'GET /api/v1/my-apps',
      'GET /api/v1/openapi.json',
      'GET /api/v1/session',
      'GET /healthz',
      'GET /readyz',
      'POST /api/v1/contact-confirmations',
    ]);
  });

  test('a directory needs its SCIM token everywhere', async () => {
    const scim = routes.filter(({ url }) => url.startsWith('/scim/v2/'));
    expect(scim.length).toBeGreaterThan(10);
    for (const row of scim) {
      expect([row.method, row.url, await statusOf(row, 'owner')]).toEqual([row.method, row.url, 401]);
    }
  });

  test('errors are problem documents that say nothing of the inside', async () => {
    const answer = await server.inject({ method: 'GET', url: '/api/v1/apps', headers: { 'x-test-role': 'owner' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(answer.body).not.toMatch(/unused|TypeError|at file/);
    expect(GATE_STATUS.has(answer.statusCode)).toBe(false);
  });

  test('bad input names the field', async () => {
    const headers = { 'x-test-role': 'owner' };
    const answer = await server.inject({ method: 'POST', url: '/api/v1/apps', headers, payload: { name: 'A B' } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'http.request_invalid', detail: expect.stringContaining('name') });
  });
});
