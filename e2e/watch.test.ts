import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser, type Tab } from './harness/browser.ts';
import { taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** Weeks of somebody's work come in from a vendor, then a day unlike them: it is scored, explained, alerted, judged. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Math.floor(Date.now() / DAY) * DAY;
const KEY = 'person:eve@example.com';

let cordon: RunningCordon;
let browser: Browser;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  [cordon, browser] = await Promise.all([startCordon({ processes: 1 }), startBrowser()]);
  tab = await openTab(browser);
  page = tab.page;
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await tab.screenshots('failed-watch');
});
afterAll(async () => {
  await browser?.close();
  await cordon?.stop();
});

function signIn(id: string, at: number, who: string, over: { ip?: string; agent?: string; target?: string } = {}) {
  return {
    uuid: id,
    published: new Date(at).toISOString(),
    eventType: 'user.authentication.sso',
    actor: { id: who, type: 'User', alternateId: `${who}@example.com`, displayName: who === 'eve' ? 'Eve' : 'Bob' },
    client: {
      ipAddress: over.ip ?? '198.51.100.7',
      userAgent: { rawUserAgent: over.agent ?? 'Mozilla/5.0 Chrome/140.0' },
    },
    outcome: { result: 'SUCCESS' },
    target: [{ id: over.target ?? 'mail', type: 'AppInstance', displayName: over.target ?? 'mail' }],
  };
}

function weeksOfWork(): unknown[] {
  const events: unknown[] = [];
  for (let back = 40; back >= 1; back--) {
    for (const who of ['eve', 'bob']) {
      for (let at = 0; at < 6; at++)
        events.push(signIn(`${who}-${back}-${at}`, TODAY - back * DAY + (8 + at) * HOUR, who));
    }
  }
  return events;
}

async function scored(isThere: (score: number) => boolean) {
  await expect
    .poll(
      async () => {
        const { items } = taken(await cordon.api.GET('/api/v1/behaviour', { params: { query: { type: 'person' } } }));
        const eve = items.find(({ key }) => key === KEY);
        return eve !== undefined && isThere(eve.score);
      },
      { timeout: 90_000, interval: 1_000 },
    )
    .toBe(true);
}

test('history comes in and becomes a baseline; a day unlike it raises an alert that explains itself', async () => {
  const body = { name: 'okta-main', product: 'okta', rateMax: 50_000, collect: null };
  const { credential } = taken(await cordon.api.POST('/api/v1/sources', { body }));
  const send = async (events: readonly unknown[]) => {
    const answer = await fetch(`${cordon.url}/ingest/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}` },
      body: events.map((event) => JSON.stringify(event)).join('\n'),
    });
    return answer.json();
  };
  const history = weeksOfWork();
  expect(await send(history)).toMatchObject({ accepted: history.length, dead_letters: 0 });
  const strange = Array.from({ length: 120 }, (_, at) =>
    signIn(`strange-${at}`, TODAY + at * 1_000, 'eve', {
      ip: '203.0.113.9',
      agent: 'python-requests/2.32',
      target: `app-${at}`,
    }),
  );
  expect(await send(strange)).toMatchObject({ accepted: strange.length });
  await scored((score) => score > 2);
  const found = taken(await cordon.api.GET('/api/v1/behaviour/entity', { params: { query: { key: KEY } } }));
  expect(found.state).toBe('known');
  expect(found.days[0]?.terms.map(({ feature }) => feature)).toEqual(
    expect.arrayContaining(['new-network', 'new-client', 'events']),
  );
  // The alert follows its score by a moment.
  const alerts = async () => {
    const query = { rule: 'cordon.behaviour' };
    const { items } = taken(await cordon.api.GET('/api/v1/alerts', { params: { query } }));
    return items.filter(({ entity }) => entity.id === 'eve@example.com').length;
  };
  await expect.poll(alerts, { timeout: 60_000, interval: 1_000 }).toBe(1);
});

test('a person sees who is riskiest and why, and opens the events of a term', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Behaviour', exact: true }).click();
  await page.getByRole('row', { name: /Eve.*Person/ }).waitFor();
  await tab.screenshots('behaviour');
  await page
    .getByRole('row', { name: /Eve.*Person/ })
    .getByRole('link')
    .click();
  await page.getByRole('row', { name: /New network/ }).waitFor();
  await tab.screenshots('behaviour-entity');
  const link = page.getByRole('row', { name: /New network/ }).getByRole('link', { name: 'Show events' });
  expect(decodeURIComponent((await link.getAttribute('href')) ?? '')).toContain('src_ip:203.0.113.0/24');
});

test('what was expected lowers the score, is shown, and is on record', async () => {
  const before = taken(await cordon.api.GET('/api/v1/behaviour/entity', { params: { query: { key: KEY } } }));
  await page.getByRole('button', { name: 'Say about New client' }).click();
  const dialog = page.getByRole('dialog', { name: /New client/ });
  await dialog.getByLabel('Reason').fill('The new export script.');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: /New client.*Expected.*The new export script/ }).waitFor();
  await scored((score) => score < before.score);
  const after = taken(await cordon.api.GET('/api/v1/behaviour/entity', { params: { query: { key: KEY } } }));
  expect(after.days[0]?.terms.map(({ feature }) => feature)).not.toContain('new-client');
  const { items } = taken(await cordon.api.GET('/api/v1/audit'));
  expect(items.map(({ action }) => action)).toContain('behaviour.feedback_given');
  expect(tab.errors).toEqual([]);
});
