import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEmulator, type Emulator } from 'emulate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * Calls through the real gateway; the app fails, then is slow: service levels burn, alerts fire and end by themselves,
 * Slack and a collector of metrics are told, and a rule is tried on what the lake holds and tuned in the console.
 */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const execute = promisify(execFile);
const ALERT_MS_MAX = 60_000;
const RULE = `title: Notes answered with 503
id: 5b0b2a3e-6a8e-4b77-9a44-1f0e5c1d2a01
status: experimental
level: medium
description: The app says that it is not available.
logsource:
  product: cordon
detection:
  selection:
    ocsf.http_response.code: 503
  condition: selection
`;

let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;
let slack: Emulator;
let appId = '';
let integration: Integration;
const servers: Server[] = [];
const exported: string[] = [];
const app = { failing: false, delayMs: 0 };

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has one
}

beforeAll(async () => {
  const collector = await listen((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      exported.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const upstream = await listen((_request, response) => {
    setTimeout(() => {
      response.writeHead(app.failing ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify([{ id: 'a' }, { id: 'b' }, { id: 'c' }]));
    }, app.delayMs);
  });
  const port = await freePorts(1);
  const described = await startVendor();
  [cordon, browser, slack] = await Promise.all([
    startCordon({ processes: 1, env: { CORDON_OTLP_URL: collector } }),
    startBrowser(),
    createEmulator({ service: 'slack', port, baseUrl: `http://127.0.0.1:${port}` }),
  ]);
  tab = await openTab(browser);
  page = tab.page;
  appId = await addNotesApp(cordon, { ...described, url: upstream });
  await described.stop();
  integration = await addIntegration(cordon, appId, 'note-reader', ['notes.get']);
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-api-monitoring');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await slack?.close();
  for (const server of servers) server.close();
});

/** So many calls, ten at a time; gives how many were answered with each status. */
async function call(count: number): Promise<Record<number, number>> {
  const token = await integration.token();
  const statuses: Record<number, number> = {};
  const one = async (at: number): Promise<void> => {
    const answer = await fetch(`${cordon.gateway}/notes/notes/${at}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
  };
  for (let at = 0; at < count; at += 10) {
    await Promise.all(Array.from({ length: Math.min(10, count - at) }, (_, index) => one(at + index)));
  }
  return statuses;
}

async function cli(...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const { stdout, stderr } = await execute(process.execPath, [PROGRAM, ...words], { cwd: cordon.dataDir, env });
  return stdout + stderr;
}

async function slo(name: string) {
  const { items } = taken(await cordon.api.GET('/api/v1/monitor/slos'));
  return items.find((one) => one.name === name);
}

async function alertsOf(name: string) {
  const rule = (await slo(name))?.ruleId ?? 'none';
  return taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { rule } } })).items;
}

async function measured(calls: number) {
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/monitor/rows'));
    expect(items[0]?.calls).toBeGreaterThanOrEqual(calls);
  }, ALERT_MS_MAX);
}

test('an app that keeps its promise raises nothing', async () => {
  const target = { url: `${slack.url}/services/T000000001/B000000001/X000000001`, privateAddresses: ['127.0.0.1'] };
  const body = {
    kind: 'slack' as const,
    name: 'security-channel',
    ...target,
    levelMin: 'low' as const,
    tellClosed: true,
  };
  taken(await cordon.api.POST('/api/v1/notification-targets', { body }));
  const added = ['--app', appId, '--objective', '90'];
  await cli('monitor', 'slo', 'add', 'notes-available', ...added);
  await cli('monitor', 'slo', 'add', 'notes-fast', ...added, '--latency', '400');
  expect(await call(30)).toEqual({ 200: 30 });
  await measured(30);
  await eventually(async () => {
    expect((await slo('notes-available'))?.state).toMatchObject({ bad: 0, firing: null });
    expect((await slo('notes-available'))?.state?.windows[0]?.longBurn).toBe(0);
  }, ALERT_MS_MAX);
  const { items } = taken(await cordon.api.GET('/api/v1/monitor/rows', { params: { query: { by: 'operation' } } }));
  expect(items).toMatchObject([{ key: [{ id: 'notes.get' }], calls: 30, failures: 0, records: 90 }]);
  expect(await alertsOf('notes-available')).toEqual([]);
});

test('a failing app burns its budget: an alert, and Slack is told', async () => {
  app.failing = true;
  await call(60);
  app.failing = false;
  const [alert] = await eventually(async () => {
    const found = await alertsOf('notes-available');
    expect(found).toMatchObject([{ status: 'open', level: 'high' }]);
    return found;
  }, ALERT_MS_MAX);
  expect(alert?.title).toMatch(/^SLO notes-available fails \d+\.\d times as often as promised$/);
  const detail = taken(await cordon.api.GET('/api/v1/alerts/{id}', { params: { path: { id: alert?.id ?? '' } } }));
  expect(detail.timeline[0]?.eventIds.length).toBeGreaterThan(0);
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/notification-deliveries'));
    expect(items).toContainEqual(expect.objectContaining({ alertId: alert?.id, event: 'raised', state: 'delivered' }));
  }, ALERT_MS_MAX);
  expect(await cli('monitor', 'slo', 'list')).toMatch(/notes-available .*high/);
});

test('a slow app breaks the other promise', async () => {
  app.delayMs = 700;
  await eventually(async () => expect((await call(10))[200]).toBeGreaterThan(0), ALERT_MS_MAX);
  await call(60);
  app.delayMs = 0;
  await eventually(async () => expect(await alertsOf('notes-fast')).toMatchObject([{ status: 'open' }]), ALERT_MS_MAX);
});

test('good calls end both, and whoever was told hears of it', async () => {
  await call(900);
  await eventually(async () => {
    for (const name of ['notes-available', 'notes-fast']) {
      expect(await alertsOf(name)).toMatchObject([{ status: 'closed', statusReason: 'resolved', statusBy: 'cordon' }]);
    }
  }, ALERT_MS_MAX);
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/notification-deliveries'));
    expect(items.filter(({ event, state }) => event === 'closed' && state === 'delivered')).toHaveLength(2);
  }, ALERT_MS_MAX);
});

test('a collector and Prometheus read the same sums', async () => {
  const worker = await (await fetch(`http://127.0.0.1:${cordon.ports.worker}/metrics`)).text();
  expect(worker).toMatch(
    /cordon_api_calls_total\{app="notes",integration="note-reader",operation="notes\.get",outcome="ok"\} \d+/,
  );
  expect(worker).toMatch(/cordon_slo_budget_left\{slo="notes-available"\}/);
  const refused = await fetch(`${cordon.url}/api/v1/metrics`);
  expect(refused.status).toBe(401);
  const control = await fetch(`${cordon.url}/api/v1/metrics`, { headers: { authorization: `Bearer ${cordon.token}` } });
  expect(await control.text()).toContain('cordon_control_request_seconds_bucket');
  await eventually(async () => {
    expect(exported.some((one) => one.startsWith('POST /v1/metrics') && one.includes('cordon.api.calls'))).toBe(true);
  }, ALERT_MS_MAX);
});

test('a rule that is not loaded is tried on what happened', async () => {
  const file = join(cordon.dataDir, 'draft.yaml');
  await writeFile(file, RULE);
  const found = taken(await cordon.api.POST('/api/v1/detection-backtests', { body: { rule: RULE, days: 7 } }));
  const { items } = taken(
    await cordon.api.GET('/api/v1/events', { params: { query: { query: 'http_status:503', limit: 200 } } }),
  );
  expect(found.hits).toBeGreaterThan(0);
  expect(found.hits).toBe(items.length);
  expect(found.events[0]?.summary).toContain('note-reader');
  expect(await cli('detect', 'backtest', '--file', file)).toContain(`${found.hits} signals`);
});

test('a person watches calls, opens what is behind a figure, and tunes a rule', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'API monitoring', exact: true }).click();
  await page.getByRole('row', { name: /notes-available.*90% available.*Kept/ }).waitFor();
  await page.getByRole('img', { name: 'Calls over time' }).waitFor();
  await page.getByRole('row', { name: /note-reader to notes/ }).waitFor();
  await tab.screenshots('api-monitoring');
  await page
    .getByRole('row', { name: /note-reader to notes/ })
    .getByRole('link')
    .click();
  await page
    .getByRole('row', { name: /notes\.get/ })
    .first()
    .waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Detections', exact: true }).click();
  await page.getByPlaceholder('Find rules').fill('okta');
  await page.getByRole('table', { name: 'Rules' }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'What it means' }).waitFor();
  await page.getByRole('button', { name: 'Run backtest' }).click();
  await page.getByText(/signals on \d+ days/).waitFor();
  await tab.screenshots('rule-tuning');
  await page.getByRole('button', { name: 'Switch off' }).click();
  const dialog = page.getByRole('dialog', { name: 'Switch the rule off' });
  await dialog.getByLabel('Reason').fill('We do not use this feature.');
  await dialog.getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('We do not use this feature.').waitFor();
  await page.getByRole('button', { name: 'Switch on' }).click();
  const again = page.getByRole('dialog', { name: 'Switch the rule on' });
  await again.getByText(/it would have fired/i).waitFor();
  await again.getByRole('button', { name: 'Cancel' }).click();
  expect(tab.errors).toEqual([]);
});
