import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** An over-scoped integration is narrowed to what it uses, and a whole app is cut off, by what the graph says. */

const WAIT_MS_MAX = 20_000;

let cordon: RunningCordon;
let notes: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let sync: Integration;
let appId = '';

beforeAll(async () => {
  [cordon, browser, notes] = await Promise.all([startCordon({ processes: 1 }), startBrowser(), startVendor()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-graph');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await notes?.stop();
});

async function hindrances(): Promise<string[]> {
  await page.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await page.evaluate('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })');
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

type Call = readonly ['GET' | 'POST', string];

/** Sends the calls one after the other and gives the status of each. */
async function send(calls: readonly Call[], token: string): Promise<number[]> {
  const statuses: number[] = [];
  for (const [method, path] of calls) {
    const response = await fetch(`${cordon.gateway}/notes${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: JSON.stringify({ text: 'a note' }) } : {}),
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

const READS: readonly Call[] = Array.from({ length: 6 }, (_, index): Call => ['GET', `/notes/${index}`]);
const MIXED: readonly Call[] = [...READS, ['POST', '/notes'], ['POST', '/notes']];

const recorded = (count: number) =>
  eventually(async () => {
    const { api } = cordon;
    const params = { path: { id: sync.id } };
    const { operations } = taken(await api.GET('/api/v1/integrations/{id}/access', { params }));
    const sum = operations.reduce((all, { calls, refused }) => all + (calls.d30 ?? 0) + refused, 0);
    expect(sum).toBe(count);
    return operations;
  }, WAIT_MS_MAX);

test('the first owner comes in; an integration is granted more than it uses', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  appId = await addNotesApp(cordon, notes);
  sync = await addIntegration(cordon, appId, 'sync', ['notes.get', 'notes.create']);
  const token = await eventually(async () => {
    const fresh = await sync.token();
    expect(await send([['GET', '/notes/first']], fresh)).toEqual([200]);
    return fresh;
  }, WAIT_MS_MAX);
  expect(new Set(await send(READS, token))).toEqual(new Set([200]));
  const operations = await recorded(READS.length + 1);
  expect(operations.map(({ operation, calls }) => [operation, calls.d90])).toEqual([
    ['notes.get', 7],
    ['notes.create', 0],
  ]);
});

test('what-if says of each call what the gateway then does', async () => {
  const { api } = cordon;
  const token = await sync.token();
  expect(await send(MIXED, token)).toEqual([...READS.map(() => 200), 201, 201]);
  await recorded(READS.length + 1 + MIXED.length);
  const { items: grants } = taken(await api.GET('/api/v1/grants', { params: { query: { integrationId: sync.id } } }));
  const [grant] = grants;
  const select = [{ kind: 'operations' as const, ids: ['notes.get'] }];
  const policy = 'forbid (principal, action, resource) when { resource.hasTag("id") && resource.getTag("id") == "3" };';
  const { id, name, integrationId, resourceScope, expiresAt } = grant!; // addIntegration made it
  const set = {
    [`grant:${id}`]: { id, name, integrationId, appId, select, resourceScope, expiresAt },
    'policy:what-if': { id: 'what-if', name: 'not the third', text: policy },
  };
  const replay = taken(await api.POST('/api/v1/access/what-if', { body: { set, remove: [], days: 1 } }));
  expect(replay).toMatchObject({ calls: 15, left: 0, wouldOpen: 0, changedSince: 0 });
  const foreseen = Object.fromEntries(replay.changes.map(({ operation, calls }) => [operation, calls]));
  // The third note was read once by READS and once by MIXED; both notes were made by MIXED.
  expect(foreseen).toEqual({ 'notes.get': 2, 'notes.create': 2 });

  // Now the same change for real, and the very same calls once more: refused are those that were foreseen.
  taken(await api.POST('/api/v1/grants', { body: { integrationId, appId, name, select, resourceScope, expiresAt } }));
  const made = taken(
    await api.POST('/api/v1/policies', { body: { name: 'not the third', description: '', text: policy } }),
  );
  const statuses = await eventually(async () => {
    const all = await send([['GET', '/notes/first'], ...READS, ...MIXED], token);
    // Grant and policy reach each gateway process by themselves: only with both there can the calls be compared.
    expect(all.filter((status) => status === 403)).toHaveLength(replay.wouldBreak);
    return all;
  }, WAIT_MS_MAX);
  const refused = [['GET', '/notes/first'] as Call, ...READS, ...MIXED].filter((_, index) => statuses[index] === 403);
  expect(refused.map(([method]) => method)).toEqual(['GET', 'GET', 'POST', 'POST']);
  expect(refused.filter(([method]) => method === 'GET').map(([, path]) => path)).toEqual(['/notes/3', '/notes/3']);
  expect(refused).toHaveLength(replay.wouldBreak);
  taken(await api.DELETE('/api/v1/policies/{id}', { params: { path: { id: made.id } } }));
  taken(
    await api.POST('/api/v1/grants', {
      body: { integrationId, appId, name, select: [{ kind: 'access', access: 'any' }], resourceScope, expiresAt },
    }),
  );
});

test('the console proposes what is used, applies it and takes it back', async () => {
  await page.goto(`${cordon.url}/integrations/${sync.id}`);
  await page.getByRole('tab', { name: 'Least privilege' }).click();
  await page
    .getByRole('row', { name: /notes\.get/ })
    .first()
    .waitFor();
  await page.getByText(/would have been refused/).waitFor();
  expect(await hindrances()).toEqual([]);
  await tab.screenshots('least-privilege');
  await page.getByRole('button', { name: 'Apply proposal' }).click();
  await page.getByText('The grants cover what is used, and no more.').waitFor();
  const { api } = cordon;
  const query = { integrationId: sync.id };
  const after = taken(await api.GET('/api/v1/grants', { params: { query } })).items;
  expect(after.map(({ select }) => select)).toEqual([[{ kind: 'operations', ids: ['notes.create', 'notes.get'] }]]);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('The grants are as they were.').waitFor();
  const back = taken(await api.GET('/api/v1/grants', { params: { query } })).items;
  expect(back.map(({ select }) => select)).toEqual([[{ kind: 'access', access: 'any' }]]);
});

test('the blast radius of the app is shown, asked for and cut off', async () => {
  await page.goto(`${cordon.url}/graph`);
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByRole('status').filter({ hasText: 'Nobody' }).waitFor();
  await page.goto(`${cordon.url}/graph?node=${encodeURIComponent(`app:${appId}`)}`);
  await page.getByRole('region', { name: /Blast radius of/ }).waitFor();
  expect(await hindrances()).toEqual([]);
  await page.goto(`${cordon.url}/graph?node=${encodeURIComponent(`integration:${sync.id}`)}`);
  await page.getByRole('table', { name: 'What is reached' }).getByText('App', { exact: true }).waitFor();
  await tab.screenshots('blast-radius');
  await page.goto(`${cordon.url}/graph?node=${encodeURIComponent(`app:${appId}`)}`);
  await page.getByRole('button', { name: 'Cut off' }).click();
  const dialog = page.getByRole('dialog', { name: /Cut off/ });
  await dialog.getByRole('cell', { name: 'Cut off integration' }).waitFor();
  await dialog.getByLabel('Reason').fill('a drill');
  await dialog.getByRole('button', { name: 'Cut off' }).click();
  await dialog.getByText('done').waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/graph/cuts'));
  expect(items[0]).toMatchObject({ reason: 'a drill', results: [{ outcome: 'done', target: { id: sync.id } }] });
  const { status } = taken(await cordon.api.GET('/api/v1/integrations/{id}', { params: { path: { id: sync.id } } }));
  expect(status).toBe('revoked');
});
