import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** An integration that only knows HTTPS_PROXY, and one whose caller tries an injection, on the running product. */

const run = promisify(execFile);
const WAIT_MS = 20_000;
let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let proxyPort = 0;
let appId = '';
let client: Integration;

beforeAll(async () => {
  proxyPort = await freePorts(1);
  const env = { CORDON_GATEWAY_PROXY_PORT: String(proxyPort) };
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
});

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
});
