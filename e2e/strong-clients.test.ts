import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { runCordon } from './harness/role-process.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** An integration enrols, calls with its certificate, asks for an approval, and a person gives it in the console. */

const NOTE = '{"text":"pay 100 to DE1"}';

let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let tab: Tab;
let page: Page;
let folder: string;
let dir: string;
let integration: Integration;
let agent: Agent;
let clientId: string;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function cli(...args: string[]): Promise<string> {
  const env = { CORDON_DATA_DIR: cordon.dataDir, CORDON_CONTROL_PORT: String(cordon.ports.control) };
  const { code, stdout, stderr } = await runCordon(args, env, folder);
  if (code !== 0) throw new Error(`cordon ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** What the integration's HTTP client is made of: the files that enrolment left. */
async function openAgent(withCertificate = true): Promise<Agent> {
  const read = (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
  const own = withCertificate ? { cert: await read('client.pem'), key: await read('client.key') } : {};
  return new Agent({ connect: { ca: await read('server-ca.pem'), ...own } });
}

async function send(
  url: string,
  init: { headers?: Record<string, string>; method?: string; body?: string },
  by = agent,
) {
  const response = await undiciFetch(url, { ...init, dispatcher: by });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }; // JSON answers
}

const mtls = (): string => `https://localhost:${cordon.ports.mtls}`;
const gateway = (): string => `https://localhost:${cordon.ports.gateway}/notes`;

async function obtain(): Promise<Answer> {
  return send(`${mtls()}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId }).toString(),
  });
}

async function write(token: string, body = NOTE, by = agent): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return send(`${gateway()}/notes`, { method: 'POST', headers, body }, by);
}

beforeAll(async () => {
  [cordon, vendor, browser] = await Promise.all([startCordon({ processes: 2 }), startVendor(), startBrowser()]);
  folder = await mkdtemp(join(tmpdir(), 'cordon-strong-'));
  dir = join(folder, 'payroll');
  tab = await openTab(browser);
  page = tab.page;
  integration = await addIntegration(cordon, await addNotesApp(cordon, vendor), 'payroll', [
    'notes.get',
    'notes.create',
  ]);
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-strong-clients');
});
afterAll(async () => {
  await agent?.close();
  await browser?.close();
  await Promise.all([cordon?.stop(), vendor?.stop()]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('an integration enrols by the command line; its key is its own', async () => {
  const printed = JSON.parse(await cli('integration', 'enroll', 'payroll', '--dir', dir)) as { client_id: string }; // JSON by contract
  clientId = printed.client_id;
  expect((await stat(join(dir, 'client.key'))).mode & 0o777).toBe(0o600);
  agent = await openAgent();
});

test('its certificate gets a token, and the token works with the certificate alone', async () => {
  const { status, body } = await obtain();
  expect(status).toBe(200);
  const headers = { authorization: `Bearer ${String(body['access_token'])}` };
  await eventually(async () => expect((await send(`${gateway()}/notes/1`, { headers })).status).toBe(200), 5_000);
  const stranger = await openAgent(false);
  expect(await send(`${gateway()}/notes/1`, { headers }, stranger)).toMatchObject({
    status: 401,
    body: { code: 'gateway.token_invalid' },
  });
  await stranger.close();
});

test('a person comes in', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Grace Hopper');
  await page.getByLabel('E-mail address').fill('grace@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Approvals', exact: true }).waitFor();
  expect(tab.errors).toEqual([]);
});

test('the person lets the integration exchange tokens of another, and takes it back', async () => {
  await addIntegration(cordon, taken(await cordon.api.GET('/api/v1/apps')).items[0]!.id, 'front-end', []);
  await page.goto(`${cordon.url}/integrations/${integration.id}`);
  await page.getByRole('tab', { name: 'Token exchange' }).click();
  await page.getByRole('button', { name: 'Allow an exchange' }).click();
  const dialog = page.getByRole('dialog', { name: 'What payroll may exchange' });
  await dialog.getByLabel('Tokens of').click();
  await page.getByRole('option', { name: 'front-end' }).click();
  await dialog.getByLabel('For these apps').click();
  await page.getByRole('option', { name: 'notes' }).click();
  await page.keyboard.press('Escape');
  await dialog.getByLabel('Why').fill('payroll goes on with what the front end began');
  await dialog.getByRole('button', { name: 'Allow', exact: true }).click();
  const table = page.getByRole('table', { name: 'Token exchange' });
  await table.getByRole('row', { name: /front-end.*payroll.*notes/ }).waitFor();
  await tab.screenshots('token-exchange');
  expect(await cli('exchange', 'list')).toMatch(/front-end\s+payroll\s+\S+\/notes/);
  await page.getByRole('button', { name: 'Remove the exchange from front-end to payroll' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('No token of another integration may be exchanged.').waitFor();
  await page.getByRole('tab', { name: 'Credentials' }).click();
  await page.getByRole('button', { name: 'Add credential' }).first().click();
  const form = page.getByRole('dialog', { name: 'Add a credential to payroll' });
  await form.getByText('Client secret').click();
  await form.getByLabel('How it learns of approvals').click();
  await page.getByRole('option', { name: /ping/ }).click();
  await form.getByLabel('Told at').fill('https://payroll.example.com/told');
  await tab.screenshots('credential-told');
  await form.getByRole('button', { name: 'Add credential' }).click();
  const params = { path: { id: integration.id } };
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/integrations/{id}/credentials', { params }));
    expect(items.map(({ deliveryMode }) => deliveryMode)).toContain('ping');
  }, 10_000);
  await page.goto(cordon.url);
});

test('the person requires an approval of new notes', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Requirements', exact: true }).click();
  await page.getByRole('button', { name: 'Add requirement' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a requirement' });
  await dialog.getByLabel('Name').fill('New notes need a second person');
  await dialog.getByLabel('Operations').fill('notes.create');
  await dialog.getByLabel('A second person approves').click();
  await page.getByRole('option', { name: 'the whole request' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: /New notes need a second person/ }).waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/requirements'));
  expect(items).toMatchObject([{ entry: { approval: { bind: 'body' } } }]);
});

test('the call is refused with what to ask for; asked, approved with a passkey, made once by two processes', async () => {
  const token = String((await obtain()).body['access_token']);
  const refused = await eventually(async () => {
    const answer = await write(token);
    expect(answer).toMatchObject({ status: 401, body: { code: 'gateway.approval_required' } });
    return answer;
  }, 5_000);
  const details = refused.body['authorization_details'];
  const shown = { '/text': 'pay 100 to DE1' };
  expect(details).toMatchObject([
    { operation: 'notes.create', body_sha256: hash('sha256', NOTE, 'hex'), arguments: shown },
  ]);

  const options = { execute: [client.allowInsecureRequests] };
  const metadata = { use_mtls_endpoint_aliases: true };
  const config = await client.discovery(new URL(cordon.url), clientId, metadata, client.TlsClientAuth(), options);
  config[client.customFetch] = (url, init) =>
    undiciFetch(url, { ...init, dispatcher: agent } as Parameters<typeof undiciFetch>[1]); // the same shapes by another name
  const asked = await client.initiateBackchannelAuthentication(config, {
    scope: 'openid',
    login_hint: 'approvers',
    binding_message: 'Payroll of November',
    authorization_details: JSON.stringify(details),
  });
  const polling = client.pollBackchannelAuthenticationGrant(config, asked, {}, { signal: AbortSignal.timeout(60_000) });

  await page.getByRole('navigation').getByRole('link', { name: 'Approvals', exact: true }).click();
  await page.getByText('Payroll of November').waitFor();
  await tab.screenshots('approvals');
  await page.getByRole('button', { name: /Decide notes.create of payroll/ }).click();
  const dialog = page.getByRole('dialog', { name: /payroll asks for notes.create/ });
  await dialog.getByText('"pay 100 to DE1"').waitFor();
  await tab.screenshots('approval');
  await dialog.getByLabel('Reason').fill('Agreed with finance.');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  // The server wants the passkey when it wasn't shown in the last two minutes.
  const confirm = page.getByRole('button', { name: 'Confirm with a passkey' });
  const done = page.getByText('notes.create is approved.');
  await confirm.or(done).first().waitFor();
  if (await confirm.isVisible()) await confirm.click();
  await done.waitFor();

  const { access_token: approved } = await polling;
  const changed = await eventually(async () => {
    const answer = await write(approved, NOTE.replace('100', '1000'));
    expect(answer.status).toBe(403);
    return answer;
  }, 5_000);
  expect(changed.body['code']).toBe('gateway.approval_mismatch');
  // A connection each, so that both processes of the gateway get some.
  const agents = await Promise.all(Array.from({ length: 8 }, () => openAgent()));
  const answers = await Promise.all(agents.map((one) => write(approved, NOTE, one)));
  await Promise.all(agents.map((one) => one.close()));
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
  expect(answers.filter(({ body }) => body['code'] === 'gateway.approval_used')).toHaveLength(7);
  await page.getByText('Approved and used').waitFor();
  expect(vendor.violations()).toBe(0);
});

test('the owner of an integration can’t approve what it asks for', async () => {
  const { actor } = (await page.evaluate(async () => (await fetch('/api/v1/session')).json() as unknown)) as {
    actor: { id: string; name: string };
  };
  const params = { path: { id: integration.id } };
  const owner = { id: actor.id, name: actor.name };
  taken(await cordon.api.PATCH('/api/v1/integrations/{id}', { params, body: { owner } }));
  const options = { execute: [client.allowInsecureRequests] };
  const config = await client.discovery(
    new URL(cordon.url),
    integration.clientId,
    {},
    client.ClientSecretBasic(integration.clientSecret),
    options,
  );
  const call = { type: 'cordon_call', app: 'notes', operation: 'notes.create', method: 'POST', path: '/notes' };
  await client.initiateBackchannelAuthentication(config, {
    scope: 'openid',
    login_hint: 'approvers',
    authorization_details: JSON.stringify([call]),
  });
  await page
    .getByRole('button', { name: /Show notes.create of payroll/ })
    .first()
    .waitFor();
  const { items } = taken(await cordon.api.GET('/api/v1/approvals'));
  const own = items.find(({ state }) => state === 'pending');
  const refused = await page.evaluate(async (id) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ reason: 'for myself' });
    const response = await fetch(`/api/v1/approvals/${id}/approve`, { method: 'POST', headers, body });
    return ((await response.json()) as { code: string }).code;
  }, own?.id);
  expect(refused).toBe('identity.approval_own');
});

test('the certificate is renewed with a new key, and a cut-off ends it', async () => {
  const before = await readFile(join(dir, 'client.key'), 'utf8');
  await cli('integration', 'renew', '--dir', dir, '--force');
  expect(await readFile(join(dir, 'client.key'), 'utf8')).not.toBe(before);
  await agent.close();
  agent = await openAgent();
  expect((await obtain()).status).toBe(200);
  await page.goto(`${cordon.url}/integrations/${integration.id}`);
  await page.getByRole('tab', { name: 'Credentials' }).click();
  await page.getByRole('table', { name: 'Certificates' }).getByText('renewal').waitFor();
  await tab.screenshots('certificates');
  await cli('integration', 'revoke', 'payroll', '--reason', 'the machine was lost');
  expect((await obtain()).status).toBe(401);
  expect(tab.errors).toEqual([]);
});

test('who guesses secrets is locked, and a person unlocks', async () => {
  const other = await addIntegration(cordon, taken(await cordon.api.GET('/api/v1/apps')).items[0]!.id, 'guessed', []); // made above
  const attempt = async (secret: string): Promise<number> => {
    const headers = { authorization: `Basic ${Buffer.from(`${other.clientId}:${secret}`).toString('base64')}` };
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    return (await fetch(`${cordon.url}/oauth/token`, { method: 'POST', headers, body })).status;
  };
  for (let count = 0; count < 12; count++) await attempt('wrong');
  await eventually(async () => expect(await attempt(other.clientSecret)).toBe(429), 5_000);
  await page.getByRole('navigation').getByRole('link', { name: 'Locks', exact: true }).click();
  await page.getByRole('button', { name: `Unlock ${other.clientId}` }).click();
  await tab.screenshots('locks');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('The deployment had an old secret.');
  await dialog.getByRole('button', { name: 'Unlock', exact: true }).click();
  await page.getByText(`${other.clientId} may try again.`).waitFor();
  expect(await attempt(other.clientSecret)).toBe(200);
});
