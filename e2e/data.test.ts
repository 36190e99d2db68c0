import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** Data planted in the emulated Slack is found, labelled and pinned; a dry run of retention reads it and changes nothing. */

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS = 60_000;

let cordon: RunningCordon;
let estate: Estate;
let browser: Browser;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'data' }),
  ]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-data');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop()]);
});

/** The command line as an administrator uses it, on this Cordon. */
async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  return (await run(process.execPath, [PROGRAM, ...args], { env, cwd: cordon.dataDir })).stdout;
}

/** What axe finds that hinders somebody: serious and critical only, with the element. */
async function hindrances(): Promise<string[]> {
  await page.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await page.evaluate('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })');
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

const goTo = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).first().click();

async function messageField() {
  const query = { app: 'slack', object: 'message' };
  const { items } = taken(await cordon.api.GET('/api/v1/data/fields', { params: { query } }));
  return items.find(({ path }) => path === 'text');
}

test('planted data is found by the connector’s sample, with category, evidence and label', async () => {
  const { baseUrl, credential } = estate.app('slack');
  const body = { app: 'slack', name: 'slack-main', config: {}, baseUrl, privateAddresses: ['127.0.0.1'] };
  const token = { kind: 'bearer' as const, token: credential.secret };
  taken(await cordon.api.POST('/api/v1/connections', { body: { ...body, credential: token, everyMinutes: null } }));
  const field = await eventually(async () => {
    const found = await messageField();
    expect(found?.label).toBe('restricted');
    return found;
  }, WAIT_MS);
  expect(Object.keys(field?.detections ?? {})).toEqual(expect.arrayContaining(['iban']));
  expect(field?.samples).toBeGreaterThan(0);
  expect(await cli('data', 'sets', '--app', 'slack')).toMatch(/slack +message +restricted/);
});

test('the inventory shows it, and a person pins a label', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await goTo('Data');
  await page.getByRole('row', { name: /slack: message.*restricted/ }).waitFor();
  await tab.screenshots('data-inventory');
  expect(await hindrances()).toEqual([]);
  await page.getByRole('link', { name: 'slack: message', exact: true }).click();
  await page.getByRole('row', { name: /^text .*iban × / }).waitFor();
  await tab.screenshots('data-set');
  expect(await hindrances()).toEqual([]);
  await page.getByRole('button', { name: 'Pin the label', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Label of slack: message' });
  await dialog.getByLabel('Reason').fill('Customers write here what they should not');
  await dialog.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByText('restricted, pinned').waitFor();
});

test('a lower label waits, and who asked for it cannot grant it', async () => {
  await page.getByRole('button', { name: 'Pin the label', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Label of slack: message' });
  await dialog.getByLabel('internal', { exact: true }).check();
  await dialog.getByLabel('Reason').fill('It is only chat');
  await dialog.getByRole('button', { name: 'Ask for it' }).click();
  await goTo('Data');
  await page.getByRole('tab', { name: 'Label review' }).click();
  await page.getByRole('button', { name: 'Grant: slack: message' }).click();
  await page.getByText('another person must', { exact: false }).waitFor();
  await tab.screenshots('data-labels');
  const { items } = taken(await cordon.api.GET('/api/v1/data/sets', { params: { query: { app: 'slack' } } }));
  expect(items.find(({ object }) => object === 'message')?.label).toBe('restricted');
});

test('a dry run of retention counts what is there and changes nothing', async () => {
  await page.getByRole('tab', { name: 'Retention' }).click();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a retention rule' });
  await dialog.getByLabel('Name', { exact: true }).fill('Old messages');
  await dialog.getByLabel('App', { exact: true }).fill('slack');
  await dialog.getByLabel('Data set', { exact: true }).fill('message');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('link', { name: 'Old messages' }).click();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page
    .getByText(/^\d+ too young$/)
    .first()
    .waitFor({ timeout: WAIT_MS });
  await tab.screenshots('data-retention');
  expect(await hindrances()).toEqual([]);
  expect(await cli('data', 'retention', 'rules')).toContain('Old messages');
  expect(tab.errors).toEqual([]);
});
