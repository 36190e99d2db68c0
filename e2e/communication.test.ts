import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A vendor writes: contacts that answer, a case from the mail, the duties it brings, and proof that they were met. */

const WAIT_MS_MAX = 30_000;
let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;
let chat: Server;
const said: string[] = [];

beforeAll(async () => {
  chat = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      said.push((JSON.parse(body) as { text: string }).text);
      response.end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(chat, 'listening');
  [cordon, browser] = await Promise.all([startCordon({ processes: 1 }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
}, 240_000);
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-communication');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  chat?.close();
});

const open = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
/** The address in a message that was read, as its reader would follow it. */
const linkIn = (text: string): string => /https?:\/\/\S+\/confirm#\S+/.exec(text)?.[0] ?? '';

test('a contact with two steps is added, tested, and somebody confirms by the link', async () => {
  const { port } = chat.address() as AddressInfo;
  taken(
    await cordon.api.POST('/api/v1/channels', {
      body: { kind: 'chat', name: 'desk', url: `http://127.0.0.1:${port}/`, privateAddresses: ['127.0.0.1'] },
    }),
  );
  await open('Contacts');
  await page.getByRole('button', { name: 'Add contact' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a contact' });
  await dialog.getByLabel('Name', { exact: true }).fill('Northwind');
  await dialog.getByLabel('About').fill('northwind.example');
  await dialog.getByRole('button', { name: 'Add a step' }).click();
  for (const label of [/^Channel Choose/, /^Channel of step 2/]) {
    await dialog.getByRole('button', { name: label }).click();
    await page.getByRole('option', { name: /^desk/ }).click();
  }
  await dialog.getByLabel('Who is behind it').fill('Security desk');
  await tab.screenshots('contact-form');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page
    .getByRole('row', { name: /Northwind/ })
    .getByText('Never tested')
    .waitFor();
  await page.getByRole('button', { name: 'Test Northwind' }).click();
  const link = await eventually(async () => {
    expect(linkIn(said.at(-1) ?? '')).not.toBe('');
    return linkIn(said.at(-1) ?? '');
  }, WAIT_MS_MAX);
  const reader = await openTab(browser);
  await reader.page.goto(link);
  await reader.page.getByLabel('Your name').fill('Nora of Northwind');
  await reader.page.getByRole('button', { name: 'I read it' }).click();
  await reader.page.getByText('It is on record that we reach you.').waitFor();
  await reader.context.close();
  await page
    .getByRole('row', { name: /Northwind/ })
    .getByText(/by Nora of Northwind/)
    .waitFor();
  await tab.screenshots('contacts');
  expect(tab.errors).toEqual([]);
});

test('what is true of the organisation is said once', async () => {
  await open('Duties');
  await page.getByRole('row', { name: /GDPR, notification to the supervisory authority/ }).waitFor();
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Your organisation' });
  for (const name of [/^We decide why and how/, /in the EU or EEA/]) {
    await dialog.getByRole('toolbar', { name }).getByRole('button', { name: 'Yes' }).click();
  }
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const { organisation } = taken(await cordon.api.GET('/api/v1/duties'));
  expect(organisation.facts).toEqual({ controller: true, in_eu: true });
  await tab.screenshots('duties');
});

test("a vendor's mail opens a case", async () => {
  await open('Cases');
  await page.getByRole('button', { name: "A vendor's notice" }).click();
  const dialog = page.getByRole('dialog', { name: "A vendor's notice" });
  const mail = [
    'From: Northwind Security <security@northwind.example>',
    'Subject: Unauthorised access to our API',
    'Message-ID: <n-1@northwind.example>',
    '',
    'Somebody used a stolen token of ours. Your records were read.',
  ];
  await dialog.getByLabel('The mail, with its headers').fill(mail.join('\n'));
  await tab.screenshots('notice');
  await dialog.getByRole('button', { name: 'Open the case' }).click();
  await page.getByRole('heading', { name: /Unauthorised access to our API/ }).waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/cases\//);
});

test('what is known starts a clock, and the record of the notification names its proof', async () => {
  await page.getByRole('button', { name: 'What is known' }).click();
  const facts = page.getByRole('dialog', { name: 'What is known' });
  await facts.getByLabel('How many people are concerned').fill('1200');
  for (const name of [/^Personal data was seen/, /^A risk to the people concerned is not/]) {
    await facts.getByRole('toolbar', { name }).getByRole('button', { name: 'Yes' }).click();
  }
  await tab.screenshots('case-facts');
  await facts.getByRole('button', { name: 'Save' }).click();
  const duty = page
    .getByRole('table', { name: 'Duties to notify' })
    .getByRole('row', { name: /Notify the supervisory/ });
  await duty
    .getByText(/left|h|d/)
    .first()
    .waitFor();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'receipt.txt', mimeType: 'text/plain', buffer: Buffer.from('received, N-4711') });
  await page.getByText(/SHA-256 [0-9a-f]{64}/).waitFor();
  await duty.getByRole('button', { name: /^Record GDPR/ }).click();
  const record = page.getByRole('dialog', { name: 'Notify the supervisory authority' });
  await record.getByLabel('Sent to').fill('CNIL');
  await record.getByLabel('Reference').fill('N-4711');
  await record.getByRole('button', { name: /^Proof/ }).click();
  await page.getByRole('option', { name: /receipt.txt/ }).click();
  await tab.screenshots('duty-record');
  await record.getByRole('button', { name: 'It was sent' }).click();
  await duty.getByText('Sent by Ada Byron').waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/cases'));
  const params = { path: { id: items[0]?.id ?? '' } };
  const { items: duties } = taken(await cordon.api.GET('/api/v1/cases/{id}/duties', { params }));
  const sent = duties.find(({ duty: id }) => id === 'gdpr-33')?.sent;
  expect(sent?.detail).toMatchObject({ to: 'CNIL', reference: 'N-4711' });
  expect(sent?.detail['evidenceId']).toMatch(/^[0-9a-f-]{36}$/);
});

test('the contact is reached from the case, and confirms', async () => {
  const before = said.length;
  await page.getByRole('button', { name: 'Reach a contact' }).click();
  const dialog = page.getByRole('dialog', { name: 'Reach a contact' });
  await dialog.getByRole('button', { name: /^Contact/ }).click();
  await page.getByRole('option', { name: /^Northwind/ }).click();
  await dialog.getByLabel('Subject').fill('Which records?');
  await dialog.getByLabel('Text').fill('Please name the records that were read.');
  await dialog.getByRole('button', { name: 'Send' }).click();
  await eventually(async () => expect(said.length).toBeGreaterThan(before), WAIT_MS_MAX);
  expect(said.at(-1)).toContain('Please name the records that were read.');
  const reader = await openTab(browser);
  await reader.page.goto(linkIn(said.at(-1) ?? ''));
  await reader.page.getByLabel('Your name').fill('Nora of Northwind');
  await reader.page.getByRole('button', { name: 'I read it' }).click();
  await reader.page.getByText('It is on record that we reach you.').waitFor();
  await reader.context.close();
  await page
    .getByRole('table', { name: 'Timeline' })
    .getByText(/Nora of Northwind/)
    .first()
    .waitFor();
});

test('status page text, sharing mark, review with actions, and what is exported', async () => {
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  const edit = page.getByRole('dialog', { name: 'Edit the case' });
  await edit.getByLabel('Text for a status page').fill('We are looking into a notice of a vendor.');
  await edit.getByRole('button', { name: /^Sharing/ }).click();
  await page.getByRole('option', { name: 'amber+strict' }).click();
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.getByText('We are looking into a notice of a vendor.').first().waitFor();
  await page.getByRole('button', { name: 'Review', exact: true }).click();
  const review = page.getByRole('dialog', { name: 'Review the incident' });
  await review.getByLabel('What happened').fill('A token of a vendor was stolen.');
  await review.getByLabel('Root cause').fill('It had no expiry.');
  await review.getByLabel('Actions that follow, one a line').fill('Ask for short-lived tokens');
  await review.getByRole('button', { name: 'Keep the review' }).click();
  await page.getByText('From the review: Ask for short-lived tokens').waitFor();
  await tab.screenshots('case-vendor');
  const { items } = taken(await cordon.api.GET('/api/v1/cases'));
  const bundle = await page.evaluate(
    async (id) => (await fetch(`/api/v1/cases/${id}/export?format=stix`)).json(),
    items[0]?.id ?? '',
  );
  expect(JSON.stringify(bundle)).toContain('marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003');
  expect(items[0]?.metrics.notifyMs).toBeGreaterThanOrEqual(0);
  expect(tab.errors).toEqual([]);
});

test('the page of backups says how Cordon itself would come back', async () => {
  await open('Backups');
  await page.getByText('Cordon is not backed up').waitFor();
  await tab.screenshots('backups');
  expect(tab.errors).toEqual([]);
});
