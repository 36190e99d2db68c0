import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { decodeKey, verifyExport } from '@cordon/proof';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A person adds a source, sees the alert that its event raises, works on it and closes it. */

let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  [cordon, browser] = await Promise.all([startCordon({ processes: 1 }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-alerts');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
});

test('the first owner comes in', async () => {
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

test('a source is added, and its credential shown once', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Sources', exact: true }).click();
  await page.getByRole('button', { name: 'Add source' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a source' });
  await dialog.getByLabel('Name').fill('okta-main');
  await dialog.getByLabel('Product').fill('okta');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const shown = page.getByRole('dialog', { name: "The source's credential" });
  const credential = await shown.getByText(/^cns_/).innerText();
  await shown.getByRole('button', { name: 'I have kept it' }).click();
  const event = {
    uuid: 'console-lock-1',
    published: new Date().toISOString(),
    eventType: 'user.account.lock',
    actor: { id: 'u1', type: 'User', alternateId: 'eve@example.com', displayName: 'Eve' },
    client: { ipAddress: '198.51.100.7' },
    outcome: { result: 'FAILURE' },
  };
  const answer = await fetch(`${cordon.url}/ingest/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}` },
    body: `${JSON.stringify(event)}\nnonsense`,
  });
  expect(await answer.json()).toEqual({ accepted: 1, duplicates: 0, dead_letters: 1 });
  await page
    .getByRole('row', { name: /okta-main/ })
    .getByRole('button', { name: '1' })
    .click();
  await page.getByRole('dialog').getByText('The record is not JSON.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click();
});

test('its alert is seen, taken, commented and closed', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Alerts', exact: true }).click();
  const row = page.getByRole('row', { name: /Eve/ });
  await row.waitFor();
  await tab.screenshots('alerts');
  await row.getByRole('link').click();
  await page.getByText('First questions').waitFor();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('Acknowledged', { exact: true }).waitFor();
  await page.getByLabel('New comment').fill('Called her: it was her.');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await page.getByText('Called her: it was her.').first().waitFor();
  await tab.screenshots('alert');
  await page.getByRole('main').getByRole('button', { name: 'Close', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await page.getByText('Closed: resolved').waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { status: 'closed' } } }));
  expect(items).toMatchObject([{ statusReason: 'resolved', statusBy: 'Ada Byron', assignee: 'Ada Byron' }]);
});

test('a syslog source is made, and the page says how its events come', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Sources', exact: true }).click();
  await page.getByRole('button', { name: 'Add source' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a source' });
  await dialog.getByLabel('Name').fill('appliances');
  await dialog.getByLabel('Product').fill('syslog');
  await dialog.getByRole('button', { name: /How they come/ }).click();
  await page.getByRole('option', { name: /Syslog over TCP/ }).click();
  await dialog.getByLabel('Port').fill(String(await freePorts(1)));
  await dialog.getByLabel('Who may send').fill('10.0.0.0/8, nonsense');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog
    .getByText(/an address or a network/)
    .first()
    .waitFor();
  await dialog.getByLabel('Who may send').fill('10.0.0.0/8');
  await tab.screenshots('source-form');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /appliances.*Syslog, TCP port/ }).waitFor();
  expect(tab.errors).toEqual([]);
  await tab.screenshots('sources');
});

test('the audit page shows the proof, and what is downloaded there is genuine', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Audit trail', exact: true }).click();
  await page
    .getByText(/\d+ records, /)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Check the records' }).click();
  await page.getByText(/All \d+ stored records are those that the log took in/).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export', exact: true }).click(),
  ]);
  const { log } = taken(await cordon.api.GET('/api/v1/proof'));
  const lines = createInterface({ input: createReadStream(await download.path()) });
  expect((await verifyExport(lines, { key: decodeKey(log?.key ?? '') })).records).toBeGreaterThan(3);
  await page.getByRole('button', { name: 'Add a witness' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a witness' });
  await dialog.getByLabel('Name').fill('auditor');
  await dialog.getByLabel('Address').fill('https://witness.example.com');
  await dialog.getByLabel('Verifier key').fill('nonsense');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByText(/no verifier key/).waitFor();
  await dialog.getByLabel('Verifier key').fill('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /auditor https/ }).waitFor();
  await tab.screenshots('proof');
  await page.getByRole('button', { name: 'Remove auditor' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('None. Whoever keeps a checkpoint').waitFor();
  expect(tab.errors).toEqual([]);
});
