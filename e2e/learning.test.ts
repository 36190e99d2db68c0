import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Octokit } from '@octokit/rest';
import { createEmulator, type Emulator } from 'emulate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * A tool that nobody described: GitHub's own SDK works through both gateway processes, an integration sends junk, and a
 * person makes what was learned the description, without the junk. Then the SDK still passes and a malformed call
 * doesn't.
 */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const execute = promisify(execFile);
const ARRIVE_MS_MAX = 30_000;
const LOOK_MS_MAX = 5_000;
/** Three rounds through two gateways, four calls for each repository, and one of junk. */
const CALLS_SENT = 3 * 2 * 4 * 3 + 1;
const REPOS = ['site', 'docs', 'shop'];
const TITLE = 'Ask jane.miller@acme-corp.io about card 4111 1111 1111 1111';

let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;
let github: Emulator;
let appId = '';
let sync: Integration;
let rogue: Integration;

beforeAll(async () => {
  const port = await freePorts(1);
  [cordon, browser, github] = await Promise.all([
    startCordon(),
    startBrowser(),
    createEmulator({
      service: 'github',
      port,
      seed: {
        tokens: { 'admin-token': { login: 'ada', scopes: ['repo'] } },
        github: {
          users: [{ login: 'ada', name: 'Ada' }],
          repos: REPOS.map((name) => ({ owner: 'ada', name, auto_init: true })),
        },
      },
    }),
  ]);
  tab = await openTab(browser);
  page = tab.page;
  const { api } = cordon;
  const body = {
    name: 'tracker',
    upstream: `http://127.0.0.1:${port}`,
    plaintext: 'allow' as const,
    privateAddresses: ['127.0.0.1'],
    unknownOperations: 'allow' as const,
  };
  ({ id: appId } = taken(await api.POST('/api/v1/apps', { body })));
  const params = { path: { id: appId } };
  const credential = { kind: 'bearer' as const, secret: 'admin-token', scheme: 'Bearer' };
  taken(await api.PUT('/api/v1/apps/{id}/credential', { params, body: credential }));
  const made = await Promise.all(
    ['issue-sync', 'rogue'].map(async (name) => {
      const integration = await addIntegration(cordon, appId, name, []);
      const select = [{ kind: 'access' as const, access: 'any' as const }];
      const grant = { integrationId: integration.id, appId, name: 'all', select, resourceScope: [], expiresAt: null };
      taken(await api.POST('/api/v1/grants', { body: grant }));
      return integration;
    }),
  );
  [sync, rogue] = made as [Integration, Integration]; // as many as names
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-learning');
});
afterAll(async () => {
  await browser?.close();
  await github?.close();
  await cordon?.stop();
});

async function run(...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const { stdout } = await execute(process.execPath, [PROGRAM, 'app', 'learn', ...words], { cwd: cordon.dataDir, env });
  return stdout;
}

/** One round of an integration's ordinary work, with the vendor's SDK. */
async function work(gateway: string, token: string, round: number): Promise<void> {
  const octokit = new Octokit({
    auth: token,
    baseUrl: `${gateway}/tracker`,
  });
  for (const repo of REPOS) {
    const { data } = await octokit.rest.issues.create({ owner: 'ada', repo, title: TITLE, body: `round ${round}` });
    await octokit.rest.issues.get({ owner: 'ada', repo, issue_number: data.number });
    await octokit.rest.issues.listForRepo({ owner: 'ada', repo, per_page: 2, state: 'open' });
    await octokit.rest.issues.createComment({ owner: 'ada', repo, issue_number: data.number, body: 'Seen.' });
  }
}

async function raw(token: string, body: unknown, path = '/repos/ada/site/issues'): Promise<Response> {
  return fetch(`${cordon.gateway}/tracker${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const proposal = async () =>
  taken(await cordon.api.GET('/api/v1/apps/{id}/learning/proposal', { params: { path: { id: appId } } }));

test('both gateway processes teach, and what they taught outlives a restart', async () => {
  await run('start', 'tracker');
  const token = await sync.token();
  await eventually(async () => expect((await raw(token, { title: 'first' })).status).toBe(201), ARRIVE_MS_MAX);
  for (let round = 0; round < 3; round++) for (const gateway of cordon.gateways) await work(gateway, token, round);
  expect((await raw(await rogue.token(), { title: 'junk', admin: true })).status).toBe(201);
  await eventually(async () => {
    const { teachers, calls } = await proposal();
    expect(teachers.map(({ name, calls }) => [name, calls > 40])).toEqual([
      ['issue-sync', true],
      ['rogue', false],
    ]);
    // Everything that was sent has arrived; the first call may have been before learning reached its gateway.
    expect(calls).toBeGreaterThanOrEqual(CALLS_SENT);
  }, ARRIVE_MS_MAX);
  const before = await proposal();
  cordon = await cordon.restart();
  const after = await proposal();
  expect(after.digest).toBe(before.digest);
  expect(after.calls).toBeGreaterThanOrEqual(before.calls);
});

test('the proposal holds operations and shapes, and no value of any call', async () => {
  const { operations, description } = await proposal();
  expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    'GET /repos/ada/{ada}/issues',
    'GET /repos/ada/{ada}/issues/{issue}',
    'POST /repos/ada/{ada}/issues',
    'POST /repos/ada/{ada}/issues/{issue}/comments',
  ]);
  const create = operations.find(({ method, path }) => method === 'POST' && path.endsWith('/issues'));
  const field = (path: string) => create?.fields.find((one) => one.in === 'request' && one.path === path);
  expect(field('title')).toMatchObject({ types: ['string'], required: true, teachers: [sync.id, rogue.id] });
  expect(field('admin')).toMatchObject({ types: ['boolean'], teachers: [rogue.id] });
  expect(JSON.stringify([operations, description])).not.toMatch(/jane|miller|4111|Seen\.|"enum"|"example/i);
});

test('a person leaves out the junk and accepts the rest in the console', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Apps', exact: true }).click();
  await page.getByRole('link', { name: 'tracker' }).first().click();
  await page.getByRole('tab', { name: 'Learning' }).click();
  const table = page.getByRole('table', { name: 'Proposed operations' });
  await table.getByRole('row', { name: /POST \/repos.*\/issues New.*issue-sync.*rogue \(1\)/ }).waitFor();
  await tab.screenshots('learning');
  await table.getByRole('link', { name: /^POST .*\/issues$/ }).click();
  const fields = page.getByRole('dialog').getByRole('table', { name: 'Fields' });
  await fields.getByRole('row', { name: /admin.*only rogue/ }).waitFor();
  await tab.screenshots('learning-fields');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByLabel('Count what rogue taught').click();
  await table.getByRole('row', { name: /POST \/repos.*\/issues New \d+ issue-sync \(\d+\) (?!.*rogue)/ }).waitFor();
  await page.getByRole('checkbox', { name: 'Request bodies may hold only fields that were seen' }).check();
  // What gateways still had to tell changes the proposal, and is refused until one has looked again.
  await eventually(async () => {
    await page.getByRole('button', { name: 'Accept proposal' }).click();
    await page.getByText('Calls that don’t fit are noted').first().waitFor({ timeout: LOOK_MS_MAX });
  }, ARRIVE_MS_MAX);
  expect(tab.errors).toEqual([]);
  const app = taken(await cordon.api.GET('/api/v1/apps/{id}', { params: { path: { id: appId } } }));
  expect(app.settings).toMatchObject({ validateRequests: 'observe', validateResponses: 'observe' });
  expect(app.description).toMatchObject({ operations: 4, version: '0-observed' });
});

test('it is observed first: a malformed call passes and is noted', async () => {
  const token = await sync.token();
  await eventually(async () => {
    await raw(token, { title: 'odd', admin: true });
    const query = { query: 'app:tracker', limit: 20 };
    const { items } = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
    expect(items.some((event) => JSON.stringify(event).includes('"request-invalid"'))).toBe(true);
  }, ARRIVE_MS_MAX);
});

test('then enforced: the SDK passes, malformed and unknown calls are refused', async () => {
  await run('enforce', 'tracker');
  const token = await sync.token();
  const answerOf = async (body: unknown, path?: string) => {
    const answer = await raw(token, body, path);
    const { code } = (await answer.json()) as { code?: string }; // a problem document or the tool's answer
    return [answer.status, code];
  };
  await eventually(
    async () => expect(await answerOf({ title: { $gt: '' } })).toEqual([400, 'gateway.request_invalid']),
    ARRIVE_MS_MAX,
  );
  expect(await answerOf({ title: 'x', admin: true })).toEqual([400, 'gateway.request_invalid']);
  expect(await answerOf({ ref: 'x' }, '/repos/ada/site/git/refs')).toEqual([404, 'gateway.operation_unknown']);
  for (const gateway of cordon.gateways) await eventually(() => work(gateway, token, 9), ARRIVE_MS_MAX);
  const shown = await run('show', 'tracker', '--without', 'rogue', '--closed');
  expect(shown).toMatch(/GET \/repos\/ada\/\{ada\}\/issues\/\{issue\} +\d+ +issue-sync \d+ +\w+ +known/);
  // What passed malformed while it was only observed is evidence too: a person sees it, and the description stays.
  expect(shown).toMatch(/POST \/repos\/ada\/\{ada\}\/issues +\d+ +issue-sync \d+ +\w+ +differs/);
});
