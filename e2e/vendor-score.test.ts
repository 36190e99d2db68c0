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
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { verifyPdf, writeAnswers } from '@cordon/vendors';
import { type MailServer, startMailServer } from '@cordon/vendors/testing';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { addIntegration, eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A vendor is watched from outside, held against its answers, weighed, told of, and handed on as a signed file. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WORKER_MS_MAX = 60_000;
let mail: MailServer;
let cordon: RunningCordon;
let vendorServer: https.Server;
let feedServer: http.Server;
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
  const pair = await issueServerCertificate(ca, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
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
  mail = await startMailServer();
  const env = { CORDON_SMTP_URL: mail.url, CORDON_MAIL_FROM: 'Cordon <cordon@example.com>' };
  [cordon, browser] = await Promise.all([startCordon({ processes: 1, env }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-vendor-score');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await mail?.stop();
  for (const server of [vendorServer, feedServer]) {
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
  const upstream = `https://localhost:${await listen(vendorServer)}`;
  const app = { name: 'acme', upstream, privateAddresses: ['127.0.0.1', '::1'], caCertificates: [authority] };
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
  await page.getByRole('checkbox', { name: /What if mended: localhost: It still offers/ }).check();
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
  await page.getByText('No client is called compromised.').waitFor();
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
