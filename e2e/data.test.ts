import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { type AppName, type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type CountingProxy, startCountingProxy } from './harness/counting-proxy.ts';
import { addIntegration, eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * Data planted in the emulated estate is found, labelled, pinned and followed from a GitHub issue over a Slack message to
 * a Stripe customer; a dry run of retention reads it and changes nothing; a person is handed what is there and erased.
 */

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS = 60_000;
/** A worker that was killed takes its time to come back where the machine is loaded. */
const KILL = { timeout: 400_000 };

let cordon: RunningCordon;
let estate: Estate;
let browser: Browser;
let tab: Tab;
let page: Page;
/** Stand before the tools that connectors act on. */
let outside: Record<'github' | 'slack' | 'stripe', CountingProxy>;

beforeAll(async () => {
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'data' }),
  ]);
  const [github, slack, stripe] = await Promise.all(
    (['github', 'slack', 'stripe'] as const).map((name) => startCountingProxy(estate.app(name).baseUrl)),
  );
  if (!github || !slack || !stripe) throw new Error('no proxy');
  outside = { github, slack, stripe };
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-data');
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop(), ...Object.values(outside ?? {}).map((one) => one.stop())]);
});

/** The command line as an administrator uses it, on this Cordon. */
async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  return (await run(process.execPath, [PROGRAM, ...args], { env, cwd: cordon.dataDir })).stdout;
}

/** The same with something on standard input: an address has no place in a shell's history. */
function cliWith(input: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  return new Promise((done, fail) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { env, cwd: cordon.dataDir }, (error, stdout) => {
      if (error) fail(error);
      else done(stdout);
    });
    child.stdin?.end(input);
  });
}

/** A tool as it is, asked beside Cordon. */
async function vendor(name: AppName, path: string): Promise<unknown> {
  const { baseUrl, credential } = estate.app(name);
  const headers = { authorization: `${credential.scheme} ${credential.secret}` };
  return (await fetch(`${baseUrl}${path}`, { headers })).json();
}

/** Cordon asks Slack twenty times a minute at most, and each channel is one more question of every search. */
async function closeChannels(kept: readonly string[]): Promise<void> {
  const { baseUrl, credential } = estate.app('slack');
  const ask = async (method: string, form: Record<string, string>): Promise<unknown> => {
    const headers = { authorization: `Bearer ${credential.secret}` };
    const init = { method: 'POST', headers, body: new URLSearchParams(form) };
    return (await fetch(`${baseUrl}/api/${method}`, init)).json();
  };
  const { channels } = (await ask('conversations.list', {})) as { channels: { id: string; name: string }[] }; // Slack's
  for (const { id, name } of channels.filter((one) => !kept.includes(one.name)))
    expect([name, await ask('conversations.archive', { channel: id })]).toMatchObject([name, { ok: true }]);
}

async function connect(app: 'github' | 'slack' | 'stripe', config: Record<string, string>): Promise<void> {
  const { credential } = estate.app(app);
  const token = { kind: 'bearer' as const, token: credential.secret };
  const base = { app, name: `${app}-main`, config, baseUrl: outside[app].url, privateAddresses: ['127.0.0.1'] };
  taken(await cordon.api.POST('/api/v1/connections', { body: { ...base, credential: token, everyMinutes: null } }));
}

/** What axe finds that hinders somebody: serious and critical only, with the element. */
async function hindrances(): Promise<string[]> {
  await page.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await page.evaluate('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })');
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

const goTo = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).first().click();

async function messageField() {
  const query = { app: 'slack', object: 'message' };
  const { items } = taken(await cordon.api.GET('/api/v1/data/fields', { params: { query } }));
  return items.find(({ path }) => path === 'text');
}

test('planted data is found by the connector’s sample, with category, evidence and label', async () => {
  await closeChannels(['general', 'support', 'payments']);
  await connect('slack', {});
  await connect('github', { org: 'meridian' });
  await connect('stripe', {});
  const field = await eventually(async () => {
    const found = await messageField();
    expect(found?.label).toBe('restricted');
    return found;
  }, WAIT_MS);
  expect(Object.keys(field?.detections ?? {})).toEqual(expect.arrayContaining(['iban']));
  expect(field?.samples).toBeGreaterThan(0);
  expect(await cli('data', 'sets', '--app', 'slack')).toMatch(/slack +message +restricted/);
});

test('the inventory shows it, and a person pins a label', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await goTo('Data');
  await page.getByRole('row', { name: /slack: message.*restricted/ }).waitFor();
  await tab.screenshots('data-inventory');
  expect(await hindrances()).toEqual([]);
  await page.getByRole('link', { name: 'slack: message', exact: true }).click();
  await page.getByRole('row', { name: /^text .*iban × / }).waitFor();
  await tab.screenshots('data-set');
  expect(await hindrances()).toEqual([]);
  await page.getByRole('button', { name: 'Pin the label', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Label of slack: message' });
  await dialog.getByLabel('Reason').fill('Customers write here what they should not');
  await dialog.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByText('restricted, pinned').waitFor();
});

test('a lower label waits, and who asked for it cannot grant it', async () => {
  await page.getByRole('button', { name: 'Pin the label', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Label of slack: message' });
  await dialog.getByLabel('internal', { exact: true }).check();
  await dialog.getByLabel('Reason').fill('It is only chat');
  await dialog.getByRole('button', { name: 'Ask for it' }).click();
  await goTo('Data');
  await page.getByRole('tab', { name: 'Label review' }).click();
  await page.getByRole('button', { name: 'Grant: slack: message' }).click();
  await page.getByText('another person must', { exact: false }).waitFor();
  await tab.screenshots('data-labels');
  const { items } = taken(await cordon.api.GET('/api/v1/data/sets', { params: { query: { app: 'slack' } } }));
  expect(items.find(({ object }) => object === 'message')?.label).toBe('restricted');
});

test('a dry run of retention counts what is there and changes nothing', async () => {
  await page.getByRole('tab', { name: 'Retention' }).click();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a retention rule' });
  await dialog.getByLabel('Name', { exact: true }).fill('Old messages');
  await dialog.getByLabel('App', { exact: true }).fill('slack');
  await dialog.getByLabel('Data set', { exact: true }).fill('message');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('link', { name: 'Old messages' }).click();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page
    .getByText(/^\d+ too young$/)
    .first()
    .waitFor({ timeout: WAIT_MS });
  await tab.screenshots('data-retention');
  expect(await hindrances()).toEqual([]);
  expect(await cli('data', 'retention', 'rules')).toContain('Old messages');
  expect(tab.errors).toEqual([]);
});

/** Somebody whom a careless person named in an issue. */
let email: string;
let iban: string;
let issue: string;
const REFUND = /^Refund goes to (DE\d{20}) \(account of ([A-Z]\w+ [A-Z]\w+)\)/;

interface Call {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

test('what an integration carries from a GitHub issue to a Slack message to a Stripe customer is followed', async () => {
  const apps = new Map<string, string>();
  for (const name of ['github', 'slack', 'stripe'] as const) {
    const { baseUrl, credential, openapi } = estate.app(name);
    const body = { name, upstream: baseUrl, plaintext: 'allow' as const, privateAddresses: ['127.0.0.1'] };
    const { id } = taken(await cordon.api.POST('/api/v1/apps', { body }));
    const params = { path: { id } };
    const document = await readFile(openapi, 'utf8');
    taken(await cordon.api.PUT('/api/v1/apps/{id}/description', { params, body: { document } }));
    const secret = { kind: 'bearer' as const, secret: credential.secret, scheme: credential.scheme };
    taken(await cordon.api.PUT('/api/v1/apps/{id}/credential', { params, body: secret }));
    apps.set(name, id);
  }
  const sync = await addIntegration(cordon, apps.get('github') ?? '', 'support-sync', ['issues/list-for-repo']);
  for (const [app, ids] of [
    ['slack', ['chat.postMessage', 'conversations.history']],
    ['stripe', ['PostCustomers']],
  ] as const) {
    const select = [{ kind: 'operations' as const, ids: [...ids] }];
    const grant = { integrationId: sync.id, name: 'default', select, resourceScope: [], expiresAt: null };
    taken(await cordon.api.POST('/api/v1/grants', { body: { ...grant, appId: apps.get(app) ?? '' } }));
  }
  const token = await sync.token();
  const call = async (path: string, init: Call = {}): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, ...init.headers };
    const answer = await fetch(`${cordon.gateway}${path}`, { ...init, headers });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.json();
  };
  const list = '/github/repos/meridian/storefront/issues?state=all&per_page=100';
  const issues = (await eventually(() => call(list), WAIT_MS)) as { number: number; body: string }[]; // GitHub's
  // E-mail addresses of an example domain are nobody's, so detectors pass over them; the account number is followed.
  const found = issues
    .map(({ number, body }) => ({ number, parts: REFUND.exec(body ?? '') }))
    .find(({ parts }) => parts);
  iban = found?.parts?.[1] ?? '';
  email = `${(found?.parts?.[2] ?? '').toLowerCase().replace(' ', '.')}@meridian-supply.example`;
  issue = String(found?.number);
  expect(iban).toMatch(/^DE/);
  const posted = (await call('/slack/api/chat.postMessage', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ channel: 'support', text: `Refund of ${email}, issue ${issue}: ${iban}` }),
  })) as { channel: string }; // Slack's
  await call('/slack/api/conversations.history', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ channel: posted.channel }).toString(),
  });
  await call('/stripe/v1/customers', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ email, description: `Refund account ${iban}` }).toString(),
  });
  const flows = await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/data/flows', { params: { query: {} } }));
    const inferred = items.filter(({ how }) => how === 'inferred');
    const pairs = inferred.map(({ from, to }) => `${from.app}:${from.object} ${to.app}:${to.object}`);
    expect(pairs).toEqual(expect.arrayContaining(['github:issue slack:message', 'slack:message stripe:customer']));
    return inferred;
  }, WAIT_MS);
  expect(flows.every(({ integration }) => integration.name === 'support-sync')).toBe(true);
  const spread = JSON.parse(await cli('data', 'spread', iban, '--json')) as { places: { app: string }[] }; // as listed
  expect(new Set(spread.places.map(({ app }) => app))).toEqual(new Set(['github', 'slack', 'stripe']));
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/data/sets', { params: { query: { app: 'stripe' } } }));
    expect(items.find(({ object }) => object === 'customer')?.label).toMatch(/confidential|restricted/);
  }, WAIT_MS);
});

test('the map draws it, is filtered, and opens a data set and a flow with the keyboard', async () => {
  await goTo('Data');
  await page.getByRole('tab', { name: 'Map' }).click();
  const drawing = page.getByRole('region', { name: 'Map of apps, data sets and flows' });
  const message = drawing.getByRole('group', { name: /^Data set slack message, / });
  await message.waitFor();
  await tab.screenshots('data-map');
  await page.getByRole('region', { name: 'Map of apps, data sets and flows' }).waitFor();
  expect(await hindrances()).toEqual([]);
  await message.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Open the data set' }).waitFor();
  await drawing
    .getByRole('group', { name: /^Flow through support-sync: \w+, \d+ followed/ })
    .first()
    .focus();
  await page.keyboard.press('Enter');
  await page.getByText('read there, written here').first().waitFor();
  await tab.screenshots('data-map-flow');
  await page.getByText('Table', { exact: true }).first().click();
  await page.getByRole('table', { name: 'Data sets on the map' }).waitFor();
  await page.getByRole('button', { name: /^Filter by label/ }).click();
  await page.getByRole('option', { name: 'public' }).click();
  await page.getByText('No data set matches.').first().waitFor();
  expect(await cli('data', 'map', '--app', 'slack')).toMatch(/github\/issue +slack\/message +support-sync +inferred/);
});

test('where apps are is said, and the register of transfers says what is missing', async () => {
  await cli('data', 'place', 'github', '--region', 'DE', '--vendor', 'GitHub B.V.');
  await cli('data', 'place', 'slack', '--region', 'United States', '--vendor', 'Slack Technologies');
  await goTo('Data');
  await page.getByRole('tab', { name: 'Transfers' }).click();
  await page.getByRole('button', { name: /^Safeguard of github: issue → slack: message/ }).click();
  const dialog = page.getByRole('dialog', { name: 'github: issue → slack: message' });
  await dialog.getByRole('button', { name: /Not said/ }).click();
  await page.getByRole('option', { name: 'standard contractual clauses' }).click();
  await dialog.getByLabel('Transfer assessment').fill('TIA-2026-4');
  await dialog.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('row', { name: /github: issue → slack: message.*Art\. 46\(2\)\(c\).*Nothing/ }).waitFor();
  await tab.screenshots('data-transfers');
  expect(await hindrances()).toEqual([]);
  expect(await cli('data', 'transfers')).toContain('standard contractual clauses,Art. 46(2)(c),TIA-2026-4');
  const dpv = JSON.stringify(JSON.parse(await cli('data', 'dpv')));
  expect(dpv).toContain('"eu-gdpr:A46-2-c"');
  expect(dpv).toContain('"pd:EmailAddress"');
  for (const [name, shot] of [
    ['Flows', 'data-flows'],
    ['Spread', 'data-spread'],
    ['Processing record', 'data-processing'],
  ] as const) {
    await page.getByRole('tab', { name }).click();
    await page.getByRole('table').first().waitFor();
    await tab.screenshots(shot);
    expect(await hindrances()).toEqual([]);
  }
  expect(await cli('data', 'overlaps')).toMatch(/github +slack +\d+/);
});

test('a person is handed what the tools hold of them, by permission and with a line in the trail', async () => {
  const id = (await cliWith(`${email}\n${iban}\n`, 'data', 'subject', 'open', 'export', '--reference', 'DSR-1')).trim();
  await cli('data', 'subject', 'search', id);
  const shown = await cli('data', 'subject', 'show', id);
  expect(shown).toMatch(new RegExp(`github +issue +meridian/storefront#${issue} .*planned`));
  await cli('data', 'subject', 'identity', id, '--how', 'signed in with their account');
  await cli('data', 'subject', 'run', id);
  // As the API describes it.
  const bundle = JSON.parse(await cli('data', 'subject', 'bundle', id)) as {
    apps: Record<string, { object: string }[]>;
  };
  const objects = (app: string) => new Set((bundle.apps[app] ?? []).map(({ object }) => object));
  expect(objects('github')).toContain('issue');
  expect(objects('slack')).toContain('message');
  expect(objects('stripe')).toContain('customer');
  expect(JSON.stringify(bundle.apps['stripe'])).toContain(email);
  const { items } = taken(await cordon.api.GET('/api/v1/audit', { params: { query: { limit: 100 } } }));
  expect(items.map(({ action }) => action)).toContain('subject.bundle_downloaded');
  for (const name of [email, iban]) expect(JSON.stringify(items)).not.toContain(name);
});

/** What was done outside, once for each record. */
const actsOutside = () =>
  Object.values(outside)
    .flatMap(({ calls }) => calls)
    .filter((text) => /^(?:POST \/api\/chat\.delete|DELETE \/v1\/customers|PATCH \/repos)/.test(text));

test(
  'a person is erased after a dry run and a second person’s word, though the worker is killed in the middle',
  KILL,
  async () => {
    await goTo('Data');
    await page.getByRole('tab', { name: 'Subject requests' }).click();
    await page.getByRole('button', { name: 'Open a request' }).click();
    const form = page.getByRole('dialog', { name: 'Open a subject request' });
    await form.getByLabel('Erase').check();
    await form.getByLabel('Reference').fill('DSR-2');
    await form.getByLabel('What names the person').fill(`${email}\n${iban}`);
    await form.getByLabel('Another person approves above').fill('1');
    await form.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('heading', { name: 'Subject request DSR-2' }).waitFor();
    const id = page.url().split('/').at(-1) ?? '';
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page
      .getByRole('row', { name: /slack: message .* delete \(delete-message\) .*Planned/ })
      .first()
      .waitFor();
    expect(actsOutside()).toEqual([]);
    await page.getByRole('button', { name: 'Identity checked' }).click();
    const identity = page.getByRole('dialog', { name: 'Identity checked' });
    await identity.getByLabel('How it was made sure').fill('signed in with their account');
    await identity.getByRole('button', { name: 'Keep' }).click();
    await tab.screenshots('data-subject-found');
    expect(await hindrances()).toEqual([]);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog', { name: 'Run the request' }).getByRole('button', { name: 'Run it' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('another person must', { exact: false }).first().waitFor();

    const params = { path: { id } };
    const planned = taken(await cordon.api.GET('/api/v1/subject-requests/{id}', { params })).counts['planned'] ?? 0;
    expect(planned).toBeGreaterThan(2);
    taken(await cordon.api.POST('/api/v1/subject-requests/{id}/approve', { params, body: {} }));
    await eventually(async () => expect(actsOutside().length).toBeGreaterThan(0), WAIT_MS);
    const [worker] = await cordon.pids('worker');
    process.kill(worker ?? 0, 'SIGKILL');
    const killedAfter = actsOutside().length;
    expect(killedAfter).toBeLessThan(planned);
    await eventually(async () => {
      const { status } = taken(await cordon.api.GET('/api/v1/subject-requests/{id}', { params }));
      expect(['tasks', 'done']).toContain(status);
    }, 5 * WAIT_MS);
    const acts = actsOutside();
    expect(acts.length).toBe(planned);
    expect(new Set(acts).size).toBe(acts.length);
  },
);

test('the tools show that it is gone, people have done the rest, and Cordon has forgotten the person', async () => {
  expect(JSON.stringify(await vendor('github', `/repos/meridian/storefront/issues/${issue}`))).not.toContain(iban);
  const customers = JSON.stringify(await vendor('stripe', '/v1/customers?limit=100'));
  for (const name of [email, iban]) expect(customers).not.toContain(name);
  const { items: requests } = taken(await cordon.api.GET('/api/v1/subject-requests'));
  const id = requests.find(({ reference }) => reference === 'DSR-2')?.id ?? '';
  const params = { path: { id } };
  const targets = async () =>
    taken(await cordon.api.GET('/api/v1/subject-requests/{id}/targets', { params: { ...params, query: {} } })).items;
  for (const { seq, status, app, object } of await targets()) {
    expect([app, object, status]).toEqual([app, object, object === 'account' ? 'task' : 'verified']);
    if (status !== 'task') continue;
    await cli('data', 'subject', 'done', id, String(seq), '--how', 'ended in the tool');
  }
  const done = await eventually(async () => {
    const request = taken(await cordon.api.GET('/api/v1/subject-requests/{id}', { params }));
    expect(request.status).toBe('done');
    return request;
  }, WAIT_MS);
  expect([done.isSealed, done.evidenceSha256?.length]).toEqual([false, 64]);
  expect(JSON.parse(await cli('data', 'spread', iban, '--json'))).toMatchObject({ places: [] });
  await page.reload();
  await page.getByText('forgotten', { exact: true }).waitFor();
  await tab.screenshots('data-subject-done');
  expect(await hindrances()).toEqual([]);
  expect(tab.errors).toEqual([]);
});
