import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, type Integration } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * The console as a person uses it, in a real browser on the running program: the first owner comes in by the one-time
 * link and a passkey, sees traffic, finds an event, cuts an integration off, and comes back with the passkey.
 */

const TRAFFIC_MS_MAX = 20_000;

let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let reader: Integration;
let token: string;

beforeAll(async () => {
  [cordon, vendor, browser] = await Promise.all([startCordon(), startVendor(), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await vendor?.stop();
});

async function call(path: string): Promise<Response> {
  return fetch(`${cordon.gateway}/notes/${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
}

async function openPage(name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

test('the first owner comes in by the link and keeps a passkey', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByRole('heading', { name: /first owner/ }).waitFor();
  await tab.screenshots('welcome');
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor();
  expect(
    await page
      .getByRole('main')
      .getByText(/^[A-Z0-9]{4,}(?:-[A-Z0-9]+)+$/i)
      .count(),
  ).toBeGreaterThan(5);
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
  await tab.screenshots('map-empty');
});

test('live traffic appears on the map', async () => {
  const appId = await addNotesApp(cordon, vendor);
  reader = await addIntegration(cordon, appId, 'notes-reader', ['notes.get']);
  token = await reader.token();
  await eventually(async () => expect((await call('notes/1')).status).toBe(200), TRAFFIC_MS_MAX);
  expect(
    (
      await fetch(`${cordon.gateway}/notes/notes`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'not granted' }),
      })
    ).status,
  ).toBe(403);
  const map = page.getByRole('region', { name: 'Map of integrations and apps' });
  await map.getByRole('button', { name: /calls · 1 refused/ }).waitFor({ timeout: TRAFFIC_MS_MAX });
  await tab.screenshots('map-live');
  await map.getByText('notes-reader').click();
  await page.getByRole('link', { name: 'Open integration' }).waitFor();
});

test('an event is found in the explorer, and its link shows the same', async () => {
  await openPage('Events');
  await page.getByRole('button', { name: /^Decision deny/ }).click();
  const table = page.getByRole('table', { name: 'Events' });
  await table.getByText('notes.create').waitFor();
  await table.getByText('notes.get').first().waitFor({ state: 'detached' });
  expect(decodeURIComponent(new URL(page.url()).search)).toContain('decision:deny');
  await table
    .getByRole('button', { name: /^Open event/ })
    .first()
    .click();
  await page.getByText('gateway.not_authorized').first().waitFor();
  await tab.screenshots('events');
  await page.goto(page.url());
  await page.getByRole('table', { name: 'Events' }).getByText('notes.create').waitFor();
  await page.getByRole('heading', { name: 'Who and what' }).waitFor();
});

test('an integration is cut off, and its next call is refused', async () => {
  expect((await call('notes/2')).status).toBe(200);
  await openPage('Integrations');
  await page.getByRole('link', { name: 'notes-reader' }).click();
  await page.getByRole('heading', { level: 1, name: 'notes-reader' }).waitFor();
  await tab.screenshots('integration');
  await page.getByRole('button', { name: 'Cut off' }).click();
  const dialog = page.getByRole('dialog', { name: /Cut off notes-reader/ });
  const confirm = dialog.getByRole('button', { name: 'Cut off now' });
  await dialog.getByLabel('Reason').fill('its token was seen in a public repository');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('To confirm, type notes-reader').fill('notes-reader');
  await confirm.click();
  await page.getByText(/In force at all 2 gateway processes after/).waitFor();
  expect((await call('notes/3')).status).toBe(401);
  await tab.screenshots('integration-cut-off');
});

test('the app page names its operations and who holds them', async () => {
  await openPage('Apps');
  await page.getByRole('link', { name: 'notes', exact: true }).click();
  await page.getByRole('tab', { name: 'Operations' }).click();
  const row = page.getByRole('table', { name: 'Operations' }).getByRole('row', { name: /notes\.get/ });
  await row.getByRole('link', { name: 'notes-reader' }).waitFor();
  expect(await row.getByRole('link').count()).toBe(1);
  await tab.screenshots('app');
});

test('signing out ends the session; the passkey opens another', async () => {
  await page.getByRole('button', { name: /Ada Byron/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(`${cordon.url}/integrations`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await tab.screenshots('sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { level: 1, name: 'Integrations' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/integrations');
});

test('no page failed, and nothing needed what the content security policy refuses', () => {
  expect(tab.errors).toEqual([]);
});
