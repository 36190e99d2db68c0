import { execFile } from 'node:child_process';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * What is planted in the emulated Slack, GitHub and Google is found, remediated through the tools' own APIs and read
 * again; the worker is killed in the middle; retention deletes exactly the mails that are due.
 */

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const WAIT_MS = 180_000;
/** A worker comes back in seconds on a quiet machine, in a minute and more on a busy one. */
const KILL_MS = 600_000;
const CARD = '4111 1111 1111 1111';
const SSN = '536-22-1234';
const DAY_MS = 86_400_000;
const DUE_AGES = [800, 500, 366];
const YOUNG_AGES = [364, 30, 1];

let cordon: RunningCordon;
let estate: Estate;
let browser: Browser;
let tab: Tab;
let page: Page;
let counter: { readonly url: string; readonly writes: string[]; readonly server: Server };

/** Passes everything on to the emulated Google and notes what could change something. */
async function startCounter(target: string): Promise<typeof counter> {
  const writes: string[] = [];
  const server = createServer((req, res) => {
    if (req.method !== 'GET') writes.push(`${req.method} ${req.url?.split('?')[0]}`);
    const inner = forward(`${target}${req.url}`, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    inner.on('error', () => res.destroy());
    req.pipe(inner);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // listening on a port
  return { url: `http://127.0.0.1:${port}`, writes, server };
}

beforeAll(async () => {
  [cordon, browser, estate] = await Promise.all([
    startCordon({ processes: 1 }),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'dlp' }),
  ]);
  counter = await startCounter(estate.app('google').baseUrl);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab?.screenshots('failed-dlp');
});
afterAll(async () => {
  await browser?.close();
  counter?.server.closeAllConnections();
  counter?.server.close();
  await Promise.all([cordon?.stop(), estate?.stop()]);
});

/** The command line as an administrator uses it, on this Cordon. */
async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], { env, cwd: cordon.dataDir });
  return `${stdout}${stderr}`;
}

type App = 'slack' | 'github' | 'google';

/** The tool itself, as its own client sees it. */
async function tool(
  app: App,
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
): Promise<unknown> {
  const { baseUrl, credential } = estate.app(app);
  const answer = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${credential.secret}`, 'content-type': type },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBeLessThan(300);
  return answer.json();
}

async function connect(app: App, name: string, config: Record<string, string>, baseUrl = estate.app(app).baseUrl) {
  const credential = { kind: 'bearer' as const, token: estate.app(app).credential.secret };
  const body = { app, name, config, baseUrl, privateAddresses: ['127.0.0.1'], credential, everyMinutes: null };
  return taken(await cordon.api.POST('/api/v1/connections', { body })).id;
}

/** Pages of a queue that moves: who is seen anew between two of them is on the first one of the next reading. */
async function incidentsOf(app: App) {
  const all = [];
  for (let after: string | undefined; ;) {
    const query = { app, ...(after === undefined ? {} : { after }) };
    const { items, next } = taken(await cordon.api.GET('/api/v1/dlp/incidents', { params: { query } }));
    all.push(...items);
    if (next === null) return all;
    after = next;
  }
}
const incidentIds = async (app: App): Promise<Map<string, string>> =>
  new Map((await incidentsOf(app)).map(({ recordId, id }) => [recordId, id]));
const incidentOf = async (app: App, recordId: string) =>
  (await incidentsOf(app)).find((one) => one.recordId === recordId);
const idOf = async (app: App, recordId: string): Promise<string> => (await incidentOf(app, recordId))?.id ?? 'none';
const remediesOf = async (id: string) =>
  taken(await cordon.api.GET('/api/v1/dlp/incidents/{id}', { params: { path: { id } } })).remedies;

const planted = { message: '', issue: '', file: 'drv_payroll' };
let connections: Record<App, string>;

test(
  'what is planted is found by scans, with masked evidence only',
  async () => {
    const channels = (await tool(
      'slack',
      'POST',
      '/api/conversations.list',
      '',
      'application/x-www-form-urlencoded',
    )) as {
      channels: { id: string; name: string }[];
    };
    const channel = channels.channels.find(({ name }) => name === 'support')?.id ?? '';
    const text = new URLSearchParams({ channel, text: `Please charge ${CARD} again` }).toString();
    const said = (await tool('slack', 'POST', '/api/chat.postMessage', text, 'application/x-www-form-urlencoded')) as {
      ts: string;
    };
    planted.message = `${channel}:${said.ts}`;
    const [repository] = (await tool('github', 'GET', '/orgs/meridian/repos')) as { full_name: string }[];
    const issue = (await tool(
      'github',
      'POST',
      `/repos/${repository?.full_name}/issues`,
      JSON.stringify({ title: 'Payroll question', body: `Her SSN is ${SSN}, please check` }),
    )) as { number: number };
    planted.issue = `${repository?.full_name}#${issue.number}`;
    await tool('google', 'POST', `/drive/v3/files/${planted.file}/permissions`, '{"type":"anyone","role":"reader"}');
    connections = {
      slack: await connect('slack', 'slack-main', {}),
      github: await connect('github', 'github-main', { org: 'meridian' }),
      google: await connect(
        'google',
        'google-main',
        { admin: 'admin@meridian.example', customer: 'my_customer' },
        counter.url,
      ),
    };
    const [slack, github, google] = await Promise.all([
      cli('dlp', 'scan', 'slack-main', '--stream', 'messages'),
      cli('dlp', 'scan', 'github-main'),
      cli('dlp', 'scan', 'google-main', '--stream', 'files'),
    ]);
    expect(slack).toMatch(/messages: done: \d+ records/);
    expect(github).toMatch(/issues: done: \d+ records/);
    expect(google).toMatch(/files: done: \d+ records, 0 unchanged, \d+ files/);
    const message = await incidentOf('slack', planted.message);
    expect(message?.classes.map(({ class: name }) => name)).toContain('payment.card');
    expect(JSON.stringify(message)).not.toMatch(/4111[ -]?1111/);
    expect((await incidentOf('github', planted.issue))?.found).toBeGreaterThan(0);
    expect(await incidentOf('google', planted.file)).toMatchObject({ sharing: 'public', label: 'restricted' });
    expect(await cli('dlp', 'incidents', '--app', 'google')).toContain('payroll.csv');
  },
  KILL_MS,
);

test(
  'each is remediated through its tool, and reading the tool again shows it',
  async () => {
    const [message, issue, file] = await Promise.all([
      idOf('slack', planted.message),
      idOf('github', planted.issue),
      idOf('google', planted.file),
    ]);
    const done = await Promise.all([
      cli('dlp', 'act', 'redact', message),
      cli('dlp', 'act', 'redact', issue),
      cli('dlp', 'act', 'unshare', file),
    ]);
    expect(done.map((text) => /: (\w+)/.exec(text)?.[1])).toEqual(['verified', 'verified', 'verified']);
    const [channel = '', ts = ''] = planted.message.split(':');
    const ask = new URLSearchParams({ channel, latest: ts, oldest: ts, inclusive: 'true' }).toString();
    const history = (await tool(
      'slack',
      'POST',
      '/api/conversations.history',
      ask,
      'application/x-www-form-urlencoded',
    )) as {
      messages: { text: string }[];
    };
    expect(history.messages[0]?.text).toBe('Please charge [payment.card removed] again');
    const [name = '', number = ''] = planted.issue.split('#');
    const after = (await tool('github', 'GET', `/repos/${name}/issues/${number}`)) as { body: string };
    expect(after.body).not.toContain(SSN);
    expect(after.body).toContain('Her SSN is [');
    expect(await tool('google', 'GET', `/drive/v3/files/${planted.file}/permissions`)).toMatchObject({
      permissions: [],
    });
    const [remedy] = await remediesOf(file);
    expect(remedy).toMatchObject({
      status: 'verified',
      canUndo: true,
      evidenceSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await cli('dlp', 'undo', remedy?.id ?? '');
    await eventually(async () => {
      const shared = await tool('google', 'GET', `/drive/v3/files/${planted.file}/permissions`);
      expect(shared).toMatchObject({ permissions: [{ type: 'anyone', role: 'reader' }] });
    }, WAIT_MS);
  },
  KILL_MS,
);

async function killWorker(): Promise<void> {
  const [pid] = await cordon.pids('worker');
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

test(
  'a worker that is killed in the middle of a scan goes on, and does each act of a rule once',
  async () => {
    const rule = {
      name: 'Telephone numbers in Drive',
      class: 'contact.phone',
      direction: 'at-rest' as const,
      connector: 'google',
      action: 'label' as const,
    };
    taken(await cordon.api.POST('/api/v1/inspection-rules', { body: rule }));
    for (const label of ['public', 'internal', 'confidential', 'restricted'])
      await cli('dlp', 'name-label', 'google', label, `lbl${label}`);
    counter.writes.length = 0;
    const body = { connectionId: connections.google, mode: 'full' as const, enforce: true, streams: ['files', 'mail'] };
    const { id } = taken(await cordon.api.POST('/api/v1/dlp/scans', { body }));
    const load = async () => taken(await cordon.api.GET('/api/v1/dlp/scans/{id}', { params: { path: { id } } }));
    await eventually(async () => {
      const { status, streams } = await load();
      expect(status).toBe('running');
      expect(streams.reduce((sum, { records }) => sum + records, 0)).toBeGreaterThan(0);
    }, WAIT_MS);
    await killWorker();
    await eventually(async () => expect((await load()).status).toBe('done'), WAIT_MS);
    const { streams } = await load();
    const files = (await tool('google', 'GET', '/drive/v3/files?pageSize=500')) as {
      files: { id: string; name: string }[];
    };
    expect(streams.find(({ stream }) => stream === 'files')?.records).toBe(files.files.length);
    // The acts that the rule asked for: the worker dies again while it is at them.
    const labelled = (): string[] => counter.writes.filter((write) => write.endsWith('/modifyLabels'));
    await eventually(async () => expect(labelled().length).toBeGreaterThan(1), WAIT_MS);
    await killWorker();
    const contracts = files.files.filter(({ name }) => name.startsWith('contract-')).map((file) => file.id);
    await eventually(async () => {
      const ids = await incidentIds('google');
      for (const file of contracts) {
        const [remedy] = await remediesOf(ids.get(file) ?? `none of ${file}`);
        expect([file, remedy?.action, remedy?.status]).toEqual([file, 'label', 'verified']);
      }
    }, WAIT_MS);
    const acts = labelled().filter((write) => write.includes('drv_contract_'));
    expect(acts.toSorted()).toEqual([...new Set(acts)].toSorted());
    expect(acts).toHaveLength(contracts.length);
  },
  KILL_MS,
);

test('drift of labels is shown, and a sync brings the tool in step', async () => {
  const file = contractFile();
  await tool(
    'google',
    'POST',
    `/drive/v3/files/${file}/modifyLabels`,
    JSON.stringify({
      labelModifications: [
        { labelId: 'lblrestricted', removeLabel: true },
        { labelId: 'lblconfidential', removeLabel: true },
        { labelId: 'lblinternal', removeLabel: true },
      ],
    }),
  );
  await cli('dlp', 'scan', 'google-main', '--stream', 'files');
  expect(await cli('dlp', 'sync-labels', 'google')).toMatch(/contract-/);
  await cli('dlp', 'sync-labels', 'google', '--run');
  await eventually(async () => {
    const { labels } = (await tool('google', 'GET', `/drive/v3/files/${file}/listLabels`)) as {
      labels: { id: string }[];
    };
    expect(labels).toHaveLength(1);
  }, WAIT_MS);
});
const contractFile = (): string => 'drv_contract_1';

/** Every mail with its labels, as Gmail gives it. */
async function mails(): Promise<Map<string, readonly string[]>> {
  const { messages } = (await tool(
    'google',
    'GET',
    '/gmail/v1/users/me/messages?maxResults=500&includeSpamTrash=true',
  )) as {
    messages: { id: string }[];
  };
  const all = new Map<string, readonly string[]>();
  for (const { id } of messages) {
    const mail = (await tool('google', 'GET', `/gmail/v1/users/me/messages/${id}`)) as { labelIds?: string[] };
    all.set(id, (mail.labelIds ?? []).toSorted());
  }
  return all;
}

test(
  'retention deletes exactly the mails that are due, across a kill, and every other record stays as it was',
  async () => {
    const put = async (age: number): Promise<string> => {
      const at = new Date(Date.now() - age * DAY_MS);
      const text = `From: a@acme.example\r\nTo: b@acme.example\r\nSubject: ${age} days old\r\nDate: ${at.toUTCString()}\r\n\r\nHello`;
      const raw = Buffer.from(text).toString('base64url');
      const path = '/gmail/v1/users/me/messages?internalDateSource=dateHeader';
      return ((await tool('google', 'POST', path, JSON.stringify({ raw, labelIds: ['INBOX'] }))) as { id: string }).id;
    };
    const due = await Promise.all(DUE_AGES.map(put));
    const young = await Promise.all(YOUNG_AGES.map(put));
    const before = await mails();
    expect([...due, ...young].every((id) => before.has(id))).toBe(true);
    const added = await cli(
      'data',
      'retention',
      'add',
      'Old mail',
      '--app',
      'google',
      '--set',
      'mail',
      '--days',
      '365',
      '--action',
      'delete',
    );
    const rule = added.trim().split('\n').at(-1) ?? '';
    expect(await cli('data', 'retention', 'run', rule, '--dry-run')).toContain('3 due');
    expect(await mails()).toEqual(before);
    counter.writes.length = 0;
    const params = { path: { id: rule } };
    const { id } = taken(await cordon.api.POST('/api/v1/retention/rules/{id}/runs', { params, body: { mode: 'run' } }));
    const trashed = (): string[] => counter.writes.filter((write) => write.endsWith('/trash'));
    await eventually(async () => expect(trashed().length).toBeGreaterThan(0), WAIT_MS);
    await killWorker();
    const load = async () => taken(await cordon.api.GET('/api/v1/retention/runs/{id}', { params: { path: { id } } }));
    await eventually(async () => expect((await load()).status).toBe('done'), WAIT_MS);
    expect((await load()).evidence).toMatchObject({ items: { verified: 3 } });
    expect(trashed()).toHaveLength(3);
    const after = await mails();
    const changed = [...before].filter(([mail, labels]) => JSON.stringify(after.get(mail)) !== JSON.stringify(labels));
    expect(changed.map(([mail]) => mail).toSorted()).toEqual(due.toSorted());
    for (const mail of due) expect(after.get(mail)).toContain('TRASH');
    expect(after.size).toBe(before.size);
  },
  KILL_MS,
);

test('a token is made and put back on the command line, on record with its reason', async () => {
  const iban = 'DE89370400440532013000';
  const category = 'user.financial.bank_account';
  const token = (await cli('dlp', 'tokenise', category, iban)).trim();
  expect(token).toMatch(/^cdn1\./);
  expect((await cli('dlp', 'reveal', category, token, '--reason', 'refund of order 1007')).trim()).toBe(iban);
  await expect(cli('dlp', 'reveal', 'user.contact.email', token, '--reason', 'trying another one')).rejects.toThrow(
    'no token',
  );
  const { items } = taken(await cordon.api.GET('/api/v1/audit', { params: { query: {} } }));
  const acts = items.filter(({ action }) => action.startsWith('dlp.reveal'));
  expect(acts.map(({ action }) => action).toSorted()).toEqual(['dlp.reveal_refused', 'dlp.revealed']);
  expect(JSON.stringify(acts)).not.toContain(iban);
});

/** What axe finds that hinders somebody: serious and critical only, with the element. */
async function hindrances(): Promise<string[]> {
  await page.evaluate(axe.source); // evaluated by the debugger, so the page's own policy stays as it is
  const found: unknown = await page.evaluate('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })');
  const { violations } = found as axe.AxeResults; // what axe.run resolves with
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

test('people decide in the queue, act on a record and see its evidence', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Data loss', exact: true }).first().click();
  await page.getByRole('link', { name: 'payroll.csv' }).waitFor();
  await tab.screenshots('dlp-incidents');
  expect(await hindrances()).toEqual([]);
  await page.getByRole('link', { name: 'payroll.csv' }).click();
  await page.getByRole('button', { name: 'Give to' }).click();
  await page.getByLabel('Who takes it').fill('Grace');
  await page.getByRole('button', { name: 'Give', exact: true }).click();
  await page.getByText('given to Grace').waitFor();
  await page.getByRole('button', { name: 'Decide', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Decide' });
  await dialog.getByLabel('Reason').fill('The payroll team needs it there');
  await dialog.getByRole('button', { name: 'Decide', exact: true }).click();
  await page.getByText('Justified').first().waitFor();
  await page.getByRole('button', { name: 'Act on it' }).click();
  const act = page.getByRole('dialog', { name: 'Act on the record' });
  await act.getByLabel('Unshare').check();
  await act.getByRole('button', { name: 'Do it' }).click();
  await page.getByText('Remediated').first().waitFor({ timeout: WAIT_MS });
  await tab.screenshots('dlp-incident');
  expect(await hindrances()).toEqual([]);
  expect(await tool('google', 'GET', `/drive/v3/files/${planted.file}/permissions`)).toMatchObject({ permissions: [] });
});

test('scans, labels and tokens are there to see and use', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Data loss', exact: true }).first().click();
  for (const [name, seen] of [
    ['Scans', 'google-main, full'],
    ['Labels of tools', 'lblrestricted'],
    ['De-identification', 'Put a token back'],
  ] as const) {
    await page.getByRole('tab', { name, exact: true }).click();
    await page.getByText(seen).first().waitFor();
    await tab.screenshots(`dlp-${name.toLowerCase().replaceAll(' ', '-')}`);
    expect(await hindrances()).toEqual([]);
  }
  expect(tab.errors).toEqual([]);
});
