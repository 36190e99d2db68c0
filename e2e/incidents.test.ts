import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A whole case on the running product: real calls, their alert, its case, an approved run that cuts off, the review. */

const ALERT_MS_MAX = 30_000;
let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let sync: Integration;
let token: string;

beforeAll(async () => {
  [cordon, browser, vendor] = await Promise.all([startCordon({ processes: 1 }), startBrowser(), startVendor()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-incidents');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await vendor?.stop();
});

const call = async (path: string, method = 'GET'): Promise<number> => {
  const answer = await fetch(`${cordon.gateway}/notes${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.arrayBuffer();
  return answer.status;
};

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

test('a stolen token is tried on everything: its alert opens a case and proposes a run', async () => {
  const app = await addNotesApp(cordon, vendor);
  sync = await addIntegration(cordon, app, 'crm-sync', ['notes.get']);
  token = await sync.token();
  await eventually(async () => expect(await call('/notes/1')).toBe(200), ALERT_MS_MAX);
  for (let path = 0; path < 12; path++) await call(`/hidden/${path}`);
  const found = await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/cases'));
    expect(items.length).toBeGreaterThan(0);
    return items[0];
  }, ALERT_MS_MAX);
  expect(found).toMatchObject({ origin: 'alert', severity: 'high', status: 'open' });
  const { items: runs } = taken(await cordon.api.GET('/api/v1/playbook-runs'));
  expect(runs.map(({ playbookName, status }) => [playbookName, status])).toEqual([['Stolen OAuth token', 'proposed']]);
  expect(await call('/notes/1')).toBe(200);
});

test('the case is taken, and the approved run cuts the integration off at the gateway', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Cases', exact: true }).click();
  await page
    .getByRole('row', { name: /Integration scans paths/ })
    .getByRole('link')
    .click();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('Marked acknowledged').waitFor();
  await page.getByRole('table', { name: 'Playbook runs' }).getByRole('link', { name: 'Stolen OAuth token' }).click();
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Approve the run' });
  await dialog.getByLabel('Why').fill('The owner did not do this.');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await eventually(async () => expect(await call('/notes/1')).toBe(401), ALERT_MS_MAX);
  await page.getByRole('button', { name: 'Answer' }).waitFor();
  await page.getByText('Ada Byron: The owner did not do this.').waitFor();
  await tab.screenshots('playbook-run');
});

test('the manual step is answered, and the run brings the integration back', async () => {
  await page.getByRole('button', { name: 'Answer' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bring it back with new credentials' });
  await dialog.getByRole('button', { name: 'Answer' }).click();
  await page.getByText('succeeded', { exact: true }).first().waitFor();
  expect(await call('/notes/1')).toBe(401);
  token = await sync.token();
  await eventually(async () => expect(await call('/notes/1')).toBe(200), ALERT_MS_MAX);
});

test('the case shows what happened, takes evidence, is reviewed and closed', async () => {
  await page.getByRole('link', { name: 'open it' }).click();
  await page.getByText('recovered', { exact: true }).first().waitFor();
  await page.getByLabel('New note').fill('The vendor rotated the token.');
  await page.getByRole('button', { name: 'Add note' }).click();
  await page.getByRole('table', { name: 'Timeline' }).getByText('The vendor rotated the token.').waitFor();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'log.txt', mimeType: 'text/plain', buffer: Buffer.from('seen') });
  await page.getByText(/SHA-256 [0-9a-f]{64}/).waitFor();
  await tab.screenshots('case');
  await page.getByRole('button', { name: 'Review', exact: true }).click();
  const review = page.getByRole('dialog', { name: 'Review the incident' });
  await review.getByLabel('What happened').fill('A token was stolen and tried on everything.');
  await review.getByLabel('Root cause').fill('It stood in a log.');
  await review.getByLabel('Actions that follow, one a line').fill('Keep tokens out of logs');
  await review.getByRole('button', { name: 'Keep the review' }).click();
  await page.getByText('From the review: Keep tokens out of logs').waitFor();
  await page.getByRole('button', { name: 'Close case' }).click();
  const closing = page.getByRole('dialog', { name: 'Close the case' });
  await closing.getByLabel('Why').fill('All done.');
  await closing.getByRole('button', { name: 'Close it' }).click();
  await page.getByText('Closed: All done.').waitFor();
  const [closed] = taken(await cordon.api.GET('/api/v1/cases', { params: { query: { status: 'closed' } } })).items;
  expect(closed?.metrics.containMs).toBeGreaterThan(0);
  expect(closed?.metrics.acknowledgeMs).toBeLessThanOrEqual(closed?.metrics.containMs ?? 0);
});

test('the editor draws a playbook and says what is wrong as one types', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Playbooks', exact: true }).click();
  await page.getByRole('link', { name: 'Stolen OAuth token' }).click();
  await page.getByRole('region', { name: 'Graph of the playbook' }).getByText('Cut the integration off').waitFor();
  await page.getByText('nothing is wrong').waitFor();
  await tab.screenshots('playbook');
  await page.getByRole('button', { name: 'Edit' }).click();
  const editor = page.getByLabel('Document (CACAO 2.0)');
  const text = await editor.inputValue();
  await editor.fill(text.replaceAll('"gateway.cut-off"', '"gateway.vanish"'));
  await page.getByText('Cordon has no action "gateway.vanish".').waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Discard' }).click();
  expect(tab.errors).toEqual([]);
});
