import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { type ControlAlone, startControlAlone } from './harness/control-alone.ts';
import { freePorts } from './harness/free-ports.ts';
import { taken } from './harness/notes-integration.ts';

/** Policy on sign-in as its people meet it: who writes it, who is refused by it, and on the command line. */

const PROGRAM = fileURLToPath(new URL('../apps/server/src/main.ts', import.meta.url));
const run = promisify(execFile);

let cordon: ControlAlone;
let browser: Browser;
let tab: Tab;
let page: Page;
let bo: Tab;
let boId = '';

beforeAll(async () => {
  [cordon, browser] = await Promise.all([startControlAlone('localhost', await freePorts(1)), startBrowser()]);
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
  console.error(page?.url(), bo?.page.url());
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
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
