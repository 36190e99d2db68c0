import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type MailServer, makeCaiq, makeDocx, startMailServer } from '@cordon/vendors/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { addIntegration, addNotesApp, taken } from './harness/notes-integration.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { openOwnDatabase } from './harness/own-database.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A vendor is asked, answers without an account, is reviewed, and is cut off. */

let mail: MailServer;
let cordon: RunningCordon;
let notes: FakeVendor;
let browser: Browser;
let tab: Tab;
let guest: Tab;
let page: Page;
let folder = '';
let vendorId = '';
const tabs: Tab[] = [];

async function newTab(): Promise<Tab> {
  const opened = await openTab(browser);
  tabs.push(opened);
  return opened;
}

beforeAll(async () => {
  mail = await startMailServer();
  folder = await mkdtemp(join(tmpdir(), 'cordon-vendors-'));
  const env = { CORDON_SMTP_URL: mail.url, CORDON_MAIL_FROM: 'Cordon <cordon@example.com>' };
  [cordon, browser, notes] = await Promise.all([startCordon({ processes: 1, env }), startBrowser(), startVendor()]);
  tab = await newTab();
  guest = await newTab();
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await tab.screenshots('failed-vendors');
  await guest.screenshots('failed-vendors-portal');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await notes?.stop();
  await mail?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What axe finds that hinders somebody: serious and critical only, with the element. */
async function hindrances(on: Page): Promise<string[]> {
  await on.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await on.evaluate(
    'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })',
  );
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

async function enterPortal(on: Page, url: string, address: string): Promise<void> {
  await on.goto(url);
  await on.getByRole('button', { name: 'Send the code' }).click();
  const { text } = await mail.take(address);
  await on.getByLabel('Code from the message').fill(/\b\d{6}\b/.exec(text)?.[0] ?? '');
  await on.getByRole('button', { name: 'Continue' }).click();
}

const linkIn = (text: string): string => /https?:\S+\/portal#[\w-]{43}/.exec(text)?.[0] ?? '';

test('the first owner comes in and adds vendors from apps', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  const appId = await addNotesApp(cordon, notes);
  await addIntegration(cordon, appId, 'sync', ['notes.get']);
  await page.getByRole('navigation').getByRole('link', { name: 'Vendors', exact: true }).click();
  await page.getByRole('button', { name: 'Add from apps' }).click();
  await page.getByRole('link', { name: 'notes' }).click();
  await page.getByRole('button', { name: 'Start MVSP' }).waitFor();
  vendorId = page.url().split('/').at(-1) ?? '';
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('vendor');
});

test('a questionnaire with a branch is built and sent', async () => {
  await page.getByRole('button', { name: 'Build one' }).click();
  const dialog = page.getByRole('dialog', { name: 'Build a questionnaire' });
  await dialog.getByLabel('Title').fill('Card data');
  await dialog.getByLabel('Question 1', { exact: true }).fill('Do you store card data?');
  await dialog.getByRole('button', { name: 'Add a question' }).click();
  await dialog.getByLabel('Question 2', { exact: true }).fill('How is it encrypted?');
  await dialog.getByLabel('Ask question 2').click();
  await page.getByRole('option', { name: 'When Q1 is' }).click();
  await dialog.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const send = page.getByRole('dialog', { name: 'Send the questionnaire' });
  await send.getByLabel('E-mail address').fill('vera@vendor.example');
  await send.getByRole('button', { name: 'Send the link' }).click();
  const row = page.getByRole('row', { name: /vera@vendor.example/ });
  await row.waitFor();
  expect(await row.innerText()).toContain('not yet');
});

let link = '';
let colleagueLink = '';
let colleague: Tab;

test('somebody without an account answers it, in the language they choose', async () => {
  link = linkIn((await mail.take('vera@vendor.example')).text);
  const { page: portal } = guest;
  await enterPortal(portal, link, 'vera@vendor.example');
  await portal.getByRole('heading', { name: 'Card data', level: 1 }).waitFor();
  expect(await portal.getByRole('region', { name: /Q2/ }).count()).toBe(0);
  await portal.getByRole('region', { name: /Q1/ }).getByLabel('Yes').check();
  await portal.getByRole('region', { name: /Q2/ }).waitFor();
  expect(await hindrances(portal)).toEqual([]);
  await guest.screenshots('portal');
  await portal.getByLabel('Language').click();
  await portal.getByRole('option', { name: 'Deutsch' }).click();
  await portal.getByRole('button', { name: 'Abschicken' }).waitFor();
  const path = join(folder, 'policy.txt');
  await writeFile(path, 'All card data is encrypted at rest with AES-256 and keys in a hardware module.');
  await portal.getByRole('region', { name: /Q2/ }).locator('input[type=file]').setInputFiles(path);
  await portal.getByText('policy.txt').waitFor();
  await portal.getByRole('button', { name: 'Kollegen fragen: Card data' }).click();
  const dialog = portal.getByRole('dialog', { name: 'Kollegen fragen' });
  await dialog.getByLabel('E-Mail-Adresse').fill('dan@vendor.example');
  await dialog.getByRole('button', { name: 'Senden' }).click();
  await dialog.getByText('Die Nachricht ist unterwegs.').waitFor();
  expect(guest.errors).toEqual([]);
});

test('a colleague with a link of their own goes on where it was left, and the first submits', async () => {
  colleague = await newTab();
  colleagueLink = linkIn((await mail.take('dan@vendor.example')).text);
  await enterPortal(colleague.page, colleagueLink, 'dan@vendor.example');
  const question = colleague.page.getByRole('region', { name: /Q2/ });
  await question.getByLabel('Yes').check();
  const answer = question.getByLabel('Explanation');
  await answer.fill('AES-256, keys in an HSM');
  await answer.blur();
  await colleague.page.getByText('Saved').waitFor();
  expect(await colleague.page.getByRole('button', { name: 'Submit' }).count()).toBe(0);
  const { page: portal } = guest;
  await portal.reload();
  await portal.getByRole('region', { name: /Q2/ }).getByText('AES-256, keys in an HSM').waitFor();
  await portal.getByRole('button', { name: 'Submit' }).click();
  await portal.getByText('Submitted. Thank you.').waitFor();
});

test('a reviewer sees evidence, accepts and finishes', async () => {
  await page.reload();
  await page.getByRole('button', { name: 'What their documents say: Q2' }).click();
  await page.getByText('hardware module').waitFor();
  await tab.screenshots('questionnaire');
  for (const id of ['Q1', 'Q2']) await page.getByRole('button', { name: `Accept ${id}` }).click();
  await page.getByText('Accepted').nth(1).waitFor();
  expect(await hindrances(page)).toEqual([]);
  await page.getByRole('button', { name: 'Finish the review' }).click();
  await page.getByText('The review is done.').waitFor();
});

/** What the portal's own API says to whoever holds this link. */
async function lookAnswer(url: string): Promise<string> {
  const answer = await fetch(`${cordon.url}/api/v1/portal/look`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: url.split('#')[1] ?? '' }),
  });
  const { instance: _instance, ...body } = (await answer.json()) as Record<string, unknown>;
  return JSON.stringify([answer.status, body]);
}

/** A dead link says what to do, and nothing about the questionnaire. */
async function expectDead(portal: Page): Promise<void> {
  await portal.getByRole('heading', { name: 'This link does not work' }).waitFor();
  await portal.getByText('Ask whoever sent it for a new one.').waitFor();
  expect(await portal.getByText('Card data').count()).toBe(0);
  expect(await portal.getByRole('button', { name: 'Send the code' }).count()).toBe(0);
}

const guessOf = (url: string): string => `${url.slice(0, -4)}AAAA`;

test('an expired link ends the session under way, opens nothing, and says what to do', async () => {
  await colleague.page.reload();
  await colleague.page.getByRole('heading', { name: 'Card data', level: 1 }).waitFor();
  const database = await openOwnDatabase(cordon.dataDir);
  try {
    // The shortest validity is a day: the days are taken off this one link where they are kept.
    const { rowCount } = await database.query(
      "update portal_links set expires_at = now() - interval '1 second' where token_sha256 = sha256(convert_to($1, 'UTF8'))",
      [colleagueLink.split('#')[1]],
    );
    expect(rowCount).toBe(1);
  } finally {
    await database.end();
  }
  await colleague.page.reload();
  await expectDead(colleague.page);
  const other = await newTab();
  await other.page.goto(colleagueLink);
  await expectDead(other.page);
  expect(await hindrances(other.page)).toEqual([]);
  await other.screenshots('portal-expired');
  expect(await lookAnswer(colleagueLink)).toBe(await lookAnswer(guessOf(colleagueLink)));
  await guest.page.reload();
  await guest.page.getByRole('heading', { name: 'Card data', level: 1 }).waitFor();
});

test('revoked and guessed links show the same and open nothing', async () => {
  await page.getByRole('button', { name: 'Revoke the link of vera@vendor.example' }).click();
  await page.getByText('Revoked').waitFor();
  const other = await newTab();
  for (const url of [link, guessOf(link)]) {
    await other.page.goto('about:blank');
    await other.page.goto(url);
    await expectDead(other.page);
  }
  expect(await lookAnswer(link)).toBe(await lookAnswer(guessOf(link)));
  await guest.page.reload();
  await expectDead(guest.page);
});

test('a CAIQ goes in as it was published and comes out with its answers', async () => {
  const { api } = cordon;
  const params = { path: { id: vendorId } };
  const content = Buffer.from(makeCaiq().bytes).toString('base64');
  const made = taken(
    await api.POST('/api/v1/vendors/{id}/questionnaires/workbook', { params, body: { name: 'caiq.xlsx', content } }),
  );
  expect([made.answers.length, made.problems]).toEqual([261, []]);
  const answer = await fetch(`${cordon.url}/api/v1/questionnaires/${made.id}/export`, {
    headers: { authorization: `Bearer ${cordon.token}` },
  });
  expect(answer.headers.get('content-disposition')).toContain('attachment; filename="caiq.xlsx"');
  expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
});

test('a contract is checked, shown with its passages, and confirmed', async () => {
  const path = join(folder, 'dpa.docx');
  await writeFile(
    path,
    makeDocx(
      'Vendor shall notify Customer of any security incident within seventy-two (72) hours.\nCustomer may audit Vendor once a year.',
    ),
  );
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name: 'Contracts' }).click();
  await page.locator('input[type=file]').first().setInputFiles(path);
  await page.getByRole('heading', { name: 'Breach notice' }).waitFor();
  await page.getByText('seventy-two (72) hours', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Confirm Breach notice' }).click();
  await page.getByText('confirmed by Ada Byron').waitFor();
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('contract');
});

test('offboarding cuts every integration off, and shows it', async () => {
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('button', { name: 'Offboard' }).click();
  const dialog = page.getByRole('dialog', { name: /Offboard/ });
  await dialog.getByLabel('Reason').fill('the contract ended');
  await dialog.getByRole('button', { name: 'Cut off and offboard' }).click();
  await page.getByRole('tab', { name: 'Offboarding' }).click();
  await page.getByRole('row', { name: /Cut off every integration.*sync/ }).waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/integrations'));
  expect(items.map(({ name, status }) => [name, status])).toEqual([['sync', 'revoked']]);
  expect(tab.errors).toEqual([]);
});
