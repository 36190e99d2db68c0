import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeSpPair } from './harness/apache.ts';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';
import { missingSimplesaml, type Simplesaml, startSimplesaml } from './harness/simplesaml.ts';

/** People come from SimpleSAMLphp, which is somebody else's identity provider, in a real browser. */

const missing = missingSimplesaml();
if (missing.length > 0) console.warn(`skipped: not installed here: ${missing.join(', ')}`);

const BO = { login: 'bo', password: 'bo-pass', email: 'bo@corp.example', name: 'Bo Diddley', groups: ['eng'] };
const ADA = { login: 'ada', password: 'ada-pass', email: 'ada@corp.example', name: 'Ada Byron', groups: [] };

let cordon: RunningCordon;
let browser: Browser;
let idp: Simplesaml;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  if (missing.length > 0) return;
  [cordon, browser] = await Promise.all([startCordon({ processes: 1 }), startBrowser()]);
  idp = await startSimplesaml(await freePorts(1), makeSpPair(), [BO, ADA]);
  tab = await openTab(browser);
  page = tab.page;
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@corp.example');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.waitForURL((url) => url.pathname === '/');
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await tab?.screenshots('failed-upstream');
  console.error(
    page?.url(),
    (await page?.locator('body').innerText())?.slice(0, 1_500),
    (await idp?.log())?.slice(-3_000),
  );
});
afterAll(async () => {
  await idp?.stop();
  await browser?.close();
  await cordon?.stop();
});

async function signInThere(at: Page, person: typeof BO): Promise<void> {
  await at.locator('input[name=username]').fill(person.login);
  await at.locator('input[name=password]').fill(person.password);
  await at.locator('input[name=password]').press('Enter');
}

test.skipIf(missing.length > 0)('an owner sets the provider up, tries it and switches it on', async () => {
  await page.goto(`${cordon.url}/sign-on-providers`);
  await page.getByRole('button', { name: 'Add a provider' }).click();
  await page.getByRole('button', { name: 'SAML 2.0' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Corp');
  await page.getByLabel('Metadata').fill(idp.metadata);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('heading', { name: 'Corp', level: 1 }).waitFor();
  const { items } = (await cordon.api.GET('/api/v1/sign-on/providers')).data ?? { items: [] };
  const addresses = items[0]?.addresses;
  const published = await (await fetch(addresses?.entityId ?? '')).text();
  const certificate = /<ds:X509Certificate>([^<]+)/.exec(published)?.[1] ?? '';
  await idp.trust({
    entityId: addresses?.entityId ?? '',
    acsUrl: addresses?.acsUrl ?? '',
    sloUrl: addresses?.sloUrl ?? '',
    certificate,
  });
  // A test before its domain is verified tells what to do.
  await page.getByRole('link', { name: 'Try a sign-in' }).click();
  await signInThere(page, ADA);
  await page.getByText('not a verified domain of this provider').waitFor();
  await page.getByRole('link', { name: 'Back to the provider' }).click();
  await page.getByLabel('Domain', { exact: true }).fill('corp.example');
  await page.getByRole('button', { name: 'Add domain' }).click();
  await page.getByRole('button', { name: 'Vouch for it' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Vouch for it' }).click();
  await page.getByText('an owner’s word').waitFor();
  await page.getByLabel('Roles by group').fill('eng = developer');
  await page.getByRole('button', { name: 'Save the mapping' }).click();
  await page.getByText('The mapping is saved.').waitFor();
  await page.getByRole('link', { name: 'Try a sign-in' }).click();
  await page.getByRole('row', { name: /test.*went well/ }).waitFor();
  await tab.screenshots('provider');
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByRole('button', { name: 'Switch off' }).waitFor();
  expect(tab.errors).toEqual([]);
});

test.skipIf(missing.length > 0)(
  'an employee is led there by their address, and signed in with their role',
  async () => {
    const other = await openTab(browser);
    await other.page.goto(`${cordon.url}/sign-in?next=/account`);
    await other.page.getByLabel('Work address').fill('bo@corp.example');
    await other.screenshots('sign-in');
    await other.page.getByRole('button', { name: 'Next' }).click();
    await signInThere(other.page, BO);
    await other.page.getByRole('heading', { name: 'Your account' }).waitFor();
    await other.page.getByText('developer').filter({ visible: true }).first().waitFor();
    await other.page.getByRole('row', { name: /this one/ }).waitFor();
    await other.screenshots('account');
    const { people } = (await cordon.api.GET('/api/v1/people')).data ?? { people: [] };
    expect(people.find(({ email }) => email === 'bo@corp.example')).toMatchObject({
      source: 'upstream',
      roles: ['developer'],
    });
    // Signing out here signs out there, too: the provider asks again.
    await other.page.getByRole('button', { name: 'Bo Diddley' }).click();
    await other.page.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await other.page.getByLabel('Work address').fill('bo@corp.example');
    await other.page.getByRole('button', { name: 'Next' }).click();
    await other.page.locator('input[name=username]').waitFor();
    expect(other.errors).toEqual([]);
  },
);

test.skipIf(missing.length > 0)('a sign-out at the provider ends the session here', async () => {
  const other = await openTab(browser);
  await other.page.goto(`${cordon.url}/sign-in?next=/account`);
  await other.page.getByLabel('Work address').fill('bo@corp.example');
  await other.page.getByRole('button', { name: 'Next' }).click();
  await signInThere(other.page, BO);
  await other.page.getByRole('heading', { name: 'Your account' }).waitFor();
  const host = new URL(/Location="([^"]+)"/.exec(idp.metadata)?.[1] ?? '').origin;
  await other.page.goto(`${host}/saml2/idp/SingleLogoutService.php?ReturnTo=${encodeURIComponent(`${host}/`)}`);
  await other.page.goto(`${cordon.url}/account`);
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(new URL(other.page.url()).pathname).toBe('/sign-in');
});

test.skipIf(missing.length > 0)(
  'the owner, who has a passkey, is tied to the provider only after showing it',
  async () => {
    const signOut = await page.request.delete(`${cordon.url}/api/v1/session`, { headers: { origin: cordon.url } });
    expect(signOut.ok()).toBe(true);
    await page.goto(`${cordon.url}/sign-in?next=/account`);
    await page.getByLabel('Work address').fill('ada@corp.example');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Show once that it is you').waitFor();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Your company’s providers' }).waitFor();
  },
);
