import { generateKeyPairSync } from 'node:crypto';
import { createEmulator, type Emulator, type SeedConfig } from 'emulate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';
import { startTokenVendor, type TokenVendor } from './harness/token-vendor.ts';

/**
 * The vault on the running program with four gateway processes: an app is connected by its vendor's own consent page in
 * a real browser, tokens are renewed without a refresh token being used twice, and a rotation under load fails no call.
 */

const WAIT_MS_MAX = 20_000;
const CLIENT = { client_id: 'cordon-client', client_secret: 'cordon-client-secret', name: 'Cordon' };

/** The emulator knows this app by its key and checks what Cordon signs with it. */
const APP_KEY = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;

interface ConsentCase {
  readonly service: 'github' | 'google' | 'slack' | 'okta';
  readonly authorize: string;
  readonly token: string;
  readonly auth: 'client_secret_post' | 'client_secret_basic';
  readonly scopes: readonly string[];
  /** A call of the vendor's API that only a good token gets. */
  readonly proof: { readonly path: string; readonly method: 'GET' | 'POST'; readonly says: string };
  readonly seed: (redirect: string) => SeedConfig;
}

const CASES: readonly ConsentCase[] = [
  {
    service: 'github',
    authorize: '/login/oauth/authorize',
    token: '/login/oauth/access_token',
    auth: 'client_secret_post',
    scopes: ['repo', 'user'],
    proof: { path: '/user', method: 'GET', says: 'login' },
    seed: (redirect) => ({
      users: [{ login: 'octocat', name: 'Octo Cat' }],
      orgs: [{ login: 'my-org', name: 'My Org', members: [{ login: 'octocat', role: 'admin' }] }],
      repos: [{ owner: 'my-org', name: 'hello-world' }],
      apps: [
        {
          app_id: 12_345,
          slug: 'cordon',
          name: 'Cordon',
          permissions: { contents: 'read', metadata: 'read' },
          events: [],
          private_key: APP_KEY,
          installations: [{ installation_id: 100, account: 'my-org', repository_selection: 'all' }],
        },
      ],
      oauth_apps: [{ ...CLIENT, redirect_uris: [redirect] }],
    }),
  },
  {
    service: 'google',
    authorize: '/o/oauth2/v2/auth',
    token: '/oauth2/token',
    auth: 'client_secret_post',
    scopes: ['openid', 'email'],
    proof: { path: '/oauth2/v2/userinfo', method: 'GET', says: 'email' },
    seed: (redirect) => ({
      users: [{ email: 'ada@example.com', name: 'Ada' }],
      oauth_clients: [{ ...CLIENT, redirect_uris: [redirect] }],
    }),
  },
  {
    service: 'slack',
    authorize: '/oauth/v2/authorize',
    token: '/api/oauth.v2.access',
    auth: 'client_secret_post',
    scopes: ['chat:write', 'users:read'],
    proof: { path: '/api/auth.test', method: 'POST', says: '"ok":true' },
    seed: (redirect) => ({ oauth_apps: [{ ...CLIENT, redirect_uris: [redirect] }] }),
  },
  {
    service: 'okta',
    authorize: '/oauth2/default/v1/authorize',
    token: '/oauth2/default/v1/token',
    auth: 'client_secret_basic',
    scopes: ['openid', 'email', 'offline_access'],
    proof: { path: '/oauth2/default/v1/userinfo', method: 'GET', says: 'sub' },
    seed: (redirect) => ({
      users: [{ login: 'ada@example.com', email: 'ada@example.com', first_name: 'Ada', last_name: 'Byron' }],
      authorization_servers: [{ id: 'default', name: 'default', audiences: ['api://default'] }],
      oauth_clients: [{ ...CLIENT, redirect_uris: [redirect], auth_server_id: 'default' }],
    }),
  },
];

let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;
const emulators: Emulator[] = [];

beforeAll(async () => {
  [cordon, browser] = await Promise.all([startCordon({ processes: 4 }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-vault');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(emulators.map((emulator) => emulator.close()));
  await cordon?.stop();
});

async function addApp(name: string, upstream: string, settings: object = {}): Promise<string> {
  const body = { name, upstream, plaintext: 'allow' as const, privateAddresses: ['127.0.0.1'], ...settings };
  return taken(await cordon.api.POST('/api/v1/apps', { body })).id;
}

async function grantAll(integration: Integration, appId: string): Promise<void> {
  const select = [{ kind: 'access' as const, access: 'any' as const }];
  const body = { integrationId: integration.id, appId, name: 'all', select, resourceScope: [], expiresAt: null };
  taken(await cordon.api.POST('/api/v1/grants', { body }));
}

const call = (gateway: string, path: string, token: string, method = 'GET'): Promise<Response> =>
  fetch(`${gateway}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(WAIT_MS_MAX),
  });

test('an owner comes in', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
  expect(tab.errors).toEqual([]);
});

describe('connecting by the vendor’s own consent page', () => {
  test.each(CASES)('$service', async ({ service, authorize, token, auth, scopes, proof, seed }) => {
    const port = await freePorts(1);
    const origin = `http://127.0.0.1:${port}`;
    const id = await addApp(service, origin, { unknownOperations: 'allow' });
    const params = { path: { id } };
    const { redirectUri } = taken(await cordon.api.GET('/api/v1/apps/{id}/credentials', { params }));
    // The vendor takes exactly this redirect address and no other.
    emulators.push(await createEmulator({ service, port, baseUrl: origin, seed: { [service]: seed(redirectUri) } }));
    const body = {
      kind: 'oauth2-authorization-code' as const,
      clientId: CLIENT.client_id,
      clientSecret: CLIENT.client_secret,
      clientAuth: auth,
      authorizeUrl: origin + authorize,
      tokenUrl: origin + token,
      scopes: [...scopes],
    };
    taken(await cordon.api.PUT('/api/v1/apps/{id}/credentials', { params, body }));
    const integration = await addIntegration(cordon, id, `uses-${service}`, []);
    await grantAll(integration, id);
    const bearer = await integration.token();
    const path = `/${service}${proof.path}`;
    await eventually(async () => {
      const refused = await call(cordon.gateway, path, bearer, proof.method);
      expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining('Nobody has connected')]);
    }, WAIT_MS_MAX);

    await page.goto(`${cordon.url}/apps/${id}?tab=credentials`);
    await page.getByText('Not connected: calls are refused').waitFor();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.locator('button.user-btn').first().click();
    await page.getByText('Ready', { exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/apps/${id}`);
    await eventually(async () => {
      const served = await call(cordon.gateway, path, bearer, proof.method);
      const text = await served.text();
      expect([served.status, text]).toEqual([200, expect.stringContaining(proof.says)]);
    }, WAIT_MS_MAX);
    if (service === 'github') {
      await page.getByText('Answers').waitFor();
      await tab.screenshots('vault-credentials');
    }
    expect(tab.errors).toEqual([]);
  });
});

test('a GitHub App’s key mints tokens of its installation, verified before they are used', async () => {
  const { items } = taken(await cordon.api.GET('/api/v1/apps'));
  const id = items.find(({ name }) => name === 'github')?.id ?? '';
  const origin = items.find((app) => app.id === id)?.settings.upstream ?? '';
  const params = { path: { id } };
  const credential = {
    kind: 'github-app' as const,
    appId: '12345',
    installationId: '100',
    privateKey: APP_KEY,
    apiUrl: origin,
    verifyPath: '/repos/my-org/hello-world',
  };
  const unknown = await cordon.api.POST('/api/v1/apps/{id}/credentials/rotate', {
    params,
    body: { credential: { ...credential, installationId: '999' } },
  });
  expect(unknown.response.status).toBe(422);
  const rotated = taken(
    await cordon.api.POST('/api/v1/apps/{id}/credentials/rotate', { params, body: { credential } }),
  );
  const current = rotated.items.find(({ stage }) => stage === 'current');
  expect(current).toMatchObject({ kind: 'github-app', state: 'ready', problem: null });
  expect(current?.verifiedAt).not.toBeNull();
  expect(current?.refreshAt).not.toBeNull();
});

describe('four gateway processes and one refresh token', () => {
  let vendor: TokenVendor;
  let id: string;
  let bearer: string;
  const params = () => ({ path: { id } });

  beforeAll(async () => {
    vendor = await startTokenVendor();
    id = await addApp('notes', vendor.url);
    taken(
      await cordon.api.PUT('/api/v1/apps/{id}/description', {
        params: params(),
        body: { document: vendor.description },
      }),
    );
    const body = {
      kind: 'oauth2-refresh-token' as const,
      clientId: 'cordon',
      clientSecret: 'client-secret',
      tokenUrl: `${vendor.url}/token`,
      refreshToken: 'refresh-token-0',
      verifyPath: '/notes/verify',
    };
    taken(await cordon.api.PUT('/api/v1/apps/{id}/credentials', { params: params(), body }));
    const integration = await addIntegration(cordon, id, 'notes-reader', ['notes.get']);
    bearer = await integration.token();
  });
  afterAll(() => vendor.stop());

  const ready = (): Promise<void> =>
    eventually(async () => {
      for (const gateway of cordon.gateways) expect((await call(gateway, '/notes/notes/1', bearer)).status).toBe(200);
    }, WAIT_MS_MAX);

  test('a token that the vendor ends early is renewed once for all of them, and no call fails', async () => {
    await ready();
    expect(vendor.minted()).toBe(1);
    // A token this young is not minted anew: the vendor would be refusing something else.
    await new Promise((done) => {
      setTimeout(done, 10_500);
    });
    vendor.revokeAll();
    const calls = cordon.gateways.flatMap((gateway) =>
      Array.from({ length: 25 }, async () => (await call(gateway, '/notes/notes/1', bearer)).status),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
    expect([vendor.minted(), vendor.reused()]).toEqual([2, 0]);
    expect(vendor.unauthorized()).toBeGreaterThan(1);
  });

  test('a rotation under load fails no call, not even when the old key ends; and can be taken back', async () => {
    vendor.keys.add('static-key-one-of-the-vendor');
    const credential = (secret: string) => ({ kind: 'bearer' as const, secret, verifyPath: '/notes/verify' });
    taken(
      await cordon.api.PUT('/api/v1/apps/{id}/credentials', {
        params: params(),
        body: credential('static-key-one-of-the-vendor'),
      }),
    );
    await ready();
    const run = { isOver: false };
    const statuses = new Map<number, number>();
    const load = cordon.gateways.flatMap((gateway) =>
      Array.from({ length: 3 }, async () => {
        while (!run.isOver) {
          const { status } = await call(gateway, '/notes/notes/1', bearer);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      }),
    );
    // One that the vendor doesn't know is refused before anything changes.
    const wrong = await cordon.api.POST('/api/v1/apps/{id}/credentials/rotate', {
      params: params(),
      body: { credential: credential('static-key-nobody-knows') },
    });
    expect(wrong.response.status).toBe(422);
    vendor.keys.add('static-key-two-of-the-vendor');
    const { items } = taken(
      await cordon.api.POST('/api/v1/apps/{id}/credentials/rotate', {
        params: params(),
        body: { credential: credential('static-key-two-of-the-vendor') },
      }),
    );
    expect(items.map(({ stage }) => stage).toSorted()).toEqual(['current', 'overlap']);
    const { version } = taken(await cordon.api.GET('/api/v1/system')) as { version?: unknown };
    expect(version).toBeDefined();
    await eventually(async () => {
      const { items: gateways } = taken(await cordon.api.GET('/api/v1/gateways'));
      const live = gateways.filter((one) => one.live);
      expect(live.length).toBe(4);
      expect(new Set(live.map((one) => one.version)).size).toBe(1);
    }, WAIT_MS_MAX);
    await new Promise((done) => {
      setTimeout(done, 2_000);
    });
    vendor.keys.delete('static-key-one-of-the-vendor');
    await new Promise((done) => {
      setTimeout(done, 1_000);
    });
    run.isOver = true;
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(100);
    const back = taken(
      await cordon.api.POST('/api/v1/apps/{id}/credentials/roll-back', {
        params: params(),
        body: { integrationId: null },
      }),
    );
    expect(back.items.find(({ stage }) => stage === 'current')?.verifiedAt).not.toBeNull();
  });

  test('no answer of the API gives a secret back', async () => {
    const texts = await Promise.all(
      [`/api/v1/apps/${id}`, `/api/v1/apps/${id}/credentials`, '/api/v1/apps', '/api/v1/audit'].map(async (path) =>
        (await fetch(cordon.url + path, { headers: { authorization: `Bearer ${cordon.token}` } })).text(),
      ),
    );
    for (const secret of ['static-key', 'refresh-token-', 'client-secret"', 'of-the-vendor', 'cse1.']) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});
