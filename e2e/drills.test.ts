import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** Drills on the running product: a live fire with a really stolen token at several gateway processes, and a tabletop. */

const PROCESSES = 3;
const DRILL_MS_MAX = 120_000;
const DETECT_MS_MAX = 10_000;
const CONTAIN_MS_MAX = 1_000;
let cordon: RunningCordon;
let browser: Browser;
let ada: Tab;
let bob: Tab;
let outside: { readonly url: string; readonly received: string[]; stop(): Promise<void> };

/** A chat webhook that must hear nothing of a drill. */
async function startOutside(): Promise<typeof outside> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk.toString()));
    request.once('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

beforeAll(async () => {
  [cordon, browser, outside] = await Promise.all([
    startCordon({ processes: PROCESSES }),
    startBrowser(),
    startOutside(),
  ]);
  [ada, bob] = [await openTab(browser), await openTab(browser)];
}, 240_000);
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await ada.screenshots('failed-drills-ada');
  await bob.screenshots('failed-drills-bob');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
  await outside?.stop();
});

const drillOf = async (id: string) => taken(await cordon.api.GET('/api/v1/drills/{id}', { params: { path: { id } } }));

async function begin(body: { scenario: string; mode: 'live-fire' | 'tabletop'; decide?: 'drill' | 'person' }) {
  const made = taken(await cordon.api.POST('/api/v1/drills', { body }));
  taken(await cordon.api.POST('/api/v1/drills/{id}/start', { params: { path: { id: made.id } } }));
  return made.id;
}

const untilOver = (id: string) =>
  eventually(async () => {
    const found = await drillOf(id);
    expect(found.endedAt, `${found.status}: ${JSON.stringify(found.entries.at(-1))}`).not.toBeNull();
    return found;
  }, DRILL_MS_MAX);

test('a stolen token is seen within ten seconds and refused at every gateway within one, by the drill’s own measure', async () => {
  const channel = { kind: 'chat' as const, name: 'incidents', url: outside.url, privateAddresses: ['127.0.0.1'] };
  taken(await cordon.api.POST('/api/v1/channels', { body: channel }));
  const target = {
    template: null,
    quiet: null,
    name: 'pager',
    url: outside.url,
    levelMin: 'low' as const,
    privateAddresses: ['127.0.0.1'],
  };
  taken(await cordon.api.POST('/api/v1/notification-targets', { body: { kind: 'webhook', ...target } }));
  const id = await begin({ scenario: 'stolen-oauth-token', mode: 'live-fire', decide: 'drill' });
  const drill = await untilOver(id);
  const { markdown } = taken(await cordon.api.GET('/api/v1/drills/{id}/report', { params: { path: { id } } }));
  // The numbers of this very run, for whoever reads the log.
  process.stdout.write(`${markdown.slice(markdown.indexOf('## Checks'), markdown.indexOf('## Missing'))}\n`);
  expect([drill.status, drill.error]).toEqual(['ended', null]);
  expect(drill.score?.measures.detectMs).toBeLessThan(DETECT_MS_MAX);
  expect(drill.score?.measures.cutOffMs).toBeLessThan(CONTAIN_MS_MAX);
  expect(drill.score?.measures.containMs, 'from the decision to the last gateway').toBeLessThan(CONTAIN_MS_MAX);
  expect(drill.score?.measures.gateways).toBe(PROCESSES);
  expect(drill.objects.filter(({ removedAt }) => removedAt === null)).toEqual([]);
  expect(outside.received.filter((text) => /drill|exercise|stolen|scope/i.test(text))).toEqual([]);
  const alerts = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { limit: 50 } } }));
  expect(alerts.items.filter(({ drill: of }) => of !== null)).toEqual([]);
});

async function enrol({ page }: Tab): Promise<void> {
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Drills', exact: true }).first().waitFor();
}

/** The side navigation stands before the breadcrumbs, which name the page too. */
const open = async (page: Page): Promise<void> =>
  page.getByRole('navigation').getByRole('link', { name: 'Drills', exact: true }).first().click();

test('records of a replayed incident go through source, parser, rules and playbook; what it would do elsewhere is simulated', async () => {
  const id = await begin({ scenario: 'okta-support-2023', mode: 'live-fire', decide: 'drill' });
  const drill = await untilOver(id);
  expect([drill.status, drill.error]).toEqual(['ended', null]);
  const detected = drill.score?.checks.filter(({ kind }) => kind === 'detected') ?? [];
  expect(detected.map(({ key, met }) => [key, met])).toEqual([
    ['detect:correlation.okta-session-two-devices', true],
    ['detect:okta.identity-provider-changed', true],
  ]);
  expect(drill.score?.checks.filter(({ kind, met }) => kind === 'proposed' && !met)).toEqual([]);
  expect(drill.score?.measures.events).toBe(4);
});

test('two people come in', async () => {
  await ada.page.goto(await cordon.firstOwnerLink());
  await ada.page.getByLabel('Your name').fill('Ada Byron');
  await ada.page.getByLabel('E-mail address').fill('ada@example.com');
  await enrol(ada);
  const person = { name: 'Bob Ross', email: 'bob@example.com', roles: ['responder' as const] };
  const { link } = taken(await cordon.api.POST('/api/v1/people', { body: person }));
  await bob.page.goto(link.url);
  await enrol(bob);
  expect([...ada.errors, ...bob.errors]).toEqual([]);
});

test('a live fire shows its checks, its measures and that all it made is gone', async () => {
  const { page } = ada;
  await open(page);
  await page.getByRole('link', { name: 'Stolen OAuth token' }).click();
  const checks = page.getByRole('table', { name: 'Checks' });
  await checks
    .getByRole('row', { name: /Cut off at every gateway \(3\)/ })
    .getByText('met', { exact: true })
    .waitFor();
  await page.getByText('Cut-off to the last gateway').waitFor();
  const gone = page.getByRole('table', { name: 'Made by the drill' }).getByText('gone', { exact: true });
  expect(await gone.count()).toBe(3);
  await ada.screenshots('drill-live-fire');
});

test('a tabletop is planned, and a participant sees nothing before its time', async () => {
  const { page } = ada;
  await open(page);
  await page.getByRole('tab', { name: 'Scenarios' }).click();
  await page.getByRole('table', { name: 'Scenarios' }).getByText('Snowflake customers, 2024').waitFor();
  await ada.screenshots('drill-scenarios');
  await page.getByRole('button', { name: /^Play Snowflake customers, 2024/ }).click();
  const dialog = page.getByRole('dialog', { name: /Snowflake customers, 2024/ });
  await dialog
    .getByRole('radio', { name: 'Tabletop' })
    .or(dialog.getByRole('button', { name: 'Tabletop' }))
    .first()
    .click();
  await dialog.getByLabel('Who takes part').fill('commander: Bob Ross\nlegal: Carol Reed');
  await dialog.getByRole('button', { name: 'Plan it' }).click();
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('heading', { name: /^Next: / }).waitFor();
  await open(bob.page);
  await bob.page.getByRole('link', { name: /Snowflake customers, 2024/ }).click();
  await bob.page.getByText('Nothing was told yet.').waitFor();
  expect(await bob.page.getByRole('heading', { name: /^Next: / }).count()).toBe(0);
  expect(await bob.page.getByRole('table', { name: 'Expected of the table' }).count()).toBe(0);
});

test('an inject is told, answered by the participant, judged by the facilitator', async () => {
  await ada.page.getByRole('button', { name: 'Tell it now' }).click();
  await bob.page.getByText('An account of a contractor who left signed in today.').waitFor();
  expect(await bob.page.getByText('For who leads').count()).toBe(0);
  await bob.page.getByLabel('What you do').fill('We lock the account and keep its query history.');
  await bob.page.getByRole('button', { name: 'Answer' }).click();
  await ada.page.getByText('Bob Ross (commander)', { exact: true }).waitFor();
  await bob.screenshots('drill-participant');
  await ada.page.getByRole('button', { name: 'Tell it now' }).click();
  await ada.page.getByRole('button', { name: 'Seen: The account is locked', exact: true }).click();
  const expected = ada.page.getByRole('table', { name: 'Expected of the table' });
  await expected
    .getByRole('row', { name: /The account is locked/ })
    .getByText('seen', { exact: true })
    .waitFor();
  await ada.screenshots('drill-facilitator');
});

test('the tabletop is finished, says who was missing, and its report opens', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'Finish', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Finish the drill' });
  await dialog.getByLabel('Why').fill('Time for lunch.');
  await dialog.getByRole('button', { name: 'Finish it' }).click();
  await page.getByText('Carol Reed (legal) did not take part').waitFor();
  await page.getByLabel('What is done better next time').fill('Carol gets a deputy.');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Kept; the report holds it.').waitFor();
  await page.getByRole('link', { name: 'Report', exact: true }).click();
  await page.getByRole('heading', { name: /^Drill \d+: Snowflake customers, 2024/ }).waitFor();
  await page.getByText('Carol gets a deputy.').waitFor();
  await page.getByText('We lock the account and keep its query history.').waitFor();
  await ada.screenshots('drill-report');
  await open(page);
  await page.getByRole('tab', { name: 'Trend' }).click();
  await page
    .getByRole('table', { name: 'Trend' })
    .getByText(/^\d{4}-Q[1-4]$/)
    .waitFor();
  await ada.screenshots('drill-trend');
  expect([...ada.errors, ...bob.errors]).toEqual([]);
});
