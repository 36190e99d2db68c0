import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type ControlAlone, startControlAlone } from './harness/control-alone.ts';
import { freePorts } from './harness/free-ports.ts';
import { eventually, taken } from './harness/notes-integration.ts';

/**
 * Policy on sign-in as its people meet it; then two Cordons: people of one come from the other by OpenID Connect, in a
 * real browser, and a session that is revoked there ends here by shared signals.
 */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const run = promisify(execFile);

let cordon: ControlAlone;
let other: ControlAlone;
let otherUrl = '';
let browser: Browser;
let tab: Tab;
let page: Page;
let bo: Tab;
let boId = '';
let port = 0;

beforeAll(async () => {
  port = await freePorts(2);
  otherUrl = `http://127.0.0.1:${port + 1}`;
  [cordon, browser] = await Promise.all([
    startControlAlone('localhost', port, { CORDON_SIGN_ON_PRIVATE_HOSTS: new URL(otherUrl).host }),
    startBrowser(),
  ]);
  tab = await openTab(browser);
  page = tab.page;
  await enrol(page, await cordon.firstOwnerLink(), 'Ada Byron');
  const invited = taken(
    await cordon.api.POST('/api/v1/people', {
      body: { name: 'Bo Diddley', email: 'bo@corp.example', roles: ['developer'] },
    }),
  );
  boId = invited.person.id;
  bo = await openTab(browser);
  await enrol(bo.page, invited.link.url, null);
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await tab?.screenshots('failed-sign-in');
  await bo?.screenshots('failed-sign-in-bo');
  console.error(page?.url(), bo?.page.url(), other?.log().slice(-1_500));
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), other?.stop()]);
});

async function enrol(at: Page, link: string, name: string | null): Promise<void> {
  await at.goto(link);
  if (name !== null) {
    await at.getByLabel('Your name').fill(name);
    await at.getByLabel('E-mail address').fill('ada@corp.example');
  }
  await at.getByRole('button', { name: 'Continue' }).click();
  await at.getByRole('button', { name: 'Create a passkey' }).click();
  await at.getByLabel('I have kept the codes').check();
  await at.getByRole('button', { name: 'Go to Cordon' }).click();
  await at.waitForURL((url) => url.pathname === '/');
}

async function signOut(at: Page, url: string): Promise<void> {
  const response = await at.request.delete(`${url}/api/v1/session`, { headers: { origin: url } });
  expect(response.ok()).toBe(true);
}

async function signIn(at: Page): Promise<void> {
  await at.goto(`${cordon.url}/sign-in?next=/account`);
  await at.getByRole('button', { name: 'Sign in with a passkey' }).click();
}

/** The program's own command line, as an administrator uses it. */
async function cli(...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', CORDON_URL: cordon.url, CORDON_TOKEN: cordon.token };
  return (await run(process.execPath, [PROGRAM, ...words], { env, cwd: cordon.dataDir })).stdout;
}

const POLICY = `@id("office-only")
@advice("Sign in from the office.")
forbid (principal, action, resource)
when { principal.login == "bo@corp.example" }
unless { context.networks.contains("office") };`;

test('an administrator writes a policy, tries it on the sign-ins there were, and puts it in force', async () => {
  await page.goto(`${cordon.url}/sign-in-policy`);
  await page.getByRole('button', { name: 'Write one' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Office only');
  await page.getByRole('dialog').getByRole('button', { name: 'Mode' }).click();
  await page.getByRole('option', { name: 'Enforced' }).click();
  await page
    .getByRole('dialog')
    .getByLabel('Policy', { exact: true })
    .fill('forbid (principal, action, resource) when {');
  await page.getByRole('button', { name: 'Take into the draft' }).click();
  await page.getByText(/Line 1, column/).waitFor();
  await page.getByRole('dialog').getByLabel('Policy', { exact: true }).fill(POLICY);
  await page.getByRole('button', { name: 'Take into the draft' }).click();
  await page.getByRole('row', { name: /Office only/ }).waitFor();
  await tab.screenshots('sign-in-policy');
  await page.getByRole('tab', { name: 'Dry run' }).click();
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByRole('row', { name: /Bo Diddley.*refused.*office-only/ }).waitFor();
  await tab.screenshots('sign-in-dry-run');
  await page.getByRole('button', { name: 'Put in force' }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('Contract');
  await page.getByRole('dialog').getByRole('button', { name: 'Put in force' }).click();
  await page.getByText('Version 1 decides from now on.').waitFor();
  expect(tab.errors).toEqual([]);
});

test('the person reads what to do, and the administrator which policy it was and from which facts', async () => {
  await signOut(bo.page, cordon.url);
  await signIn(bo.page);
  await bo.page.getByText('Sign in from the office.').waitFor();
  await bo.screenshots('sign-in-refused');
  await page.getByRole('tab', { name: 'Sign-ins' }).click();
  await page.getByText('Refused', { exact: true }).first().click();
  await page.getByRole('button', { name: 'Explain the sign-in of Bo Diddley' }).click();
  await page.getByRole('dialog').getByText('Sign in from the office.').waitFor();
  await tab.screenshots('sign-in-explained');
  expect(await cli('sso', 'policy', 'log', '--outcome', 'refuse')).toMatch(/Bo Diddley.*Cordon.*refuse.*office-only/);
});

test('on the command line it is looked at, tried and changed back', async () => {
  expect(await cli('sso', 'policy', 'show')).toMatch(/Office only\s+enforce/);
  const file = join(cordon.dataDir, 'policy.json');
  await writeFile(file, JSON.stringify({ base: true, policies: [] }));
  expect(await cli('sso', 'policy', 'dry-run', file)).toMatch(/Bo Diddley/);
  expect(await cli('sso', 'policy', 'apply', file, '--note', 'over')).toContain('Version 2 is in force.');
  await signIn(bo.page);
  await bo.page.getByRole('heading', { name: 'Your account' }).waitFor();
  expect(await cli('sso', 'session', 'list', '--person', boId)).toContain('hwk');
});

function totpOf(secret: string): string {
  const bits = Array.from(secret)
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const code = (mac.readUInt32BE((mac[19] ?? 0) & 15) & 0x7fffffff) % 1_000_000;
  return String(code).padStart(6, '0');
}

/** The other Cordon’s owner, signed in in the same browser; a passkey can’t be made for an address without a name. */
async function enrolThere(): Promise<void> {
  const send = async (path: string, data: object = {}) => {
    const response = await page.request.post(`${otherUrl}/api/v1/auth${path}`, { data, headers: { origin: otherUrl } });
    expect([path, response.ok()]).toEqual([path, true]);
    return response.status() === 204 ? {} : ((await response.json()) as Record<string, string>);
  };
  const token = new URL(await other.firstOwnerLink()).hash.slice('#token='.length);
  await send('/link', { token, name: 'Ada There', email: 'ada@there.example' });
  const put = await page.request.put(`${otherUrl}/api/v1/auth/password`, {
    data: { password: 'a-long-horse-7-battery-staple' },
    headers: { origin: otherUrl },
  });
  expect([put.status(), await put.text()]).toEqual([204, '']);
  const { secret = '' } = await send('/totp/begin');
  await send('/totp/confirm', { code: totpOf(secret) });
}

describe('two Cordons', () => {
  beforeAll(async () => {
    const hosts = { CORDON_SIGN_ON_PRIVATE_HOSTS: new URL(cordon.url).host };
    other = await startControlAlone('127.0.0.1', port + 1, hosts);
  });

  test('the other Cordon takes people from this one by OpenID Connect, in a browser', async () => {
    const app = taken(
      await cordon.api.POST('/api/v1/sso/apps', {
        body: {
          name: 'Other Cordon',
          access: { everyone: true },
          settings: { protocol: 'oidc', redirectUris: [`${otherUrl}/sso/up/callback/none`] },
        },
      }),
    );
    const provider = taken(
      await other.api.POST('/api/v1/sign-on/providers', {
        body: {
          name: 'First Cordon',
          settings: { protocol: 'oidc', issuer: `${cordon.url}/sso`, clientId: app.app.id },
          clientSecret: app.clientSecret ?? '',
        },
      }),
    );
    const params = { path: { id: provider.id } };
    taken(
      await cordon.api.PUT('/api/v1/sso/apps/{id}', {
        params: { path: { id: app.app.id } },
        body: {
          name: 'Other Cordon',
          access: { everyone: true },
          settings: { protocol: 'oidc', redirectUris: [provider.addresses.redirectUri] },
        },
      }),
    );
    taken(await other.api.POST('/api/v1/sign-on/providers/{id}/domains', { params, body: { domain: 'corp.example' } }));
    taken(
      await other.api.POST('/api/v1/sign-on/providers/{id}/domains/{domain}/verify', {
        params: { path: { id: provider.id, domain: 'corp.example' } },
        body: { byOwner: true },
      }),
    );
    await enrolThere();
    await page.goto(`${otherUrl}/sign-on-providers/${provider.id}`);
    await page.getByRole('link', { name: 'Try a sign-in' }).click();
    await page.getByRole('row', { name: /test.*went well/ }).waitFor();
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByRole('button', { name: 'Switch off' }).waitFor();
    await bo.page.goto(`${otherUrl}/sign-in?next=/account`);
    await bo.page.getByLabel('Work address').fill('bo@corp.example');
    await bo.page.getByRole('button', { name: 'Next' }).click();
    await bo.page.getByRole('heading', { name: 'Your account' }).waitFor();
    expect(new URL(bo.page.url()).origin).toBe(otherUrl);
  });

  test('a session that is revoked at one Cordon ends at the other, by shared signals', async () => {
    const { token } = taken(
      await cordon.api.POST('/api/v1/signals/receivers', { body: { name: 'Other Cordon', audience: otherUrl } }),
    );
    await page.goto(`${otherUrl}/shared-signals`);
    await page.getByRole('button', { name: 'Add a source' }).click();
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('First Cordon');
    await page.getByRole('dialog').getByLabel('Issuer').fill(cordon.url);
    await page.getByRole('dialog').getByLabel('Token').fill(token);
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('First Cordon tells Cordon from now on.').waitFor();
    await eventually(async () => {
      const { items } = taken(await other.api.GET('/api/v1/signals/sources'));
      expect(items[0]?.verifiedAt).not.toBeNull();
    }, 15_000);
    expect(await cli('sso', 'session', 'end', '--person', boId)).toContain('sessions are ended');
    await eventually(async () => {
      await bo.page.goto(`${otherUrl}/account`);
      expect(new URL(bo.page.url()).pathname).toBe('/sign-in');
    }, 15_000);
    await page.reload();
    await page.getByRole('button', { name: 'What First Cordon told' }).click();
    await page.getByRole('row', { name: /session-revoked.*end-sessions/ }).waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await tab.screenshots('shared-signals');
    expect(await cli('sso', 'signal', 'receiver', 'events', 'Other Cordon')).toMatch(/session-revoked\s+delivered/);
    expect(tab.errors).toEqual([]);
  });
});
