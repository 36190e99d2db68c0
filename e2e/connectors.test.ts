import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A person connects tools of the emulated estate, sees what is in them, and removes a member by an action. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS = 250;
const WAITS_MAX = 160;

let cordon: RunningCordon;
let estate: Estate;
let browser: Browser;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'connectors' }),
  ]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-connectors');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop()]);
});

/** Asks again until it is so; fails by what it was last. */
async function until<Value>(look: () => Promise<Value>, isSo: (value: Value) => boolean): Promise<Value> {
  for (let waits = 0; ; waits++) {
    const value = await look();
    if (isSo(value) || waits >= WAITS_MAX) return value;
    await setTimeout(WAIT_MS);
  }
}

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

test('a tool is connected by the fields that its connector asks for, and read at once', async () => {
  const { baseUrl, credential } = estate.app('github');
  await page.getByRole('navigation').getByRole('link', { name: 'Connections', exact: true }).click();
  await page.getByRole('button', { name: 'Connect a tool' }).click();
  const dialog = page.getByRole('dialog', { name: 'Connect a tool' });
  await dialog.getByRole('button', { name: 'Tool Choose a tool' }).click();
  await page.getByRole('option', { name: /^GitHub/ }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('github-main');
  await dialog.getByLabel('Organisation', { exact: true }).fill('meridian');
  await dialog.getByLabel('Token', { exact: true }).fill(credential.secret);
  await dialog.getByRole('button', { name: 'A server of your own' }).click();
  await dialog.getByLabel('Base URL').fill(baseUrl);
  await dialog.getByLabel('Private addresses').fill('127.0.0.1');
  await tab.screenshots('connect-a-tool');
  await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('heading', { name: 'github-main' }).waitFor();
  const find = async () => taken(await cordon.api.GET('/api/v1/connections')).items[0];
  const read = await until(find, (one) => one?.lastSync?.endedAt != null);
  const states = new Map(read?.lastSync?.streams.map((one) => [one.stream, one.status]));
  expect(states.get('members')).toBe('ok');
  expect(states.get('repositories')).toBe('ok');
  await page
    .getByRole('row', { name: /Members of the organisation/ })
    .getByText(/1\d account/)
    .waitFor();
  await page
    .getByRole('row', { name: /Issues/ })
    .getByText('On demand, never stored')
    .waitFor();
  await tab.screenshots('connection');
});

test('what was read can be searched, and an app with too much access is found', async () => {
  await page.getByRole('tab', { name: 'What was read' }).click();
  await page.getByLabel('Name or id').fill('installation');
  await page.getByRole('button', { name: 'installation:77001' }).first().click();
  expect(await page.getByRole('dialog').innerText()).toContain('secrets:write');
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
});

test('its settings are judged, and what could not be read is not visible', async () => {
  await page.getByRole('tab', { name: 'Posture' }).click();
  await page
    .getByRole('row', { name: /github\.repo-deploy-key-old/ })
    .getByText('Fail')
    .waitFor();
  await tab.screenshots('connection-posture');
  const [one] = taken(await cordon.api.GET('/api/v1/connections')).items;
  const params = { path: { id: one?.id ?? '' } };
  const { score, items } = taken(await cordon.api.GET('/api/v1/connections/{id}/posture', { params }));
  expect(score.notVisible).toBeGreaterThan(0);
  expect(items.find(({ check }) => check === 'github.audit-log-stream')?.result).toBe('not_visible');
  expect(items.find(({ check }) => check === 'github.members-without-two-factor')?.result).toBe('fail');
  const exported = async (format: string): Promise<string> => {
    const address = `${cordon.url}/api/v1/connections/${params.path.id}/posture/export?format=${format}`;
    return (await fetch(address, { headers: { authorization: `Bearer ${cordon.token}` } })).text();
  };
  expect((await exported('csv')).split('\r\n')).toHaveLength(items.length + 2);
  const findings = (await exported('ocsf')).trim().split('\n');
  expect(findings.map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toEqual(items.map(() => 2003));
  const oscal = JSON.parse(await exported('oscal')) as { 'assessment-results': { uuid: string; results: unknown[] } };
  expect(oscal['assessment-results'].uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  expect(oscal['assessment-results'].results).toHaveLength(1);
});

test('one page shows all tools, their worst checks and identities that are no people, by framework', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Posture', exact: true }).click();
  const checks = page.getByRole('table', { name: 'Checks' });
  await checks
    .getByRole('row', { name: /github\.repo-deploy-key-old.*github-main/ })
    .first()
    .waitFor();
  await page
    .getByRole('table', { name: 'Tools' })
    .getByRole('row', { name: /github-main/ })
    .waitFor();
  await tab.screenshots('posture');
  await page.getByRole('button', { name: /^About/ }).click();
  await page.getByRole('option', { name: 'Non-human identities' }).click();
  await checks
    .getByRole('row', { name: /github\.repo/ })
    .first()
    .waitFor({ state: 'detached' });
  await checks.getByRole('row', { name: /nhi\.secret-very-old.*github-main/ }).waitFor();
  await page.getByRole('button', { name: /^Framework/ }).click();
  await page.getByRole('option', { name: 'OWASP NHI Top 10' }).click();
  await page.getByRole('button', { name: 'Only NHI7' }).click();
  await page.getByRole('button', { name: 'All controls instead of NHI7' }).waitFor();
  await checks.getByRole('row', { name: /nhi\.secret-very-old/ }).waitFor();
  await tab.screenshots('posture-nhi');
  const href = (await page.getByRole('link', { name: 'Export as CSV' }).getAttribute('href')) ?? '';
  expect(href).toContain('control=NHI7');
  const headers = { authorization: `Bearer ${cordon.token}` };
  const rows = (await (await fetch(new URL(href, cordon.url), { headers })).text()).trim().split('\r\n');
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.slice(1).every((row) => row.startsWith('github-main,nhi.') && row.includes('NHI7'))).toBe(true);
  for (const format of ['ocsf', 'oscal']) {
    const text = await (await fetch(new URL(href.replace('=csv', `=${format}`), cordon.url), { headers })).text();
    expect(text).toContain('nhi.secret-very-old');
  }
  const { env } = process;
  const cli = { PATH: env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const args = [PROGRAM, 'posture', 'list', '--framework', 'owasp_nhi', '--control', 'NHI7'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: cli });
  expect(stdout).toMatch(/github-main +nhi\.secret-very-old/);
  await page.goBack();
  await page.getByRole('tab', { name: 'Posture' }).waitFor();
});

test('a dry run changes nothing, the run removes the key, and the next sync says so', async () => {
  await page.getByRole('tab', { name: 'Actions' }).click();
  await page.getByRole('button', { name: 'Run: Remove a deploy key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove a deploy key' });
  await dialog.getByLabel('Repository').fill('storefront');
  await dialog.getByLabel('Key ID').fill('55001');
  await dialog.getByRole('button', { name: 'Dry run' }).click();
  await dialog.getByText('Dry run: would change').waitFor();
  await tab.screenshots('connector-action');
  await dialog.getByRole('button', { name: 'Do it' }).click();
  await dialog.getByText('Done', { exact: true }).waitFor();
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await page.getByRole('button', { name: 'Sync now' }).click();
  const [one] = taken(await cordon.api.GET('/api/v1/connections')).items;
  const params = { path: { id: one?.id ?? '' } };
  const changes = async () => taken(await cordon.api.GET('/api/v1/connections/{id}/changes', { params })).items;
  const seen = await until(changes, (items) => items.some((item) => item.change === 'removed'));
  expect(seen.find((item) => item.change === 'removed')).toMatchObject({ externalId: 'key:55001', kind: 'credential' });
  expect(tab.errors).toEqual([]);
});

test('the audit log of a connected tool reaches the lake, each event once', async () => {
  const { baseUrl, credential } = estate.app('okta');
  const made = taken(
    await cordon.api.POST('/api/v1/connections', {
      body: {
        app: 'okta',
        name: 'okta-main',
        config: { domain: 'meridian.okta.com' },
        baseUrl,
        privateAddresses: ['127.0.0.1'],
        credential: { kind: 'bearer', token: credential.secret },
        everyMinutes: null,
      },
    }),
  );
  const params = { path: { id: made.id } };
  const sync = async () => {
    const started = taken(
      await cordon.api.POST('/api/v1/connections/{id}/syncs', { params, body: { streams: ['system-log'] } }),
    );
    const look = async () => taken(await cordon.api.GET('/api/v1/connections/{id}', { params })).lastSync;
    return until(look, (last) => last?.id === started.id && last.endedAt !== null);
  };
  expect((await sync())?.streams).toMatchObject([{ stream: 'system-log', status: 'ok', events: 5 }]);
  expect((await sync())?.streams).toMatchObject([{ stream: 'system-log', status: 'ok', events: 0 }]);
});

test('somebody leaves: suspended in the tool within seconds, and what nobody follows in is said', async () => {
  const { baseUrl, credential } = estate.app('okta');
  const okta = async (path: string): Promise<{ id: string; status: string; profile: { login: string } }[]> => {
    const headers = { authorization: `SSWS ${credential.secret}`, accept: 'application/json' };
    return (await (await fetch(new URL(path, baseUrl), { headers })).json()) as never; // the emulator's own shape
  };
  const connections = taken(await cordon.api.GET('/api/v1/connections')).items;
  const params = { path: { id: connections.find(({ name }) => name === 'okta-main')?.id ?? '' } };
  await until(
    async () => taken(await cordon.api.GET('/api/v1/connections/{id}', { params })).lastSync,
    (last) => last?.endedAt != null,
  );
  taken(await cordon.api.POST('/api/v1/connections/{id}/syncs', { params, body: { streams: ['users'] } }));
  await until(
    async () => taken(await cordon.api.GET('/api/v1/connections/{id}', { params })).lastSync,
    (last) => last?.endedAt != null && last.streams.some(({ stream }) => stream === 'users'),
  );
  const leaver = (await okta('/api/v1/users')).find(({ status }) => status === 'ACTIVE');
  const email = leaver?.profile.login ?? '';
  const invite = { name: 'Lea Leaver', email, roles: ['developer' as const] };
  const { person } = taken(await cordon.api.POST('/api/v1/people', { body: invite }));
  const owner = { id: person.id, name: person.name };
  const orphan = { name: 'nightly-export', purpose: 'what nobody else knows', owner };
  taken(await cordon.api.POST('/api/v1/integrations', { body: orphan }));
  const disable = { params: { path: { id: person.id } }, body: { reason: 'left the company' } };
  taken(await cordon.api.POST('/api/v1/people/{id}/disable', disable));
  const look = async () => taken(await cordon.api.GET('/api/v1/leavers', { params: { query: {} } })).items[0];
  const run = await until(look, (one) => one?.dispatchedAt != null);
  expect((run?.dispatchedAt ?? Infinity) - (run?.startedAt ?? 0)).toBeLessThan(15_000);
  expect(run?.counts).toMatchObject({ task: 1, failed: 0, waiting: 0 });
  expect((await okta('/api/v1/users')).find(({ id }) => id === leaver?.id)?.status).toBe('SUSPENDED');

  await page.getByRole('navigation').getByRole('link', { name: 'Joiners and leavers', exact: true }).click();
  await page.getByRole('link', { name: 'Lea Leaver' }).click();
  await page.getByRole('row', { name: /Suspend a user.*Done/ }).waitFor();
  await tab.screenshots('leaver');
  await page.getByRole('button', { name: 'Say that nightly-export is done' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What was done').fill('Bob owns it from today.');
  await dialog.getByRole('button', { name: 'It is done', exact: true }).click();
  await page.getByText('Nothing left').waitFor();
  expect(tab.errors).toEqual([]);
});
