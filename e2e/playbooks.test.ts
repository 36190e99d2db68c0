import { readFile } from 'node:fs/promises';
import { type AppName, type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser } from './harness/browser.ts';
import { addIntegration, eventually, taken } from './harness/notes-integration.ts';
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

async function integration(name: string) {
  const made = await addIntegration(cordon, slackApp, name, ['conversations.list', 'chat.postMessage']);
  const token = await made.token();
  const ask = async (operation: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${cordon.gateway}/slack/api/${operation}`, { method: 'POST', headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  const call = () => ask('conversations.list');
  await eventually(async () => expect(await call()).toBe(200), WAIT_MS_MAX);
  return { ...made, call, write: () => ask('chat.postMessage') };
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

const PERSONS = ['administrator', 'pusher', 'forwarder', 'phished', 'encrypter'] as const;
const mailOf = (person: string): string => `${person}@example.com`;
const personStatus = async (person: string) =>
  taken(await cordon.api.GET('/api/v1/people', { params: { query: {} } })).people.find(
    ({ email }) => email === mailOf(person),
  )?.status;

interface Case {
  readonly playbook: string;
  /** What the playbook is about, beside the integration of this row. */
  readonly person?: (typeof PERSONS)[number];
  /** Null: it is about no integration. */
  readonly integration?: null;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly answers?: Readonly<Record<string, string>>;
  /** Commands that must have been done, not skipped. */
  readonly done: readonly string[];
  readonly calls?: 'refused' | 'answered';
  readonly writes?: 'refused' | 'answered';
  readonly status?: 'disabled' | 'active';
}
const ABOUT_SLACK = { __app__: 'slack' };

/** Each with the effect that somebody outside of Cordon sees: the gateway's answer, or the person's account. */
const CASES: readonly Case[] = [
  {
    playbook: 'Agent gone astray',
    answers: { __stop__: 'true' },
    done: ['gateway.read-only', 'gateway.suspend'],
    calls: 'refused',
  },
  {
    playbook: 'Certificate expiry',
    inputs: { __host__: 'slack.example' },
    answers: { __valid__: 'false' },
    done: ['gateway.suspend'],
    calls: 'refused',
  },
  {
    playbook: 'Compromised administrator',
    integration: null,
    person: 'administrator',
    done: ['identity.disable', 'identity.reset-factors'],
    status: 'disabled',
  },
  {
    playbook: 'Compromised pipeline',
    integration: null,
    inputs: ABOUT_SLACK,
    answers: { __stopped__: 'true' },
    done: ['case.mark'],
    calls: 'answered',
  },
  {
    playbook: 'Harmful push to endpoints',
    integration: null,
    person: 'pusher',
    answers: { __stopped__: 'true' },
    done: ['identity.end-sessions'],
    status: 'active',
  },
  {
    playbook: 'Insider forwarding',
    integration: null,
    person: 'forwarder',
    answers: { __contain__: 'true' },
    done: ['identity.end-sessions', 'identity.disable'],
    status: 'disabled',
  },
  {
    playbook: 'Integration failure and outage',
    answers: { __healthy__: 'true' },
    done: ['gateway.limit'],
    calls: 'answered',
  },
  {
    playbook: 'Mass deletion',
    inputs: ABOUT_SLACK,
    answers: { __healthy__: 'true' },
    done: ['gateway.read-only'],
    writes: 'refused',
  },
  { playbook: 'Misdirected data', answers: { __deleted__: 'true' }, done: ['gateway.read-only'], writes: 'refused' },
  {
    playbook: 'Phishing',
    integration: null,
    person: 'phished',
    answers: { __gave__: 'true' },
    done: ['identity.end-sessions', 'identity.reset-factors'],
    status: 'active',
  },
  {
    playbook: 'Subprocessor change',
    integration: null,
    inputs: { ...ABOUT_SLACK, __subprocessor__: 'Elsewhere Inc.' },
    answers: { __decision__: 'accept' },
    done: ['estate.integrations-of'],
    writes: 'answered',
  },
  {
    playbook: 'Threat intelligence match',
    integration: null,
    inputs: ABOUT_SLACK,
    answers: { __real__: 'true' },
    done: ['lake.search'],
    calls: 'answered',
  },
  {
    playbook: 'Unreviewed change',
    integration: null,
    inputs: ABOUT_SLACK,
    answers: { __meant__: 'false' },
    done: ['lake.search', 'case.mark'],
    calls: 'answered',
  },
  {
    playbook: 'Webhook secret leak',
    done: ['gateway.suspend', 'gateway.restore'],
  },
  // The two that end everything that reaches Slack come last.
  {
    playbook: 'Ransomware in a file tool',
    person: 'encrypter',
    inputs: ABOUT_SLACK,
    answers: { __healthy__: 'true' },
    done: ['gateway.read-only', 'gateway.cut-off', 'identity.disable'],
    calls: 'refused',
    status: 'disabled',
  },
  {
    playbook: 'Compromised vendor',
    integration: null,
    inputs: ABOUT_SLACK,
    done: ['gateway.cut-off'],
    calls: 'refused',
  },
];

test.each(CASES)(
  '$playbook does what it says',
  async ({ playbook, person, integration: about, inputs, answers, done, ...seen }) => {
    const name = `for-${playbook.toLowerCase().replaceAll(' ', '-')}`;
    const own = await integration(name);
    const body = { name: person, email: mailOf(person ?? ''), roles: ['auditor'] };
    expect(person === undefined ? 201 : await asAda('/api/v1/people', body)).toBe(201);
    const given = {
      ...(about === null ? {} : { __integration__: name }),
      ...(person ? { __person__: mailOf(person) } : {}),
      ...inputs,
    };
    const run = await play(playbook, given, answers);
    for (const command of done) expect(actsOf(run, command)).toContain('done');
    const isRefused = (status: number): string => (status === 401 || status === 403 ? 'refused' : 'answered');
    const after = {
      ...(seen.calls ? { calls: isRefused(await own.call()) } : {}),
      ...(seen.writes ? { writes: isRefused(await own.write()) } : {}),
      ...(seen.status ? { status: (await personStatus(person ?? '')) === 'disabled' ? 'disabled' : 'active' } : {}),
    };
    expect(after).toEqual(seen);
  },
);

test('backup acts of a playbook take a snapshot and put a record back', async () => {
  const title = async (number: number) =>
    ((await vendor('github', `/repos/meridian/storefront/issues/${number}`)) as { title: string }).title;
  const headers = { 'content-type': 'application/json' };
  const made = (await vendor('github', '/repos/meridian/storefront/issues', {
    method: 'POST',
    headers,
    body: JSON.stringify({ title: 'Pay the bill' }),
  })) as { number: number };
  const { items } = taken(await cordon.api.GET('/api/v1/connections'));
  const connectionId = items.find(({ app }) => app === 'github')?.id ?? '';
  const plan = { connectionId, name: 'github-main', app: 'github', everyS: null, streams: ['issues'] };
  taken(await cordon.api.PUT('/api/v1/backups', { body: plan }));
  const one = (id: string, command: string, args: Readonly<Record<string, string>>) => {
    const place = (kind: string): string => `${kind}--6c0a5a3e-0d5c-4f51-9a51-6a1e1f0e7${id}`;
    return {
      type: 'playbook',
      spec_version: 'cacao-2.0',
      id: place('playbook'),
      name: command,
      created_by: place('identity'),
      created: '2026-11-23T00:00:00.000Z',
      modified: '2026-11-23T00:00:00.000Z',
      workflow_start: place('start'),
      workflow: {
        [place('start')]: { type: 'start', on_completion: place('action') },
        [place('action')]: {
          type: 'action',
          name: command,
          commands: [{ type: 'cordon', command, version: '1', arguments: args }],
          agent: place('security-category'),
          on_success: place('end'),
        },
        [place('end')]: { type: 'end' },
      },
      agent_definitions: {
        [place('security-category')]: { type: 'security-category', name: 'Cordon', category: ['aaa'] },
      },
    };
  };
  const put = async (document: ReturnType<typeof one>): Promise<string> => {
    taken(await cordon.api.PUT('/api/v1/playbooks/{id}', { params: { path: { id: document.id } }, body: document }));
    return document.id;
  };
  const taking = await play(await put(one('d01', 'backup.snapshot', { app: 'github' })), {});
  expect(actsOf(taking, 'backup.snapshot')).toEqual(['done']);
  await vendor('github', `/repos/meridian/storefront/issues/${made.number}`, {
    method: 'PATCH',
    headers,
    body: JSON.stringify({ title: 'Pay nobody' }),
  });
  expect(await title(made.number)).toBe('Pay nobody');
  const back = await play(await put(one('d02', 'backup.restore', { app: 'github', object: 'issue' })), {});
  expect(actsOf(back, 'backup.restore')).toEqual(['done']);
  expect(await title(made.number)).toBe('Pay the bill');
});
