import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A planted shadow app, an over-scoped integration and an old key in the emulated estate: found, and all three fixed. */

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS = 40_000;
const LOG = [
  '1763892000.123 921 10.1.2.3 TCP_TUNNEL/200 15070 CONNECT otter.ai:443 bob@meridian.example HIER_DIRECT/1.2.3.4 -',
  '1763892100.123 921 10.1.2.3 TCP_TUNNEL/200 990070 CONNECT wetransfer.com:443 eve@meridian.example HIER_DIRECT/1.2.3.4 -',
  'what is this',
].join('\n');

let cordon: RunningCordon;
let estate: Estate;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let over: Integration;
let folder = '';
let proxyPort = 0;

beforeAll(async () => {
  proxyPort = await freePorts(1);
  const env = { CORDON_GATEWAY_PROXY_PORT: String(proxyPort) };
  [cordon, browser, estate, vendor, folder] = await Promise.all([
    startCordon({ processes: 1, env }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'discovery' }),
    startVendor(),
    mkdtemp(join(tmpdir(), 'cordon-discovery-')),
  ]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-discovery');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop(), vendor?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** The command line as an administrator uses it, on this Cordon. */
async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  return (await run(process.execPath, [PROGRAM, ...args], { env, cwd: folder })).stdout;
}

/** What the forward proxy answers to CONNECT. */
async function connect(host: string): Promise<string> {
  const proxy = `http://${over.clientId}:${over.clientSecret}@127.0.0.1:${proxyPort}`;
  const args = ['-s', '-o', '/dev/null', '--max-time', '10', '-w', '%{http_connect}', `https://${host}/`];
  const env = { PATH: '/usr/bin:/bin', HTTPS_PROXY: proxy };
  const { stdout } = await run('curl', args, { env }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}

async function connectTool(app: 'github' | 'okta', config: Record<string, string>): Promise<string> {
  const { baseUrl, credential } = estate.app(app);
  const made = taken(
    await cordon.api.POST('/api/v1/connections', {
      body: {
        app,
        name: `${app}-main`,
        config,
        baseUrl,
        privateAddresses: ['127.0.0.1'],
        credential: { kind: 'bearer', token: credential.secret },
        everyMinutes: 60,
      },
    }),
  );
  return made.id;
}

async function synced(id: string): Promise<void> {
  await eventually(async () => {
    const { lastSync } = taken(await cordon.api.GET('/api/v1/connections/{id}', { params: { path: { id } } }));
    expect(lastSync?.endedAt).toBeTypeOf('number');
  }, WAIT_MS);
}

const call = async (method: string, path: string): Promise<number> => {
  const headers = { authorization: `Bearer ${await over.token()}`, 'content-type': 'application/json' };
  const body = method === 'POST' ? { body: JSON.stringify({ text: 'a note' }) } : {};
  const answer = await fetch(`${cordon.gateway}/notes${path}`, { method, headers, ...body });
  await answer.arrayBuffer();
  return answer.status;
};

// On a page below it the way back is a link of the same name.
const goTo = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).first().click();

test('the first owner comes in; tools are connected, and a log is read from the command line', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  const appId = await addNotesApp(cordon, vendor);
  over = await addIntegration(cordon, appId, 'over-scoped', ['notes.get', 'notes.create']);
  const ids = [
    await connectTool('okta', { domain: 'meridian.okta.com' }),
    await connectTool('github', { org: 'meridian' }),
  ];
  await Promise.all(ids.map(synced));
  const file = join(folder, 'access.log');
  await writeFile(file, LOG);
  expect(await cli('discover', 'read', file, '--format', 'squid')).toContain('wetransfer');
  await expect(cli('discover', 'read', file, '--format', 'nonsense')).rejects.toThrow('There is no log format');
  await eventually(async () => expect(await call('GET', '/notes/1')).toBe(200), WAIT_MS);
});

test('the shadow app is found with who uses it and by which evidence', async () => {
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/discovery/apps', { params: { query: {} } }));
    const otter = items.find(({ key }) => key === 'otter-ai');
    expect(otter?.evidence.toSorted()).toEqual(['grant', 'proxy_log']);
    expect(items.find(({ key }) => key === 'github')?.state ?? 'sanctioned').toBe('sanctioned');
    expect(items.map(({ key }) => key)).toContain('client-helpful-ci-notes');
  }, WAIT_MS);
  await goTo('Discovery');
  await page.getByRole('row', { name: /Otter\.ai.*New/ }).waitFor();
  await tab.screenshots('discovery');
  await page.getByRole('link', { name: 'Otter.ai', exact: true }).click();
  await page.getByRole('heading', { name: 'Otter.ai' }).waitFor();
  await page.getByRole('row', { name: /bob@meridian\.example.*Proxy log.*access\.log/ }).waitFor();
  await page.getByText('Records and transcribes meetings', { exact: false }).waitFor();
  await tab.screenshots('found-app');
  const alerts = await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: {} } }));
    expect(items.map(({ title }) => title)).toContain('New app in use: Otter.ai');
    return items;
  }, WAIT_MS);
  expect(alerts.filter(({ title }) => title === 'New app in use: Otter.ai').length).toBe(1);
});

test('forbidden: its grant is revoked in the tool, and the proxy refuses it', async () => {
  taken(await cordon.api.PATCH('/api/v1/proxy', { body: { unknown: 'observe' } }));
  await eventually(async () => expect(await connect('example.invalid')).not.toBe('403'), WAIT_MS);
  expect(await connect('otter.ai')).not.toBe('403');
  await page.getByRole('button', { name: 'Decide' }).click();
  const dialog = page.getByRole('dialog', { name: 'Decide about Otter.ai' });
  await dialog.getByLabel('Forbidden').check();
  await dialog.getByLabel('Reason').fill('Records meetings without consent');
  await dialog.getByRole('button', { name: 'Decide', exact: true }).click();
  await page.getByRole('row', { name: /Deactivate an application.*Done/ }).waitFor({ timeout: WAIT_MS });
  await page.getByRole('row', { name: /Refuse at the forward proxy.*Done/ }).waitFor();
  await tab.screenshots('found-app-forbidden');
  const { baseUrl, credential } = estate.app('okta');
  const headers = { authorization: `SSWS ${credential.secret}`, accept: 'application/json' };
  const apps = (await (await fetch(new URL('/api/v1/apps', baseUrl), { headers })).json()) as {
    label: string;
    status: string;
  }[]; // the emulator's own shape
  expect(apps.find(({ label }) => label === 'Otter.ai')?.status).toBe('INACTIVE');
  await eventually(async () => expect(await connect('otter.ai')).toBe('403'), WAIT_MS);
  expect(await connect('api.otter.ai')).toBe('403');
  expect(await connect('notter.ai')).not.toBe('403');
});

test('the old key is found by its age, and removed in the tool', async () => {
  await goTo('Discovery');
  await page.getByRole('tab', { name: 'Keys' }).click();
  const row = page.getByRole('row', { name: /deploy from the old build machine.*1100 days/ });
  await row.waitFor();
  await tab.screenshots('discovery-keys');
  await row.getByRole('button', { name: /^Remove / }).click();
  const dialog = page.getByRole('dialog', { name: /^Remove deploy from/ });
  await dialog.getByLabel('Reason').fill('The old build machine is gone');
  await dialog.getByRole('button', { name: 'Remove the key' }).click();
  await page.getByRole('row', { name: /Remove a deploy key.*Done/ }).waitFor({ timeout: WAIT_MS });
  const { baseUrl, credential } = estate.app('github');
  const headers = { authorization: `Bearer ${credential.secret}` };
  const repos = (await (await fetch(`${baseUrl.replace(/\/$/, '')}/orgs/meridian/repos`, { headers })).json()) as {
    full_name: string;
  }[]; // the emulator's own shape
  const keys = await (
    await fetch(`${baseUrl.replace(/\/$/, '')}/repos/${repos[0]?.full_name}/keys`, { headers })
  ).json();
  expect(keys).toEqual([]);
});

test('a review shows granted against used; what is revoked ends at the gateway', async () => {
  await eventually(async () => {
    const params = { path: { id: over.id } };
    const { operations } = taken(await cordon.api.GET('/api/v1/integrations/{id}/access', { params }));
    expect(operations.some(({ calls }) => (calls.d90 ?? 0) > 0)).toBe(true);
  }, WAIT_MS);
  await goTo('Reviews');
  await page.getByRole('button', { name: 'Start a review' }).click();
  const dialog = page.getByRole('dialog', { name: 'Start a review' });
  await dialog.getByLabel('Name', { exact: true }).fill('Quarterly');
  await dialog.getByLabel('Least risk, 1 to 100').fill('30');
  await dialog.getByRole('button', { name: /Choose a reviewer/ }).click();
  await page.getByRole('option', { name: /Ada Byron/ }).click();
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { name: 'Quarterly' }).waitFor();
  const row = page.getByRole('row', { name: /over-scoped: default on/ });
  await row.getByText(/2 granted; 1 used in 90 days/).waitFor();
  await tab.screenshots('review');
  await row.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  const form = page.getByRole('dialog', { name: /^Revoke over-scoped/ });
  await form.getByLabel('Reason').fill('It writes what it never should');
  await form.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('row', { name: /over-scoped: default on.*Taken away/ }).waitFor({ timeout: WAIT_MS });
  await eventually(async () => expect(await call('GET', '/notes/1')).toBe(403), WAIT_MS);
  const [campaign] = taken(await cordon.api.GET('/api/v1/reviews')).items;
  const report = await cli('review', 'report', campaign?.id ?? '');
  expect(report).toMatch(/Quarterly,over-scoped: default on .*,revoke,It writes what it never should,Ada Byron,/);
  expect(tab.errors).toEqual([]);
});
