import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { decodeKey, verifyExport } from '@cordon/proof';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A person adds a source, sees the alert that its event raises, works on it and closes it. */

const WAIT_MS_MAX = 30_000;

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

test('a threat list is imported, marks what comes, and the event says what is known about it', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Enrichment', exact: true }).click();
  await page.getByRole('row', { name: /geo-whois-asn-country.*Number Resource Organization/ }).waitFor();
  await page.getByRole('button', { name: 'Import a list' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import a threat list' });
  await dialog.getByLabel('Name', { exact: true }).fill('shared-feed');
  await dialog.getByLabel('Source').fill('A sharing community');
  const pattern = "[ipv4-addr:value = '46.4.0.0/24']";
  const bundle = { type: 'bundle', id: 'bundle--1', objects: [{ type: 'indicator', pattern, name: 'Stolen tokens' }] };
  const file = { name: 'feed.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(bundle)) };
  await dialog.locator('input[type=file]').setInputFiles(file);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('row', { name: /shared-feed.*threats/ }).waitFor();
  await tab.screenshots('enrichment');
  const body = { name: 'okta-known', product: 'okta/system' };
  const { credential } = taken(await cordon.api.POST('/api/v1/sources', { body }));
  const event = {
    uuid: 'console-known-1',
    published: new Date().toISOString(),
    eventType: 'user.session.start',
    actor: { id: 'u1', type: 'User', alternateId: 'eve@example.com', displayName: 'Eve' },
    client: { ipAddress: '46.4.0.9', userAgent: { rawUserAgent: 'curl/8.5' } },
    outcome: { result: 'SUCCESS' },
  };
  await eventually(async () => {
    const { state } = taken(await cordon.api.GET('/api/v1/enrichment'));
    expect(state?.indicators).toBe(1);
  }, WAIT_MS_MAX);
  const answer = await fetch(`${cordon.url}/ingest/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}` },
    body: JSON.stringify(event),
  });
  expect(await answer.json()).toMatchObject({ accepted: 1 });
  await page
    .getByRole('row', { name: /shared-feed/ })
    .getByRole('link')
    .click();
  await page
    .getByRole('row', { name: /user.session.start/ })
    .first()
    .click();
  await page.getByText('AS24940 Hetzner Online GmbH').first().waitFor();
  for (const text of ['DE', 'hosting', 'curl', 'shared-feed']) {
    await page.getByText(text, { exact: true }).first().waitFor();
  }
  await tab.screenshots('event-known');
  const { items } = taken(
    await cordon.api.GET('/api/v1/alerts', { params: { query: { rule: 'standard.threat-list-match' } } }),
  );
  expect(items).toMatchObject([{ entity: { id: 'eve@example.com' } }]);
});

test('a retention rule is tried before it is made, and a hold is placed and lifted', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Event retention', exact: true }).click();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const rule = page.getByRole('dialog', { name: 'Add a retention rule' });
  await rule.getByLabel('Name').fill('okta-short');
  await rule.getByLabel('Search').fill('product:Okta');
  await rule.getByLabel('Days').fill('30');
  await rule.getByRole('button', { name: 'Try it without deleting' }).click();
  await rule.getByText('0 events would go now; 0 are held.').waitFor();
  await rule.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /okta-short.*30 days/ }).waitFor();
  await page.getByRole('button', { name: 'Place a hold' }).click();
  const hold = page.getByRole('dialog', { name: 'Place a legal hold' });
  await hold.getByLabel('Name').fill('case-7');
  await hold.getByLabel('Reason').fill('Case 7');
  await hold.getByRole('button', { name: 'Place', exact: true }).click();
  await page.getByRole('row', { name: /case-7.*Ada Byron/ }).waitFor();
  await tab.screenshots('event-retention');
  await page.getByRole('button', { name: 'Lift case-7' }).click();
  const lift = page.getByRole('dialog', { name: 'Lift case-7' });
  await lift.getByLabel('Reason').fill('It is closed');
  await lift.getByRole('button', { name: 'Lift', exact: true }).click();
  await page.getByText('Nothing is held.').waitFor();
  expect(taken(await cordon.api.GET('/api/v1/event-retention'))).toMatchObject({ holds: [], rules: [{ days: 30 }] });
});

test('a notification target with quiet hours and words, and a forwarding target, are made', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Notifications', exact: true }).click();
  await page.getByRole('button', { name: 'Add target' }).click();
  const told = page.getByRole('dialog', { name: 'Add a notification target' });
  await told.getByLabel('Name').fill('night-desk');
  await told.getByLabel('To', { exact: true }).fill('soc@example.com');
  await told.getByLabel('Quiet hours').check();
  await told.getByLabel('Time zone').fill('Europe/Vienna');
  await told.getByRole('button', { name: 'Words of your own' }).click();
  await told.getByLabel('Title').fill('{{nonsense}}');
  await told.getByLabel('Text').fill('{{entity}}: {{url}}');
  await told.getByRole('button', { name: 'Add', exact: true }).click();
  await told
    .getByText(/nothing that an alert has/)
    .first()
    .waitFor();
  await told.getByLabel('Title').fill('{{severity}}: {{title}}');
  await tab.screenshots('notification-form');
  await told.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /night-desk.*22:00 to 07:00 Europe\/Vienna/ }).waitFor();
  await tab.screenshots('notifications');
  await page.getByRole('navigation').getByRole('link', { name: 'Forwarding', exact: true }).click();
  // Both pages have a button of this name.
  await page.getByText('Nothing is forwarded.').waitFor();
  await page.getByRole('button', { name: 'Add target' }).click();
  const target = page.getByRole('dialog', { name: 'Add a forwarding target' });
  await target.getByLabel('Name').fill('siem');
  await target.getByLabel('Address', { exact: true }).fill('https://splunk.example.com:8088/services/collector/event');
  await target.getByLabel('HEC token').fill('11111111-2222-3333-4444-555555555555');
  await target.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /siem.*splunk.example.com:8088/ }).waitFor();
  await page.getByRole('button', { name: 'Pause siem' }).click();
  await page.getByRole('row', { name: /siem.*Paused/ }).waitFor();
  expect(tab.errors).toEqual([]);
  await tab.screenshots('forwarding');
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
