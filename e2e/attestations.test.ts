import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { type MailServer, makeCsaf, makePdf, startMailServer } from '@cordon/vendors/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A vendor's reports are read, confirmed and found to leave a gap; what a penetration test found is closed on evidence. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
let mail: MailServer;
let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let guest: Tab;
let page: Page;
let folder = '';
let vendorId = '';

beforeAll(async () => {
  mail = await startMailServer();
  folder = await mkdtemp(join(tmpdir(), 'cordon-attestations-'));
  const env = { CORDON_SMTP_URL: mail.url, CORDON_MAIL_FROM: 'Cordon <cordon@example.com>' };
  [cordon, browser] = await Promise.all([startCordon({ processes: 1, env }), startBrowser()]);
  tab = await openTab(browser);
  guest = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await tab.screenshots('failed-attestations');
  await guest.screenshots('failed-attestations-portal');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
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

async function fileOf(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const ISO =
  'Certificate of Registration\n\nInformation Security Management System - ISO/IEC 27001:2022\n\nThis is to certify that Acme Cloud Ltd operates an information security management system.\n\nCertificate number: IS 777001\n\nIssue date: 2026-01-10\n\nExpiry date: 2029-01-09\n';

const soc2 = (from: string, until: string): Uint8Array =>
  makePdf(
    `SOC 2 Type II Report\n\nFor the period ${from} to ${until}\n\nIndependent Service Auditor's Report\n\nWe have examined the description of the Acme Cloud Platform system and controls relevant to security and availability.\nAcme uses Amazon Web Services (AWS), a subservice organization, and the carve-out method was used.\n\nIn our opinion, in all material respects, the controls operated effectively.\n\nHartley & Moss LLP\n\nComplementary User Entity Controls\n\n1. User entities are responsible for removing accounts of people who leave.\n\nTests of Controls\n\nCC6.2 Exception noted. For 2 of 25 terminated users selected, access was not removed within 24 hours.\n`,
  );

/** The command line as an administrator uses it, on this Cordon. */
async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], { env, cwd: folder });
  return stdout + stderr;
}

test('the first owner comes in and has a vendor', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  const body = { name: 'Acme Cloud', owner: 'ada@example.com', website: 'https://www.acme.invalid' };
  vendorId = taken(await cordon.api.POST('/api/v1/vendors', { body })).id;
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name: 'Audits' }).click();
  await page.getByText('None yet: a SOC 2 report').waitFor();
  expect(await hindrances(page)).toEqual([]);
});

test('a hostile PDF is refused, and says why', async () => {
  const path = await fileOf('evil.pdf', makePdf('SOC 2', '/OpenAction << /S /Launch /F (cmd.exe) >>'));
  await page.locator('input[type=file]').first().setInputFiles(path);
  await page.getByText('The PDF starts programs or holds active forms.').waitFor();
  const params = { path: { id: vendorId } };
  expect(taken(await cordon.api.GET('/api/v1/vendors/{id}/attestations', { params })).items).toEqual([]);
});

test('a SOC 2 report is read, shown with its passages, corrected and confirmed', async () => {
  const path = await fileOf('soc2-2025.pdf', soc2('January 1, 2025', 'December 31, 2025'));
  await page.locator('input[type=file]').first().setInputFiles(path);
  await page.getByRole('heading', { name: 'SOC 2 Type II', level: 1 }).waitFor();
  await page.getByText('the carve-out method was used').first().waitFor();
  expect(await page.getByLabel(/^Period to/).inputValue()).toBe('2025-12-31');
  expect(await page.getByLabel(/^Exceptions/).inputValue()).toContain('2 of 25 terminated users');
  expect(await page.getByLabel(/^Subservice/).inputValue()).toBe('Amazon Web Services (AWS) (carve-out)');
  await page.getByLabel(/^Auditor/).fill('Hartley and Moss LLP');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('2025-01-01 to 2026-12-31').waitFor();
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('attestation');
});

test('an earlier report leaves a gap, which is shown until a bridge letter covers it', async () => {
  const { api } = cordon;
  const params = { path: { id: vendorId } };
  const add = async (name: string, bytes: Uint8Array) => {
    const content = Buffer.from(bytes).toString('base64');
    const made = taken(await api.POST('/api/v1/vendors/{id}/attestations', { params, body: { name, content } }));
    const read = Object.fromEntries(made.reading.proposals.map(({ fact, value }) => [fact, value]));
    const body = { kind: made.kind, facts: read, note: '' };
    taken(await api.PUT('/api/v1/attestations/{id}/decision', { params: { path: { id: made.id } }, body }));
  };
  await add('soc2-2024.pdf', soc2('December 1, 2023', 'November 10, 2024'));
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name: 'Audits' }).click();
  await page.getByText('covers 2024-11-11 to 2024-12-31 (51 days)').waitFor();
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('attestations');
  const letter = 'Bridge letter\n\nThis letter covers the period from November 11, 2024 to December 31, 2024.';
  await add('bridge.pdf', makePdf(letter));
  await page.reload();
  await page.getByRole('tab', { name: 'Audits' }).click();
  await page.getByText('a bridge letter does').waitFor();
});

test('an own audit is planned, done item by item, leaves a finding and comes again', async () => {
  await page.getByRole('button', { name: 'Plan an audit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Plan an audit' });
  await dialog.getByLabel('Checklist').click();
  await page.getByRole('option', { name: /Exit readiness/ }).click();
  await dialog.getByLabel(/^First due on/).fill('2026-01-31');
  await dialog.getByRole('button', { name: 'Plan it' }).click();
  await page.getByText('Due on 2026-01-31').waitFor();
  const items = page.getByRole('toolbar');
  await items.first().waitFor();
  const count = await items.count();
  for (let at = 0; at < count; at += 1) {
    const answer = at === 0 ? 'No' : 'Yes';
    await items.nth(at).getByRole('button', { name: answer, exact: true }).click();
    await items.nth(at).locator(`[aria-pressed=true]`, { hasText: answer }).waitFor();
  }
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('own-audit');
  await page.getByRole('button', { name: 'Complete' }).click();
  await page.getByText(/Done: 1 findings. It comes again on 20\d\d-01-31/).waitFor();
});

test('an own audit is ended: it is no longer asked for, and stays to be read', async () => {
  await page.getByRole('button', { name: /^End Exit readiness/ }).click();
  const dialog = page.getByRole('dialog', { name: /^End Exit readiness/ });
  await dialog.getByRole('button', { name: 'End it' }).click();
  await page.getByText(/Ended on .*it does not come again/).waitFor();
  await page.getByText(/2026-01-31: done by Ada Byron/).waitFor();
  expect(await page.getByRole('button', { name: /^End Exit readiness/ }).count()).toBe(0);
});

test('within how many days findings are due is set in the console, and holds for the next', async () => {
  await page.goto(`${cordon.url}/vendors`);
  await page.getByRole('button', { name: 'Change the due dates of findings' }).click();
  const dialog = page.getByRole('dialog', { name: 'Due dates of findings' });
  await dialog.getByLabel('High, days').fill('20');
  await dialog.getByLabel('Low, days').fill('');
  expect(await hindrances(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('20 days').waitFor();
  await tab.screenshots('severity-policy');
  const { high, low } = taken(await cordon.api.GET('/api/v1/finding-policy'));
  expect([high, low]).toEqual([20, null]);
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name: 'Audits' }).click();
});

const CSV =
  'ID,Title,Severity,CVSS,Description,Remediation\nF-1,SQL injection in search,High,8.6,The search joins text.,Use parameters\nF-2,Old cipher,Low,,,\n';

test('findings of a penetration test are imported by mapping', async () => {
  await page.getByRole('tab', { name: 'Penetration tests' }).click();
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(await fileOf('test-2026.csv', CSV));
  const dialog = page.getByRole('dialog', { name: 'Import test-2026.csv' });
  await dialog.getByLabel('Tester').fill('Kestrel Security');
  await dialog.getByText('For example: SQL injection in search').waitFor();
  expect(await hindrances(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('link', { name: 'F-1 SQL injection in search' }).waitFor();
  await tab.screenshots('pentests');
});

test('somebody at the vendor without an account sees it, answers and attaches evidence', async () => {
  await page.getByRole('button', { name: 'Send to the vendor' }).click();
  const dialog = page.getByRole('dialog', { name: 'Send open findings to the vendor' });
  await dialog.getByLabel('E-mail address').fill('vera@vendor.example');
  await dialog.getByRole('button', { name: 'Send the link' }).click();
  const { text } = await mail.take('vera@vendor.example');
  const { page: portal } = guest;
  await portal.goto(/https?:\S+\/portal#[\w-]{43}/.exec(text)?.[0] ?? '');
  await portal.getByRole('button', { name: 'Send the code' }).click();
  const code = /\b\d{6}\b/.exec((await mail.take('vera@vendor.example')).text)?.[0] ?? '';
  await portal.getByLabel('Code from the message').fill(code);
  await portal.getByRole('button', { name: 'Continue' }).click();
  await portal.getByRole('heading', { name: 'Open findings: Acme Cloud', level: 1 }).waitFor();
  const finding = portal.getByRole('region', { name: 'F-1 SQL injection in search' });
  const path = await fileOf('fix.pdf', makePdf('Release 4.2 uses parameters everywhere.'));
  await finding.locator('input[type=file]').setInputFiles(path);
  await finding.getByText('fix.pdf').waitFor();
  await finding.getByLabel('Your answer').fill('Fixed in release 4.2.');
  await finding.getByLabel('It is fixed').check();
  await finding.getByRole('button', { name: 'Send the answer' }).click();
  await finding.getByText('you say it is fixed').waitFor();
  expect(await hindrances(portal)).toEqual([]);
  await guest.screenshots('portal-findings');
  expect(guest.errors).toEqual([]);
});

test('the owner looks at the evidence and closes it; without evidence nothing closes', async () => {
  await page.reload();
  await page.getByRole('tab', { name: 'Penetration tests' }).click();
  await page.getByRole('link', { name: 'F-1 SQL injection in search' }).click();
  await page.getByRole('link', { name: 'fix.pdf' }).waitFor();
  const close = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Move on' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move the finding on' });
    await dialog.getByLabel('To').click();
    await page.getByRole('option', { name: 'closed' }).click();
    await dialog.getByLabel('Why').fill('tested again, it is gone');
    await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  };
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  const change = page.getByRole('dialog', { name: 'Change the finding' });
  await change.getByLabel(/^Due on/).fill('2027-06-30');
  await change.getByLabel('Why').fill('agreed with them');
  await change.getByRole('button', { name: 'Change it' }).click();
  await page.getByText('dueOn: 2027-06-30. agreed with them').waitFor();
  await close();
  await page.getByText('Closed', { exact: true }).waitFor();
  expect(await hindrances(page)).toEqual([]);
  await tab.screenshots('finding');
  await page.goto(`${cordon.url}/vendors/${vendorId}`);
  await page.getByRole('tab', { name: 'Penetration tests' }).click();
  await page.getByRole('link', { name: 'F-2 Old cipher' }).click();
  await close();
  await page.getByText('A finding closes on evidence').waitFor();
});

test('attestations and penetration tests are worked with from the command line', async () => {
  const report = await fileOf('iso.txt', ISO);
  expect(await cli('attestation', 'read', report)).toMatch(/kind: iso-27001[\s\S]*IS 777001/);
  expect(await cli('attestation', 'add', 'Acme Cloud', report)).toContain('iso-27001:');
  expect(await cli('attestation', 'list', 'acme cloud')).toMatch(/iso-27001 +proposed[\s\S]*soc2-type2 +\w+/);
  const warned = await cli('attestation', 'warnings').catch(
    (error: unknown) => error as { code: number; stdout: string },
  );
  expect(typeof warned === 'string' ? warned : warned.stdout).toMatch(/Acme Cloud +uncovered/);
  const csv = await fileOf('second.csv', 'Title,Severity\nNo limit on sign-in,High\nOld banner,Low\n');
  expect(await cli('pentest', 'outline', csv)).toContain('"title": 1');
  const made = await cli('pentest', 'import', 'Acme Cloud', csv, '--title', 'Second', '--until', '2026-05-01');
  expect(made).toContain('2 findings');
  const found = await cli('pentest', 'findings', 'Acme Cloud');
  expect(found).toMatch(/high +open, overdue +2026-05-21 +No limit on sign-in/);
  expect(found).toMatch(/low +open +- +Old banner/);
  const id = /^(\S+) .*No limit on sign-in/m.exec(found)?.[1] ?? '';
  expect(await cli('pentest', 'move', id, 'fixed', '--note', 'they say so')).toContain('No limit on sign-in: fixed');
  await expect(cli('pentest', 'move', id, 'closed', '--note', 'no evidence')).rejects.toThrow('closes on evidence');
  expect(await cli('pentest', 'invite', 'Acme Cloud', 'vic@vendor.example')).toContain('is on its way');
  expect((await mail.take('vic@vendor.example')).text).toContain('/portal#');
});

test('vendors are worked with from the command line', async () => {
  expect(await cli('vendor', 'list')).toMatch(/Acme Cloud +\w+/);
  expect(await cli('vendor', 'adopt')).toContain('vendors added');
  const list = await fileOf('subs.csv', 'Name,Purpose,Country\nCloud Host,hosting,IE\n');
  expect(await cli('vendor', 'subprocessors', 'Acme Cloud', list)).toMatch(/Cloud Host +IE +hosting/);
  expect(await cli('vendor', 'score', 'Acme Cloud')).toMatch(/\d+ of 100 \(inherent \d+\)/);
  const { score } = JSON.parse(await cli('vendor', 'score', 'Acme Cloud', '--json')) as {
    score: { rows: { key: string; group: string; points: number }[] };
  };
  const finding = score.rows.find(({ key, points }) => key.startsWith('finding') && points > 0)?.key ?? '';
  expect(await cli('vendor', 'score', 'Acme Cloud', '--mend', finding)).toMatch(/\d+ would be \d+ with: /);
  expect(await cli('vendor', 'hosts', 'Acme Cloud', '--look')).toContain('hosts are looked at soon');
  const text = await fileOf('notice.txt', 'They wrote: a mailbox was entered.');
  const noticed = await cli('vendor', 'notice', 'Acme Cloud', text, '--title', 'Mailbox entered', '--severity', 'low');
  expect(noticed).toMatch(/low +Mailbox entered +[\da-f-]{36}/);
  const csaf = await fileOf('acme-2026-1.json', makeCsaf('ACME-2026-1', { vendor: 'Acme Cloud' }));
  expect(await cli('vendor', 'notice', 'Acme Cloud', csaf)).toMatch(/critical +Acme Cloud: ACME-2026-1/);
  expect(await cli('vendor', 'news', 'Acme Cloud')).toContain('Mailbox entered');
  expect(await cli('vendor', 'feed', 'isac', 'https://isac.example/feed.json', '--minutes', '60')).toContain(
    'read soon',
  );
  expect(await cli('vendor', 'clients', '--add', 'bad-client', '--why', 'they rang')).toMatch(
    /bad-client +they rang +-/,
  );
  const out = join(folder, 'acme.pdf');
  await cli('vendor', 'export', 'Acme Cloud', '--out', out);
  const certificate = await fileOf('cordon.pem', await cli('vendor', 'certificate'));
  expect(await cli('vendor', 'verify', out, '--certificate', certificate)).toMatch(/^good, by CN=Cordon/);
  await cli('vendor', 'export', 'Acme Cloud', '--out', join(folder, 'acme.json'), '--oscal');
  expect(await readFile(join(folder, 'acme.json'), 'utf8')).toContain('"assessment-results"');
  const contract = await fileOf('dpa.txt', 'Vendor shall notify Customer of any security incident within 72 hours.');
  expect(await cli('contract', 'check', contract)).toMatch(/breach-notice +\w+ +72 hours/);
});

test('a revoked link ends the session at once', async () => {
  const params = { path: { id: vendorId } };
  const { items } = taken(await cordon.api.GET('/api/v1/vendors/{id}/finding-links', { params }));
  const path = { id: vendorId, linkId: items[0]?.id ?? '' };
  taken(await cordon.api.DELETE('/api/v1/vendors/{id}/finding-links/{linkId}', { params: { path } }));
  await guest.page.reload();
  await guest.page.getByRole('heading', { name: 'This link does not work' }).waitFor();
  expect(tab.errors.filter((error) => !/40\d|42\d/.test(error))).toEqual([]);
});

test('offboarded from the command line, with every task', async () => {
  expect(await cli('vendor', 'offboard', 'Acme Cloud', '--reason', 'the contract ended')).toMatch(
    /Cut off every integration.* +yes[\s\S]*no/,
  );
});
