import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTab, startBrowser } from './harness/browser.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, taken } from './harness/notes-integration.ts';
import { runCordon } from './harness/role-process.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * Cordon loses everything it has, and comes back from a backup of itself: the person signs in with the same passkey, the
 * integration's token and its policy hold, the audit trail and the Merkle log still check.
 */

const WAIT_MS_MAX = 60_000;
let cordon: RunningCordon;
let vendor: FakeVendor;
let browser: Browser;
let page: Page;
let outside: string;
let env: Record<string, string>;
const before = { token: '', log: '', key: '', records: 0, audit: 0, events: 0 };

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'cordon-outside-'));
  [cordon, vendor, browser] = await Promise.all([
    startCordon({ processes: 1, env: { OBJECTS_URL: `file:${join(outside, 'objects')}` } }),
    startVendor(),
    startBrowser(),
  ]);
  ({ page } = await openTab(browser));
  env = {
    CORDON_DATA_DIR: cordon.dataDir,
    CORDON_CONTROL_PORT: String(cordon.ports.control),
    OBJECTS_URL: `file:${join(outside, 'objects')}`,
  };
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await Promise.all([cordon?.stop(), vendor?.stop()]);
  await rm(outside, { recursive: true, force: true });
});

const run = (...args: string[]) => runCordon(args, env, outside);
async function good(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout.trim();
}
const call = async (path: string, method = 'GET'): Promise<number> => {
  const headers = { authorization: `Bearer ${before.token}`, 'content-type': 'application/json' };
  const body = method === 'POST' ? { body: '{}' } : {};
  const answer = await fetch(`${cordon.gateway}/notes${path}`, { method, headers, ...body });
  await answer.arrayBuffer();
  return answer.status;
};
const countEvents = async (): Promise<number> =>
  taken(await cordon.api.GET('/api/v1/events', { params: { query: { query: 'class:api-activity', limit: 100 } } }))
    .items.length;

test('a person, an integration with a token, calls, and an audit trail that is in the log', async () => {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
  const sync = await addIntegration(cordon, await addNotesApp(cordon, vendor), 'crm-sync', ['notes.get']);
  before.token = await sync.token();
  await eventually(async () => expect(await call('/notes/1')).toBe(200), WAIT_MS_MAX);
  expect(await call('/notes', 'POST')).toBe(403);
  await eventually(async () => expect(await countEvents()).toBeGreaterThanOrEqual(2), WAIT_MS_MAX);
  before.key = await eventually(() => good('proof', 'key'), WAIT_MS_MAX);
  await eventually(() => good('proof', 'checkpoint', '--out', join(outside, 'kept.txt')), WAIT_MS_MAX);
});

test('no backup of Cordon is taken before somebody holds a recovery key', async () => {
  const refused = await run('backup', 'self');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/recovery key first/);
  await good('backup', 'recovery-key', 'recovery.key', '--every', 'never');
  const first = JSON.parse(await good('backup', 'self')) as { records: number; storedBytes: number; problems: number };
  expect(first.problems).toBe(0);
  const second = JSON.parse(await good('backup', 'self')) as { storedBytes: number };
  expect(second.storedBytes).toBeLessThan(first.storedBytes);
  const status = JSON.parse(await good('backup', 'self', '--status')) as Record<string, unknown>;
  expect(status).toMatchObject({ besideData: false, recovery: { rpoMet: true } });
  before.events = await countEvents();
  before.audit = taken(await cordon.api.POST('/api/v1/audit/verify')).records;
});

test('a running Cordon, a place that is in use, and a wrong key are refused', async () => {
  const running = await run('restore', 'self', '--key', 'recovery.key', '--force');
  expect(running.stderr).toMatch(/runs already/);
  const elsewhere = await mkdtemp(join(tmpdir(), 'cordon-used-'));
  try {
    await good('backup', 'recovery-key', 'other.key', '--every', 'never');
    await good('backup', 'recovery-key', 'recovery.key', '--use', '--every', 'never');
    const away = { ...env, CORDON_DATA_DIR: elsewhere };
    const wrong = await runCordon(['restore', 'self', '--key', 'other.key'], away, outside);
    expect(wrong.stderr).toMatch(/opens nothing/);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
});

test('everything is lost, and comes back', async () => {
  const [pid = 0] = await cordon.pids('supervisor');
  process.kill(pid, 'SIGTERM');
  for (let waits = 0; waits < 600 && (await isThere(pid)); waits++) await setTimeout(100);
  const used = await run('restore', 'self', '--key', 'recovery.key');
  expect(used.stderr).toMatch(/is not empty/);
  const elsewhere = (await readFile(join(cordon.dataDir, 'postgres.location'), 'utf8').catch(() => '')).trim();
  if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
  await rm(cordon.dataDir, { recursive: true, force: true });
  const report = JSON.parse(await good('restore', 'self', '--key', 'recovery.key')) as Record<string, number>;
  expect(report['auditRecords']).toBeGreaterThan(0);
  expect(report['events']).toBeGreaterThanOrEqual(before.events);
  cordon = await cordon.restart();
});

const isThere = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => !text.includes(') Z '),
    () => false,
  );

test('the token and its policy hold at the gateway, and the events are there', async () => {
  await eventually(async () => expect(await call('/notes/2')).toBe(200), WAIT_MS_MAX);
  expect(await call('/notes', 'POST')).toBe(403);
  await eventually(async () => expect(await countEvents()).toBeGreaterThanOrEqual(before.events + 2), WAIT_MS_MAX);
});

test('the person signs in with the same passkey', async () => {
  await page.context().clearCookies();
  await page.goto(cordon.url);
  await page.getByRole('button', { name: /passkey/i }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Integrations' }).first().click();
  await page.getByRole('link', { name: 'crm-sync' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/integrations');
});

test('the audit trail is unbroken, and the log goes on from the checkpoint that somebody kept', async () => {
  expect(taken(await cordon.api.POST('/api/v1/audit/verify')).records).toBeGreaterThan(0);
  expect(await good('proof', 'key')).toBe(before.key);
  await eventually(() => good('proof', 'check'), WAIT_MS_MAX);
  await good('proof', 'export', '--out', join(outside, 'trail.ndjson'));
  const kept = ['--key', before.key, '--kept', 'kept.txt'];
  const verified = await runCordon(['proof', 'verify', join(outside, 'trail.ndjson'), ...kept], {}, outside);
  expect(verified.code, `verify said: ${verified.stderr}`).toBe(0);
});
