import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Estate, startEstate } from '@cordon/demo';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import { verifyPdf, writeAnswers } from '@cordon/vendors';
import { type MailServer, makeCsaf, makeProvider, startMailServer } from '@cordon/vendors/testing';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type NameServer, startNameServer } from './harness/name-server.ts';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { addIntegration, eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A vendor is watched from outside, held against its answers, weighed, told of, and handed on as a signed file. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WORKER_MS_MAX = 60_000;
/** What Okta's emulator calls the app Otter.ai, which acts there as its OAuth client. */
const OTTER = '0oameridianotterai00';
let mail: MailServer;
let cordon: RunningCordon;
let vendorServer: https.Server;
let feedServer: http.Server;
let csafServer: https.Server;
let nameServer: NameServer;
let estate: Estate;
const csafFiles = new Map<string, string>();
let browser: Browser;
let tab: Tab;
let page: Page;
let folder = '';
let vendorId = '';
let authority = '';

const listen = async (server: http.Server | https.Server): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port; // it listens on a port
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cordon-vendor-score-'));
  const ca = await createAuthority('Vendor', Date.now());
  authority = ca.cert;
  const dns = ['api.acme.test', 'www.unnamed.test', 'csaf.orbit.test'];
  const pair = await issueServerCertificate(ca, { dns, ip: ['127.0.0.1'] }, Date.now());
  // What many a vendor still does: every version that OpenSSL speaks.
  const old = { ...pair, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' };
  vendorServer = https.createServer(old, (_request, response) => response.writeHead(404).end());
  const feed = {
    version: 1,
    notices: [
      { id: 'n1', vendor: 'Acme', title: 'Support system entered', text: 'Tickets were read.', severity: 'high' },
    ],
  };
  feedServer = http.createServer((_request, response) => response.end(JSON.stringify(feed)));
  csafServer = https.createServer({ ...pair, minVersion: 'TLSv1.2' }, (request, response) => {
    const file = csafFiles.get(request.url ?? '');
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  mail = await startMailServer();
  nameServer = await startNameServer({ hosts: dns, issuers: { 'acme.test': 'letsencrypt.org' } });
  const env = {
    CORDON_DNS_SERVERS: nameServer.address,
    CORDON_SMTP_URL: mail.url,
    CORDON_MAIL_FROM: 'Cordon <cordon@example.com>',
  };
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1, env }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'vendors' }),
  ]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-vendor-score');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop()]);
  await mail?.stop();
  await nameServer?.stop();
  for (const server of [vendorServer, feedServer, csafServer]) {
    server?.closeAllConnections();
    server?.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function hindrances(): Promise<string[]> {
  await page.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await page.evaluate(
    'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })',
  );
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

const openVendor = async (name: string): Promise<void> => {
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name, exact: true }).click();
};
const path = () => ({ path: { id: vendorId } });

test('vendors come from a list, and are edited', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  const port = await listen(vendorServer);
  const upstream = `https://api.acme.test:${port}`;
  const hosts = [{ role: 'files', upstream: `https://www.unnamed.test:${port}` }];
  const app = { name: 'acme', upstream, hosts, privateAddresses: ['127.0.0.1'], caCertificates: [authority] };
  const { id: appId } = taken(await cordon.api.POST('/api/v1/apps', { body: app }));
  await addIntegration(cordon, appId, 'sync', ['anything']);
  const list = join(folder, 'vendors.csv');
  await writeFile(list, 'name,tier,regions\n"Acme",high,EU\nOther,low,\n');
  await page.goto(`${cordon.url}/vendors`);
  await page.getByRole('button', { name: 'Import a list' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import vendors' });
  await dialog.locator('input[type=file]').setInputFiles(list);
  await dialog.getByText('2 vendors in the list').waitFor();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('link', { name: 'Acme' }).click();
  vendorId = page.url().split('/').at(-1) ?? '';
  await page.getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit Acme' });
  await edit.getByLabel('Owner').fill('Olga <olga@example.com>');
  await edit.getByLabel('Contacts').fill('Vera, vera@acme.example, CISO');
  await edit.getByRole('button', { name: 'Apps' }).click();
  await page.getByRole('option', { name: 'acme' }).click();
  await page.keyboard.press('Escape');
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Vera <vera@acme.example>').waitFor();
  const { appIds, profile } = taken(await cordon.api.GET('/api/v1/vendors/{id}', { params: path() }));
  expect([appIds, profile.tier, profile.regions]).toEqual([[appId], 'high', ['EU']]);
});

test('the worker sees that the host offers TLS 1.0, and the owner learns of it', async () => {
  await openVendor('Monitoring');
  await page.getByText('It still offers TLS 1.0 and TLS 1.1').first().waitFor({ timeout: WORKER_MS_MAX });
  await page.getByText('It publishes no security.txt').first().waitFor();
  expect((await mail.take('olga@example.com')).text).toContain('TLS 1.0');
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('vendor-monitoring');
});

test('a name server says who may issue its certificates, and where nobody is named that is said', async () => {
  const hosts = page.getByRole('table', { name: 'Hosts' });
  await hosts.getByRole('row', { name: /api\.acme\.test.*letsencrypt\.org/ }).waitFor();
  const row = hosts.getByRole('row', { name: /www\.unnamed\.test.*anybody/ });
  await row.getByText('No CAA record says who may issue certificates').waitFor({ timeout: WORKER_MS_MAX });
  const { items } = taken(await cordon.api.GET('/api/v1/vendors/{id}/hosts', { params: path() }));
  const [named] = items.filter(({ host }) => host === 'api.acme.test');
  expect(named?.problems.map(({ code }) => code)).not.toContain('caa_absent');
});

test('a "yes" that this contradicts is a finding with evidence, and the score is the sum of its rows', async () => {
  const { api } = cordon;
  const made = taken(
    await api.POST('/api/v1/vendors/{id}/questionnaires', { params: path(), body: { formId: 'mvsp' } }),
  );
  const question = made.form.sections.flatMap(({ questions }) => questions).find(({ text }) => text === 'HTTPS-only');
  const sent = { email: 'vera@acme.example', language: 'en' as const, validDays: 30, dueAt: null };
  taken(await api.POST('/api/v1/questionnaires/{id}/links', { params: { path: { id: made.id } }, body: sent }));
  const answer = { answer: 'Yes', note: 'always', ownership: '', responsibilities: '', files: [] };
  const params = { path: { id: made.id, questionId: question?.id ?? '' } };
  taken(await api.PUT('/api/v1/questionnaires/{id}/answers/{questionId}', { params, body: answer }));
  await openVendor('Score');
  const found = page.getByRole('table', { name: 'Contradictions' });
  await found.getByRole('row', { name: /encrypted in transit by current means.*TLS 1\.0/ }).waitFor();
  const { score } = taken(await api.GET('/api/v1/vendors/{id}/score', { params: path() }));
  expect(score.rows.reduce((sum, { points }) => sum + points, 0)).toBe(score.residual);
  await page.getByText(`Sum: ${score.residual}`).waitFor();
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('vendor-score');
});

test('one can ask what if they mend it, and say that a contradiction is none', async () => {
  const before = taken(await cordon.api.GET('/api/v1/vendors/{id}/score', { params: path() })).score.residual;
  await page.getByRole('checkbox', { name: /What if mended: api.acme.test: It still offers/ }).check();
  await page.getByRole('button', { name: 'What if they mend this' }).click();
  const text = await page.getByText(/Mended, the score would be \d+ instead of/).innerText();
  expect(Number(/would be (\d+)/.exec(text)?.[1])).toBeLessThan(before);
  await page.getByRole('button', { name: /^Dismiss: Says that data is encrypted/ }).click();
  const dialog = page.getByRole('dialog', { name: /^Dismiss/ });
  await dialog.getByLabel('Why it is no contradiction').fill('the old versions end next month');
  await dialog.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText('Dismissed by Ada Byron').waitFor();
  const after = taken(await cordon.api.GET('/api/v1/vendors/{id}/score', { params: path() })).score.residual;
  expect(after).toBeLessThan(before);
});

test("a feed's notice opens a case, with the contract's clock as a person corrected it", async () => {
  const contract = join(folder, 'dpa.txt');
  const clause = 'Vendor shall notify Customer of any security incident within seventy-two (72) hours.\n';
  await writeFile(contract, `${clause}Customer may audit Vendor once a year.\n`);
  await openVendor('Contracts');
  await page.locator('input[type=file]').first().setInputFiles(contract);
  await page.getByRole('button', { name: 'Correct the hours: Breach notice' }).click();
  const dialog = page.getByRole('dialog', { name: /Correct the hours/ });
  await dialog.getByLabel('Hours').fill('24');
  await dialog.getByLabel('Why').fill('the annex says so');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('confirmed by Ada Byron, 24 hours').waitFor();
  const url = `http://127.0.0.1:${await listen(feedServer)}/feed.json`;
  const body = { name: 'isac', kind: 'notices' as const, url, privateAddresses: ['127.0.0.1'], everyMinutes: 5 };
  taken(await cordon.api.POST('/api/v1/vendor-feeds', { body }));
  const notice = await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/vendors/{id}/notices', { params: path() }));
    expect(items.map(({ title }) => title)).toEqual(['Support system entered']);
    return items[0];
  }, WORKER_MS_MAX);
  const params = { path: { id: notice?.caseId ?? '' } };
  const { items } = taken(await cordon.api.GET('/api/v1/cases/{id}/duties', { params }));
  const duty = items.find((one) => one.duty.startsWith('contract:'));
  expect(duty).toMatchObject({ dutyTitle: 'Contract: dpa.txt', owedBy: 'theirs', status: 'contract' });
  const { occurredAt, detectedAt } = taken(await cordon.api.GET('/api/v1/cases/{id}', { params }));
  const hours = [occurredAt, detectedAt].map((from) => ((duty?.dueAt ?? 0) - (from ?? 0)) / 3_600_000);
  expect(hours).toContain(24);
  await openVendor('Monitoring');
  await page.getByRole('link', { name: 'What it reaches here' }).click();
  await page.getByText('sync').first().waitFor();
});

test('a notice by hand and one as a CSAF document open cases, each with its clock and news to the owner', async () => {
  const add = async (fill: (dialog: ReturnType<Page['getByRole']>) => Promise<void>): Promise<void> => {
    await openVendor('Monitoring');
    await page.getByRole('button', { name: 'Add a notice' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a notice' });
    await fill(dialog);
    await dialog.getByRole('button', { name: 'Add and open a case' }).click();
    await dialog.waitFor({ state: 'hidden' });
  };
  await add(async (dialog) => {
    await dialog.getByLabel('What happened').fill('Backups were copied');
    await dialog.getByLabel('Text').fill('They rang: backups of our workspace were copied.');
  });
  await add((dialog) => dialog.getByLabel('Text').fill(makeCsaf('ACME-2026-7')));
  const notices = page.getByRole('table', { name: 'Notices' });
  for (const title of ['Backups were copied', 'Acme: ACME-2026-7']) {
    await notices
      .getByRole('row', { name: new RegExp(title) })
      .getByRole('link')
      .waitFor();
  }
  expect(await hindrances()).toEqual([]);
  const { items } = taken(await cordon.api.GET('/api/v1/vendors/{id}/notices', { params: path() }));
  for (const { title, caseId } of items.filter((one) => !one.title.startsWith('Support'))) {
    const params = { params: { path: { id: caseId ?? '' } } };
    const duties = taken(await cordon.api.GET('/api/v1/cases/{id}/duties', params)).items;
    expect([title, duties.some(({ dutyTitle }) => dutyTitle === 'Contract: dpa.txt')]).toEqual([title, true]);
  }
  const about = /(Backups were copied|Acme: ACME-2026-7) \(1 apps and 1 integrations here\)/;
  // News of hosts and of contradictions came before.
  const told: string[] = [];
  while (told.length < 2) told.push(...(about.exec((await mail.take('olga@example.com')).text)?.slice(1) ?? []));
  await notices
    .getByRole('row', { name: /ACME-2026-7/ })
    .getByRole('link', { name: 'What it reaches here' })
    .click();
  await page.getByText('sync').first().waitFor();
  await tab.screenshots('vendor-notice-case');
});

test("a provider's CSAF documents are walked over TLS, hashes checked, and what names a vendor opens a case", async () => {
  const base = `https://csaf.orbit.test:${await listen(csafServer)}`;
  const entry = (name: string, content: string) => ({ name, content, updated: new Date().toISOString() });
  const files = makeProvider(
    base,
    [
      entry('2026/acme-2026-9.json', makeCsaf('ACME-2026-9')),
      entry('2026/other-1.json', makeCsaf('OTHER-1', { vendor: 'Nobody we know' })),
      entry('2026/acme-2026-10.json', makeCsaf('ACME-2026-10')),
    ],
    'directory',
  );
  files.set('/white/2026/acme-2026-10.json.sha512', `${'0'.repeat(128)}  acme-2026-10.json`);
  for (const [name, content] of files) csafFiles.set(name, content);
  await page.goto(`${cordon.url}/vendors`);
  await page.getByRole('button', { name: 'Add feed' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a feed' });
  await dialog.getByLabel('Name').fill('coordinator');
  await dialog.getByLabel('Address', { exact: true }).fill(`${base}/`);
  await dialog.getByRole('button', { name: /Kind/ }).click();
  await page.getByRole('option', { name: /CSAF 2.0 provider/ }).click();
  await dialog.getByRole('button', { name: 'A server of your own' }).click();
  await dialog.getByLabel('Private addresses').fill('127.0.0.1');
  await dialog.getByLabel('Authority').fill(authority);
  await tab.screenshots('vendor-feed-dialog');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const row = page.getByRole('row', { name: /coordinator/ });
  await eventually(async () => {
    await page.reload();
    await row.getByText('A coordinator: 3 listed, 2 read last time').waitFor({ timeout: 2_000 });
  }, WORKER_MS_MAX);
  await row.getByText('2 with a hash that fits; 2 signed, which is not verified').waitFor();
  await row.getByText('acme-2026-10.json: its sha512 is not the one beside it').waitFor();
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('vendor-feeds');
  const { items } = taken(await cordon.api.GET('/api/v1/vendor-notices'));
  expect(items.filter(({ title }) => title.includes('2026-9')).map(({ vendorId: of }) => of)).toEqual([vendorId]);
  expect(items.some(({ title }) => /OTHER-1|2026-10/.test(title))).toBe(false);
});

test('a grant of a compromised client is found in a connected tool, seen, and taken away there', async () => {
  const { baseUrl, credential } = estate.app('okta');
  const connection = {
    app: 'okta',
    name: 'okta-main',
    config: { domain: 'meridian.okta.com' },
    baseUrl,
    privateAddresses: ['127.0.0.1'],
    credential: { kind: 'bearer' as const, token: credential.secret },
    everyMinutes: 60,
  };
  const { id } = taken(await cordon.api.POST('/api/v1/connections', { body: connection }));
  await page.goto(`${cordon.url}/vendors`);
  await page.getByRole('button', { name: 'Add client' }).click();
  const add = page.getByRole('dialog', { name: 'Add a compromised client' });
  await add.getByLabel('Client ID').fill(OTTER);
  await add.getByLabel('Why').fill('Its secret was published');
  await add.getByRole('button', { name: 'Add', exact: true }).click();
  const row = page
    .getByRole('table', { name: 'Compromised OAuth clients' })
    .getByRole('row', { name: new RegExp(OTTER) });
  await row.getByText('Otter.ai at okta-main').waitFor({ timeout: WORKER_MS_MAX });
  expect(await row.getByRole('link', { name: 'the tool' }).getAttribute('href')).toBe(`/connections/${id}`);
  const cases = taken(await cordon.api.GET('/api/v1/cases', { params: { query: {} } })).items;
  expect(cases.map(({ title }) => title).join('\n')).toContain('A compromised OAuth client holds a grant: Otter.ai');
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('compromised-client');
  await row.getByRole('button', { name: `Cut ${OTTER}` }).click();
  const cut = page.getByRole('dialog', { name: `Cut ${OTTER}` });
  await cut.getByRole('button', { name: 'Take its grants away' }).click();
  await page
    .getByRole('row', { name: /Otter\.ai in okta-main.*Deactivate an application.*Done/ })
    .waitFor({ timeout: WORKER_MS_MAX });
  await tab.screenshots('compromised-client-cut');
  const headers = { authorization: `SSWS ${credential.secret}`, accept: 'application/json' };
  const apps = (await (await fetch(new URL('/api/v1/apps', baseUrl), { headers })).json()) as {
    id: string;
    status: string;
  }[]; // the emulator's own shape
  expect(apps.find((one) => one.id === OTTER)?.status).toBe('INACTIVE');
  const params = { path: { id } };
  taken(await cordon.api.POST('/api/v1/connections/{id}/syncs', { params, body: { streams: ['applications'] } }));
  await row.getByText('None any more, of 1').waitFor({ timeout: WORKER_MS_MAX });
});

test('a company found by discovery is put into the register from its page', async () => {
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/discovery/apps', { params: { query: {} } }));
    expect(items.map(({ key }) => key)).toContain('otter-ai');
  }, WORKER_MS_MAX);
  await page.goto(`${cordon.url}/discovery/otter-ai`);
  await page.getByRole('button', { name: 'Add to vendors' }).click();
  await page.getByText(/is in the register of vendors\./).waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/vendors'));
  const found = items.find(({ profile }) => profile.note === 'Found by discovery.');
  expect([found?.profile.website, found?.profile.products]).toEqual(['https://otter.ai', ['Otter.ai']]);
  await page.goto(`${cordon.url}/vendors/${found?.id}`);
  await page.getByRole('heading', { name: found?.name ?? '', level: 1 }).waitFor();
});

test('any workbook is read by a mapping, and compared with the one before', async () => {
  const rows = (second: string) => [
    { id: 'A-1', question: 'Do you train your people every year?', answer: 'Yes' },
    { id: 'A-2', question: 'Do you keep backups in another place?', answer: second },
  ];
  for (const [name, answer] of [
    ['first.xlsx', 'Yes'],
    ['second.xlsx', 'No'],
  ] as const) {
    const file = join(folder, name);
    await writeFile(file, writeAnswers('Own questions', rows(answer)));
    await openVendor('Questionnaires');
    await page.locator('input[type=file]').first().setInputFiles(file);
    await page.getByRole('dialog', { name: 'Where do the questions stand?' }).waitFor();
    await page.getByRole('button', { name: 'Read the workbook' }).click();
    await page.getByRole('button', { name: 'Compare with the one before' }).waitFor();
  }
  await page.getByRole('button', { name: 'Compare with the one before' }).click();
  const row = page.getByRole('row', { name: /A-2 Do you keep backups/ });
  await row.waitFor();
  expect(await row.innerText()).toMatch(/changed\s+Yes\s+No/);
  expect(await page.getByRole('row', { name: /A-1 Do you train/ }).count()).toBe(0);
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('questionnaire-comparison');
});

test("last year's answers are proposed, and taken over", async () => {
  const { api } = cordon;
  const made = taken(
    await api.POST('/api/v1/vendors/{id}/questionnaires', { params: path(), body: { formId: 'mvsp' } }),
  );
  await page.goto(`${cordon.url}/questionnaires/${made.id}`);
  await page.getByRole('button', { name: 'Compare with the one before' }).click();
  await page.getByRole('button', { name: 'Take over 1 answers' }).click();
  await page.getByText('1 answers are taken over.').waitFor();
  const { answers } = taken(await api.GET('/api/v1/questionnaires/{id}', { params: { path: { id: made.id } } }));
  expect(answers.map(({ value, by }) => [value.answer, value.note, by])).toEqual([['Yes', 'always', 'Ada Byron']]);
});

test('the vendor file leaves as a signed PDF that anybody can check, and as OSCAL', async () => {
  const get = async (form: string): Promise<Buffer> => {
    const answer = await fetch(`${cordon.url}/api/v1/vendors/${vendorId}/export.${form}`, {
      headers: { authorization: `Bearer ${cordon.token}` },
    });
    expect([answer.status, answer.headers.get('content-disposition')]).toEqual([
      200,
      expect.stringContaining('attachment'),
    ]);
    return Buffer.from(await answer.arrayBuffer());
  };
  const pdf = await get('pdf');
  const { certificate } = taken(await cordon.api.GET('/api/v1/vendor-export-certificate'));
  expect(verifyPdf(pdf).certificate.raw).toEqual(new X509Certificate(certificate).raw);
  expect((await get('oscal')).toString('utf8')).toContain('"assessment-results"');
  const [file, pem] = [join(folder, 'acme.pdf'), join(folder, 'cordon.pem')];
  await writeFile(file, pdf);
  await writeFile(pem, certificate);
  const verify = () => promisify(execFile)(process.execPath, [PROGRAM, 'vendor', 'verify', file, '--certificate', pem]);
  expect((await verify()).stdout).toMatch(/^good, by CN=Cordon at/);
  pdf.writeUInt8(pdf.readUInt8(40) ^ 1, 40);
  await writeFile(file, pdf);
  await expect(verify()).rejects.toThrow(/content was changed/);
});

test('fourth parties are drawn, and a person names a compromised client and takes it off again', async () => {
  const list = join(folder, 'subprocessors.csv');
  await writeFile(list, 'Name,Purpose,Country\nCloud Host,hosting,IE\nMail Relay,mail,US\n');
  await openVendor('Subprocessors');
  await page.locator('input[type=file]').first().setInputFiles(list);
  await page.getByRole('row', { name: /Cloud Host/ }).waitFor();
  await page.goto(`${cordon.url}/vendors`);
  const drawing = page.getByRole('region', { name: 'Vendors and their fourth parties' });
  await drawing.getByText('Mail Relay').waitFor();
  await page.getByRole('button', { name: 'Add client' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a compromised client' });
  await dialog.getByLabel('Client ID').fill('told-by-phone');
  await dialog.getByLabel('Why').fill('The vendor rang');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /told-by-phone.*The vendor rang.*Ada Byron.*None/ }).waitFor();
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('fourth-parties');
  await page.getByRole('button', { name: 'Remove told-by-phone' }).click();
  await page.getByRole('row', { name: /told-by-phone/ }).waitFor({ state: 'detached' });
  await drawing.getByRole('button', { name: 'Acme' }).click();
  await page.getByRole('heading', { name: 'Acme', level: 1 }).waitFor();
});

test('offboarding ends with the last task, each with what shows it', async () => {
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('button', { name: 'Offboard' }).click();
  const dialog = page.getByRole('dialog', { name: /Offboard/ });
  await dialog.getByLabel('Reason').fill('the contract ended');
  await dialog.getByRole('button', { name: 'Cut off and offboard' }).click();
  await page.getByRole('tab', { name: 'Offboarding' }).click();
  await page.getByRole('row', { name: /Cut off every integration.*sync/ }).waitFor();
  for (const task of ['Have our data returned', 'Have our data deleted', 'Get the certificate', 'Close accounts']) {
    await page.getByRole('button', { name: new RegExp(`^Done: ${task}`) }).click();
    const done = page.getByRole('dialog', { name: new RegExp(task) });
    await done.getByLabel('What shows it').fill('letter of 1 June');
    await done.getByRole('button', { name: 'Done', exact: true }).click();
    await page.getByRole('row', { name: new RegExp(`${task}.*Ada Byron`) }).waitFor();
  }
  const { stage, tasks } = taken(await cordon.api.GET('/api/v1/vendors/{id}', { params: path() }));
  expect([stage, tasks.every(({ doneAt }) => doneAt !== null)]).toEqual(['ended', true]);
  expect(tab.errors).toEqual([]);
});
