import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { becomeFirstOwner } from './harness/first-owner.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** What an organisation looks for itself: given on the command line and in the console, blocked at the gateways. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const execute = promisify(execFile);
const ARRIVE_MS_MAX = 30_000;

let cordon: RunningCordon;
let browser: Browser;
let vendor: FakeVendor;
let tab: Tab;
let page: Page;
let writer: Integration;

beforeAll(async () => {
  [cordon, browser, vendor] = await Promise.all([startCordon(), startBrowser(), startVendor()]);
  tab = await openTab(browser);
  page = tab.page;
  const appId = await addNotesApp(cordon, vendor);
  writer = await addIntegration(cordon, appId, 'writer', ['notes.create']);
  const rule = { name: 'Ours stays', class: 'custom.*', direction: 'request' as const, action: 'block' as const };
  taken(await cordon.api.POST('/api/v1/inspection-rules', { body: rule }));
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-detectors');
});
afterAll(async () => {
  await browser?.close();
  await vendor?.stop();
  await cordon?.stop();
});

async function detector(...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const options = { cwd: cordon.dataDir, env };
  const { stdout } = await execute(process.execPath, [PROGRAM, 'detector', ...words], options);
  return stdout;
}

/** What each gateway process says to a note with this text. */
async function statusesOf(text: string): Promise<number[]> {
  const token = await writer.token();
  return Promise.all(
    cordon.gateways.map(async (gateway) => {
      const response = await fetch(`${gateway}/notes/notes`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
      });
      return response.status;
    }),
  );
}

const isBlocked = async (text: string): Promise<void> =>
  eventually(async () => expect(new Set(await statusesOf(text))).toEqual(new Set([403])), ARRIVE_MS_MAX);

test('words of a file are blocked at every gateway, from the command line', async () => {
  const text = 'the blue heron sails on monday';
  expect(new Set(await statusesOf(text))).toEqual(new Set([201]));
  const file = join(cordon.dataDir, 'projects.txt');
  await writeFile(file, 'Blue Heron\nKestrel\n');
  await detector('add', 'projects', '--terms', file, '--title', 'Secret projects', '--label', 'restricted');
  await isBlocked(text);
  expect(await detector('list')).toMatch(/projects\s+dictionary\s+2\s+restricted\s+on\s+Secret projects/);
  expect(await detector('try', 'Blue Heron of ada.quill@acme-widgets.io')).toMatch(/custom:projects[^]*email/);
});

test('a list of records is given in the console, and only its hashes are kept', async () => {
  await becomeFirstOwner(page, cordon);
  await page.getByRole('navigation').getByRole('link', { name: 'Own detectors' }).click();
  await page.getByRole('row', { name: /projects Secret projects Words 2 terms/ }).waitFor();
  await page.getByRole('button', { name: 'Add detector' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('customers');
  await dialog.getByLabel('What it is').fill('Numbers of customers');
  await dialog.getByRole('button', { name: /^Kind/ }).click();
  await page.getByRole('option', { name: /^Records/ }).click();
  const values = Array.from({ length: 5_000 }, (_, index) => `CUST-${String(index * 7919).padStart(8, '0')}`);
  await dialog
    .locator('input[type=file]')
    .setInputFiles({ name: 'customers.txt', mimeType: 'text/plain', buffer: Buffer.from(values.join('\n')) });
  await dialog.getByText('customers.txt').waitFor();
  await tab.screenshots('detectors-form');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: /customers Numbers of customers Records 5,000 values/ }).waitFor();
  await page.getByRole('textbox', { name: 'Text' }).fill('call CUST 00007919 about CUST-00000001');
  await page.getByRole('button', { name: 'Look' }).click();
  const findings = page.getByRole('table', { name: 'Findings' });
  await findings.getByRole('row', { name: /custom:customers CUST 00007919/ }).waitFor();
  await tab.screenshots('detectors');
  expect(tab.errors).toEqual([]);
  await isBlocked('about cust 00007919');
  expect(new Set(await statusesOf('about cust 00007920'))).toEqual(new Set([201]));
});

test('one that is switched off in the console blocks nothing more', async () => {
  await page.getByRole('checkbox', { name: 'projects is on' }).click();
  await page.getByText('projects is off at every gateway in a moment.').waitFor();
  await eventually(
    async () => expect(new Set(await statusesOf('the blue heron sails'))).toEqual(new Set([201])),
    ARRIVE_MS_MAX,
  );
  await isBlocked('about cust 00007919');
});
