import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Apache, makeSpPair, missingApache, startApache } from './harness/apache.ts';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { freePorts } from './harness/free-ports.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** A person signs on through Cordon to tools that are guarded by Apache's modules for OpenID Connect and SAML. */

const missing = missingApache();
if (missing.length > 0) console.warn(`skipped: not installed here: ${missing.join(', ')}`);

let cordon: RunningCordon;
let browser: Browser;
let apache: Apache;
let tab: Tab;
let page: Page;
let tool = '';

beforeAll(async () => {
  if (missing.length > 0) return;
  [cordon, browser] = await Promise.all([startCordon({ processes: 1 }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
  const port = await freePorts(1);
  tool = `http://localhost:${port}`;
  const pair = makeSpPair();
  const access = { everyone: true };
  const oidc = taken(
    await cordon.api.POST('/api/v1/sso/apps', {
      body: {
        name: 'Wiki',
        launchUrl: `${tool}/oidc/`,
        access,
        settings: {
          protocol: 'oidc',
          redirectUris: [`${tool}/oidc/callback`],
          backchannelLogoutUri: `${tool}/oidc/callback?logout=backchannel`,
        },
      },
    }),
  );
  taken(
    await cordon.api.POST('/api/v1/sso/apps', {
      body: {
        name: 'Expenses',
        access,
        settings: {
          protocol: 'saml',
          entityId: `${tool}/mellon`,
          acsUrls: [`${tool}/mellon/postResponse`],
          sloUrl: `${tool}/mellon/logout`,
          certificates: [pair.certificate],
          attributes: [{ name: 'email', source: 'email' }],
          relayState: `${tool}/saml/`,
        },
      },
    }),
  );
  apache = await startApache({
    port,
    pair,
    issuer: `${cordon.url}/sso`,
    clientId: oidc.app.id,
    clientSecret: oidc.clientSecret ?? '',
    idpMetadata: await (await fetch(`${cordon.url}/sso/saml/metadata`)).text(),
  });
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.waitForURL((url) => url.pathname === '/');
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await tab?.screenshots('failed-sso');
  console.error(page?.url(), await apache?.log());
});
afterAll(async () => {
  await apache?.stop();
  await browser?.close();
  await cordon?.stop();
});

/** The user that the tool saw. */
async function userAt(path: string): Promise<string | undefined> {
  const response = await page.goto(`${tool}${path}`);
  return response?.headers()['x-user'];
}

async function signOut(): Promise<void> {
  const response = await page.request.delete(`${cordon.url}/api/v1/session`, { headers: { origin: cordon.url } });
  expect(response.ok()).toBe(true);
}

test.skipIf(missing.length > 0)('mod_auth_openidc asks for a fresh passkey and gets it', async () => {
  // The OpenID Connect library keeps whole seconds: a passkey that was shown in this very second is a fresh one.
  await page.waitForFunction((since) => Date.now() - since > 1_000, Date.now());
  await page.goto(`${tool}/oidc/fresh/`);
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await page.getByRole('heading', { name: 'The tool: oidc/fresh' }).waitFor();
  expect(await userAt('/oidc/')).toBe('ada@example.com');
});

test.skipIf(missing.length > 0)(
  'its session ends with the one in Cordon, and begins again through the console',
  async () => {
    await signOut();
    await eventually(async () => {
      await page.goto(`${tool}/oidc/`);
      expect(new URL(page.url()).pathname).toBe('/sign-in');
    }, 10_000);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'The tool: oidc' }).waitFor();
    expect(await userAt('/oidc/')).toBe('ada@example.com');
  },
);

test.skipIf(missing.length > 0)('mod_auth_mellon signs the same person in by SAML without asking', async () => {
  await page.goto(`${tool}/saml/`);
  await page.getByRole('heading', { name: 'The tool: saml' }).waitFor();
  expect(await userAt('/saml/')).toBe('ada@example.com');
});

test.skipIf(missing.length > 0)('the console shows the apps to their user and to the owner', async () => {
  await page.goto(`${cordon.url}/my-apps`);
  await page.getByRole('link', { name: 'Open Wiki' }).waitFor();
  await tab.screenshots('my-apps');
  await page.goto(`${cordon.url}/sso-apps`);
  await page.getByRole('row', { name: /Expenses/ }).waitFor();
  await page.getByText('/sso/saml/metadata').first().waitFor();
  await tab.screenshots('sso-apps');
  expect(tab.errors).toEqual([]);
});

test.skipIf(missing.length > 0)('the launcher starts SAML, and single logout by the tool ends everything', async () => {
  await page.goto(`${cordon.url}/my-apps`);
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Open Expenses' }).click();
  await (await opened).getByRole('heading', { name: 'The tool: saml' }).waitFor();
  await page.goto(`${tool}/mellon/logout?ReturnTo=${encodeURIComponent(`${tool}/bye/`)}`);
  await page.getByRole('heading', { name: 'The tool: bye' }).waitFor();
  await page.goto(`${cordon.url}/my-apps`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  // The other tool was told behind the browser's back.
  await eventually(async () => {
    await page.goto(`${tool}/oidc/`);
    expect(new URL(page.url()).pathname).toBe('/sign-in');
  }, 10_000);
  expect(tab.errors).toEqual([]);
});
