import { readFile } from 'node:fs/promises';
import { type AppName, type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser } from './harness/browser.ts';
import { addIntegration, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * Ready playbooks and one of our own on the running product, with the emulated estate on the other side: gateway,
 * identity and connector acts are real calls; each outcome is read from the tool, not from Cordon.
 */

const WAIT_MS_MAX = 30_000;
let cordon: RunningCordon;
let estate: Estate;
let browser: Browser;
let page: Page;
let slackApp: string;

beforeAll(async () => {
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'playbooks' }),
  ]);
  ({ page } = await openTab(browser));
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), estate?.stop()]);
});

/** As Ada, in her session: approvals are of people. */
async function asAda(path: string, body: unknown): Promise<number> {
  return page.evaluate(
    async ([to, sent]) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(to, { method: 'POST', headers, body: JSON.stringify(sent) })).status;
    },
    [path, body] as const,
  );
}

const vendor = async (
  name: AppName,
  path: string,
  init: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<unknown> => {
  const { baseUrl, credential } = estate.app(name);
  const headers = { authorization: `${credential.scheme} ${credential.secret}`, ...init.headers };
  const answer = await fetch(`${baseUrl}${path}`, { ...init, headers });
  return answer.status === 404 ? null : answer.json();
};

const runOf = async (id: string) =>
  taken(await cordon.api.GET('/api/v1/playbook-runs/{id}', { params: { path: { id } } }));

/** Starts, approves as a whole, answers what a person is asked, and waits for the end. */
async function play(playbook: string, inputs: Record<string, string>, answers: Record<string, string> = {}) {
  const opened = taken(await cordon.api.POST('/api/v1/cases', { body: { title: playbook, severity: 'high' } }));
  const { id } = taken(
    await cordon.api.POST('/api/v1/playbook-runs', { body: { playbook, inputs, caseId: opened.id } }),
  );
  expect(await asAda(`/api/v1/playbook-runs/${id}/decision`, { approve: true, reason: 'tested' })).toBe(200);
  const run = await eventually(async () => {
    const now = await runOf(id);
    for (const act of now.acts.filter(({ status }) => status === 'waiting-person')) {
      await asAda(`/api/v1/playbook-runs/${id}/answer`, { act: act.key, done: true, values: answers });
    }
    expect(['succeeded', 'failed']).toContain(now.status);
    return now;
  }, WAIT_MS_MAX);
  const errors = run.acts.flatMap(({ title, error }) => (error === null ? [] : [`${title}: ${error}`]));
  // Without a channel "incidents" nobody can be told; the run says so and goes on.
  const isSilent = (text: string): boolean => text.startsWith('Tell the incident channel: There is no channel');
  expect([run.status, errors.filter((text) => !isSilent(text))]).toEqual(['succeeded', []]);
  return run;
}

async function undo(id: string): Promise<void> {
  expect(await asAda(`/api/v1/playbook-runs/${id}/undo`, { reason: 'tested' })).toBe(200);
  await eventually(async () => expect((await runOf(id)).status).toBe('undone'), WAIT_MS_MAX);
}

async function connect(app: AppName, config: Record<string, string>): Promise<void> {
  const { baseUrl, credential } = estate.app(app);
  const token = { kind: 'bearer' as const, token: credential.secret };
  const body = { app, name: `${app}-main`, config, baseUrl, privateAddresses: ['127.0.0.1'], credential: token };
  taken(await cordon.api.POST('/api/v1/connections', { body: { ...body, everyMinutes: null } }));
}

async function integration(name: string): Promise<Integration & { call: () => Promise<number> }> {
  const made = await addIntegration(cordon, slackApp, name, ['conversations.list']);
  const token = await made.token();
  const call = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${cordon.gateway}/slack/api/conversations.list`, { method: 'POST', headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  await eventually(async () => expect(await call()).toBe(200), WAIT_MS_MAX);
  return { ...made, call };
}

const actsOf = (run: Awaited<ReturnType<typeof play>>, command: string) =>
  run.acts.filter((act) => act.command === command).map(({ status }) => status);

test('Slack stands behind the gateway; GitHub, Okta and Slack are connected', async () => {
  const { baseUrl, credential, openapi } = estate.app('slack');
  const made = taken(
    await cordon.api.POST('/api/v1/apps', {
      body: { name: 'slack', upstream: baseUrl, plaintext: 'allow', privateAddresses: ['127.0.0.1'] },
    }),
  );
  slackApp = made.id;
  const params = { path: { id: slackApp } };
  const document = await readFile(openapi, 'utf8');
  taken(await cordon.api.PUT('/api/v1/apps/{id}/description', { params, body: { document } }));
  const body = { kind: 'bearer' as const, secret: credential.secret, scheme: credential.scheme };
  taken(await cordon.api.PUT('/api/v1/apps/{id}/credential', { params, body }));
  await connect('github', { org: 'meridian' });
  await connect('okta', { domain: 'meridian.okta.com' });
  await connect('slack', {});
  expect(taken(await cordon.api.GET('/api/v1/connections')).items.length).toBe(3);
});

test('stolen OAuth token: the token is dead at the gateway, and the vendor no longer hears from it', async () => {
  const sync = await integration('stolen-sync');
  const run = await play('Stolen OAuth token', { __integration__: 'stolen-sync' });
  expect(actsOf(run, 'gateway.cut-off')).toEqual(['done']);
  expect(run.variables['__reached__']?.value).toBe('true');
  expect(await sync.call()).toBe(401);
  await eventually(async () => expect((await sync.token()).length).toBeGreaterThan(10), WAIT_MS_MAX);
});

test('leaked API key: cut off, back only with a key of its own', async () => {
  const sync = await integration('leaked-sync');
  const run = await play('Leaked API key', { __integration__: 'leaked-sync' }, { __rotated__: 'true' });
  expect(actsOf(run, 'gateway.step-up')).toEqual(['done']);
  expect(await sync.call()).toBe(401);
  const params = { path: { id: sync.id } };
  const found = taken(await cordon.api.GET('/api/v1/integrations/{id}', { params }));
  expect([found.status, found.assurance]).toEqual(['active', 'm1']);
});

test('mass export: slowed down, cut off when nobody meant it, and undone whole', async () => {
  const sync = await integration('export-sync');
  const run = await play('Mass export', { __integration__: 'export-sync' }, { __expected__: 'false' });
  expect(await sync.call()).toBe(401);
  const limits = async () => taken(await cordon.api.GET('/api/v1/limits')).items.map(({ name }) => name);
  expect((await limits()).filter((name) => name.startsWith('playbook-limit-'))).toHaveLength(1);
  await undo(run.id);
  expect((await limits()).filter((name) => name.startsWith('playbook-limit-'))).toEqual([]);
  const params = { path: { id: sync.id } };
  expect(taken(await cordon.api.GET('/api/v1/integrations/{id}', { params })).status).toBe('active');
  expect(await sync.call()).toBe(401);
  expect((await sync.token()).length).toBeGreaterThan(10);
});

test('rogue consent: the app is cut off and the person loses every session', async () => {
  const sync = await integration('rogue-app');
  expect(await asAda('/api/v1/people', { name: 'Eve', email: 'eve@example.com', roles: ['auditor'] })).toBe(201);
  const inputs = { __integration__: 'rogue-app', __person__: 'eve@example.com' };
  const run = await play('Rogue app consent', inputs);
  expect(actsOf(run, 'identity.end-sessions')).toEqual(['done']);
  expect(await sync.call()).toBe(401);
});

test('acts through connectors and on people happen in the tool, and undo takes them back there', async () => {
  const users = (await vendor('okta', '/api/v1/users')) as { id: string; status: string }[];
  const user = users.find(({ status }) => status === 'ACTIVE')?.id ?? '';
  const listed = (await vendor('slack', '/api/conversations.list', { method: 'POST' })) as {
    channels: { id: string; name: string }[];
  };
  const channel = listed.channels.find(({ name }) => name !== 'general')?.id ?? '';
  const membersOf = async () =>
    (
      (await vendor('slack', '/api/conversations.members', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `channel=${channel}`,
      })) as { members: string[] }
    ).members;
  // Slack lets nobody remove themselves.
  const self = (await vendor('slack', '/api/auth.test', { method: 'POST' })) as { user_id: string };
  const people = (await vendor('slack', '/api/users.list', { method: 'POST' })) as {
    members: { id: string; is_bot?: boolean }[];
  };
  const kicked = people.members.find(({ id, is_bot }) => id !== self.user_id && is_bot !== true)?.id ?? '';
  await vendor('slack', '/api/conversations.invite', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `channel=${channel}&users=${kicked}`,
  });
  expect(await membersOf()).toContain(kicked);
  const oktaStatus = async () => ((await vendor('okta', `/api/v1/users/${user}`)) as { status: string }).status;
  const eve = async () =>
    taken(await cordon.api.GET('/api/v1/people', { params: { query: {} } })).people.find(
      ({ email }) => email === 'eve@example.com',
    )?.status;
  const before = await eve();
  const id = 'playbook--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7a01';
  const steps = [
    { command: 'connector.act', args: { app: 'okta', action: 'suspend-user', user } },
    { command: 'connector.act', args: { app: 'slack', action: 'remove-from-channel', channel, user: kicked } },
    { command: 'identity.disable', args: { person: 'eve@example.com' } },
  ];
  const place = (n: number): string => `action--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7b0${n}`;
  const end = 'end--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7c01';
  const start = 'start--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7c02';
  const agent = 'security-category--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7c03';
  const workflow = Object.fromEntries(
    steps.map(({ command, args }, n) => [
      place(n),
      {
        type: 'action',
        name: `${args.app ?? 'Cordon'}: ${args.action ?? 'disable'}`,
        commands: [{ type: 'cordon', command, version: '1', arguments: args }],
        agent,
        on_success: n + 1 < steps.length ? place(n + 1) : end,
      },
    ]),
  );
  const document = {
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id,
    name: 'Take a leaver out of everything',
    created_by: 'identity--5b0a5a3e-0d5c-4f51-9a51-6a1e1f0e7c04',
    created: '2026-11-23T00:00:00.000Z',
    modified: '2026-11-23T00:00:00.000Z',
    workflow_start: start,
    workflow: { [start]: { type: 'start', on_completion: place(0) }, ...workflow, [end]: { type: 'end' } },
    agent_definitions: { [agent]: { type: 'security-category', name: 'Cordon', category: ['aaa'] } },
  };
  taken(await cordon.api.PUT('/api/v1/playbooks/{id}', { params: { path: { id } }, body: document }));
  const run = await play(id, {});
  expect(await oktaStatus()).toBe('SUSPENDED');
  expect(await membersOf()).not.toContain(kicked);
  expect(await eve()).toBe('disabled');
  await undo(run.id);
  expect(await oktaStatus()).toBe('ACTIVE');
  expect(await membersOf()).toContain(kicked);
  expect(await eve()).toBe(before);
});
