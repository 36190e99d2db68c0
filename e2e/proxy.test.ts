import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor, VENDOR_SECRET } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { runCordon } from './harness/role-process.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** An integration that only knows HTTPS_PROXY, and one whose caller tries an injection, on the running product. */

const run = promisify(execFile);
const WAIT_MS = 20_000;
/** How long certificates of `issueServerCertificate` live. */
const CERTIFICATE_DAYS = 397;
let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let proxyPort = 0;
let secureProxyPort = 0;
let folder = '';
let secureVendor: https.Server;
let secureAppId = '';
let appId = '';
let client: Integration;

beforeAll(async () => {
  proxyPort = await freePorts(2);
  secureProxyPort = proxyPort + 1;
  const env = {
    CORDON_GATEWAY_PROXY_PORT: String(proxyPort),
    CORDON_GATEWAY_PROXY_TLS_PORT: String(secureProxyPort),
  };
  folder = await mkdtemp(path.join(tmpdir(), 'cordon-proxy-'));
  [cordon, browser, vendor] = await Promise.all([startCordon({ processes: 1, env }), startBrowser(), startVendor()]);
  tab = await openTab(browser);
  page = tab.page;
  appId = await addNotesApp(cordon, vendor);
  client = await addIntegration(cordon, appId, 'old-tool', ['notes.get', 'notes.create']);
  const params = { path: { id: appId } };
  taken(
    await cordon.api.PATCH('/api/v1/apps/{id}', { params, body: { forwardProxy: 'inspect', injection: 'refuse' } }),
  );
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-proxy');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await vendor?.stop();
  secureVendor?.closeAllConnections();
  secureVendor?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function cli(...args: string[]): Promise<string> {
  const env = { CORDON_DATA_DIR: cordon.dataDir, CORDON_CONTROL_PORT: String(cordon.ports.control) };
  const { code, stdout, stderr } = await runCordon(args, env, folder);
  if (code !== 0) throw new Error(`cordon ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** A vendor with TLS, whose certificate of its own authority ends in three days. */
async function addSecureApp(): Promise<string> {
  const made = Date.now() - (CERTIFICATE_DAYS - 3) * 86_400_000;
  const authority = await createAuthority('Vendor authority', made);
  const names = { dns: ['localhost'], ip: ['127.0.0.1'] };
  const { cert, key } = await issueServerCertificate(authority, names, made);
  secureVendor = https.createServer({ cert, key }, (request, response) => {
    const isOurs = request.headers.authorization === `Bearer ${VENDOR_SECRET}`;
    response.writeHead(isOurs ? 200 : 401, { 'content-type': 'application/json' }).end('{"id":"1"}');
  });
  secureVendor.listen(0, '127.0.0.1');
  await once(secureVendor, 'listening');
  const { port } = secureVendor.address() as AddressInfo; // a TCP server has one
  const { id } = taken(
    await cordon.api.POST('/api/v1/apps', {
      body: {
        name: 'ledger',
        upstream: `https://localhost:${port}`,
        privateAddresses: ['127.0.0.1', '::1'],
        caCertificates: [authority.cert],
        forwardProxy: 'inspect',
        unknownOperations: 'allow',
      },
    }),
  );
  const params = { path: { id } };
  const credential = { kind: 'bearer' as const, secret: VENDOR_SECRET, scheme: 'Bearer' };
  taken(await cordon.api.PUT('/api/v1/apps/{id}/credential', { params, body: credential }));
  const select = [{ kind: 'access' as const, access: 'read' as const }];
  const grant = { integrationId: client.id, appId: id, name: 'default', select, resourceScope: [], expiresAt: null };
  taken(await cordon.api.POST('/api/v1/grants', { body: grant }));
  return `https://localhost:${port}`;
}

async function curlWith(...args: string[]): Promise<string> {
  const all = ['-s', '-o', '/dev/null', '--max-time', '20', '-w', '%{http_code} %{http_connect}', ...args];
  const { stdout } = await run('curl', all, { cwd: folder }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}

/** curl with nothing but the environment that any tool reads. Gives the status that the proxy or the app answered. */
async function curl(url: string, secret = client.clientSecret): Promise<string> {
  const proxy = `http://${client.clientId}:${secret}@127.0.0.1:${proxyPort}`;
  const args = ['-s', '-o', '/dev/null', '--max-time', '20', '-w', '%{http_code} %{http_connect}', url];
  const env = { PATH: '/usr/bin:/bin', http_proxy: proxy, HTTPS_PROXY: proxy };
  // curl ends with an error when a tunnel is refused; what it printed is the answer.
  const { stdout } = await run('curl', args, { env }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}

test('a client’s id and secret open the proxy, and its call takes the pipeline', async () => {
  await eventually(async () => expect(await curl(`${vendor.url}/notes/1`)).toBe('200 000'), WAIT_MS);
  expect(vendor.violations()).toBe(0);
  expect(await curl(`${vendor.url}/notes/1%27%20or%20%271%27=%271`)).toBe('400 000');
  expect(await curl(`${vendor.url}/notes/1`, 'not-the-secret')).toBe('407 000');
});

test('a destination that nobody knows is refused, and found', async () => {
  expect(await curl('https://shadow-it.example/')).toBe('000 403');
  const query = { query: 'host:shadow-it.example', limit: 5 };
  const event = await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
    expect(items).toHaveLength(1);
    return items[0];
  }, WAIT_MS);
  expect(JSON.stringify(event)).toContain('gateway.proxy_refused');
});

test('the proxy opens TLS for whoever shows a certificate, and for nobody without', async () => {
  const url = await addSecureApp();
  await cli('integration', 'enroll', 'old-tool', '--dir', folder);
  await writeFile(path.join(folder, 'proxy-ca.pem'), await cli('proxy', 'ca'));
  const proxy = ['--proxy', `https://localhost:${secureProxyPort}`, '--proxy-cacert', 'server-ca.pem'];
  const own = ['--proxy-cert', 'client.pem', '--proxy-key', 'client.key'];
  const call = (...more: string[]): Promise<string> =>
    curlWith(...proxy, ...more, '--cacert', 'proxy-ca.pem', `${url}/ledger/1`);
  await eventually(async () => expect(await call(...own)).toBe('200 200'), WAIT_MS);
  expect(await call()).toBe('000 407');
  const query = { query: 'app:ledger', limit: 5 };
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
    expect(JSON.stringify(items)).toContain('/ledger/1');
  }, WAIT_MS);
});

test('the certificate that ends soon is on the app’s page, in the trail, and an alert', async () => {
  const { items } = taken(await cordon.api.GET('/api/v1/apps'));
  secureAppId = items.find(({ name }) => name === 'ledger')!.id;
  expect(await cli('app', 'certificates', 'ledger')).toMatch(/expires-within-week.*Vendor authority.*ec 256.*TLSv1\.3/);
  const audit = taken(await cordon.api.GET('/api/v1/audit', { params: { query: { limit: 50 } } }));
  expect(audit.items.filter(({ action }) => action === 'upstream-certificate.reported')).toHaveLength(1);
  await eventually(async () => {
    const alerts = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: {} } }));
    expect(JSON.stringify(alerts)).toContain('cordon.upstream-certificate');
  }, WAIT_MS);
});

test('a further host of an app is set on the command line and called by its role', async () => {
  const headers = { authorization: `Bearer ${await client.token()}` };
  const call = async (role: string): Promise<number> =>
    (await fetch(`${cordon.gateway}/notes~${role}/notes/1`, { headers })).status;
  expect(await call('files')).toBe(404);
  expect(await cli('app', 'hosts', 'notes', '--set', `files=${vendor.url}`)).toMatch(/files\s+http:/);
  await eventually(async () => expect(await call('files')).toBe(200), WAIT_MS);
  expect(vendor.violations()).toBe(0);
  await cli('app', 'hosts', 'notes', '--remove', 'files');
  await eventually(async () => expect(await call('files')).toBe(404), WAIT_MS);
});

test('the console shows destinations and findings, and keeps an exception', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Forward proxy' }).click();
  await expect
    .poll(() => page.getByRole('link', { name: 'shadow-it.example' }).count(), { timeout: WAIT_MS })
    .toBeGreaterThan(0);
  await tab.screenshots('proxy');
  await page.goto(`${cordon.url}/apps/${appId}?tab=injection`);
  await page.getByText('gateway.injection_refused').or(page.getByText('deny')).first().waitFor();
  await page.getByRole('button', { name: 'Add exception' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Field').fill('/id');
  await dialog.getByLabel('Why').fill('ids of the old tool hold quotes');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('body/id').waitFor();
  await tab.screenshots('injection');
  await page.goto(`${cordon.url}/apps/${secureAppId}?tab=certificates`);
  await page.getByText('A certificate of this app needs attention').waitFor();
  const row = page.getByRole('table', { name: 'Certificates' }).getByRole('row', { name: /localhost/ });
  await row.getByText('Ends within a week').waitFor();
  expect(await row.innerText()).toMatch(/Vendor authority[^]*ec 256[^]*TLSv1\.3/);
  await tab.screenshots('certificates');
});
