import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@cordon/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { createFleet, type Fleet, ROLE_NAMES } from './harness/fleet.ts';
import { addIntegration, addNotesApp, eventually, taken } from './harness/notes-integration.ts';
import { runCordon } from './harness/role-process.ts';
import type { RunningCordon } from './harness/running-cordon.ts';

/**
 * The procedure of docs/guide/backup.md for a fleet: control, worker and two gateways are killed, the database, the lake
 * and every data directory are gone; from the repository and the recovery key everything is brought back, and both
 * gateways enforce what they enforced.
 */

const WAIT_MS_MAX = 60_000;
const SETUP_MS_MAX = 400_000;
let fleet: Fleet;
let vendor: FakeVendor;
let outside: string;
let api: ApiClient;
let token: string;
const before = { audit: 0, events: 0 };

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'cordon-outside-'));
  [fleet, vendor] = await Promise.all([
    createFleet({ OBJECTS_URL: `file:${join(outside, 'objects')}` }),
    startVendor(),
  ]);
  await fleet.migrate();
  await fleet.start(...ROLE_NAMES);
}, SETUP_MS_MAX);
afterAll(async () => {
  await Promise.all([fleet?.stop(), vendor?.stop()]);
  await rm(outside, { recursive: true, force: true });
});

const call = async (gateway: number, path: string, method = 'GET'): Promise<number> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = method === 'POST' ? { body: '{}' } : {};
  const answer = await fetch(`${fleet.gateways[gateway]}/notes${path}`, { method, headers, ...body });
  await answer.arrayBuffer();
  return answer.status;
};
const enforced = async (): Promise<number[]> =>
  Promise.all([0, 1].flatMap((gateway) => [call(gateway, '/notes/1'), call(gateway, '/notes', 'POST')]));
const countEvents = async (): Promise<number> =>
  taken(await api.GET('/api/v1/events', { params: { query: { query: 'class:api-activity', limit: 100 } } })).items
    .length;

async function good(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await runCordon(args, { ...fleet.operatorEnv, ...more }, outside);
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout.trim();
}

test('a fleet enforces, records, and is backed up', async () => {
  const operator = await fleet.operator();
  ({ api } = operator);
  const cordon = { url: fleet.url, api } as RunningCordon; // what the steps below use of it
  const sync = await addIntegration(cordon, await addNotesApp(cordon, vendor), 'crm-sync', ['notes.get']);
  token = await sync.token();
  await eventually(async () => expect(await enforced()).toEqual([200, 403, 200, 403]), WAIT_MS_MAX);
  await eventually(async () => expect(await countEvents()).toBeGreaterThanOrEqual(4), WAIT_MS_MAX);
  const reach = { CORDON_URL: fleet.url, CORDON_TOKEN: operator.token };
  await good(['backup', 'recovery-key', 'recovery.key', '--every', 'never'], reach);
  before.events = await countEvents();
  const taken_ = JSON.parse(await good(['backup', 'self'], reach)) as { problems: number };
  expect(taken_.problems).toBe(0);
  before.audit = taken(await api.POST('/api/v1/audit/verify')).records;
  // Decided after the backup: the restored state can't know of it.
  const params = { path: { id: sync.id } };
  taken(await api.POST('/api/v1/integrations/{id}/revoke', { params, body: { reason: 'after the backup' } }));
  await eventually(async () => expect(await enforced()).toEqual([401, 401, 401, 401]), WAIT_MS_MAX);
});

test('everything is lost, and the fleet comes back from the repository and the recovery key', async () => {
  await fleet.kill(...ROLE_NAMES);
  await fleet.replaceEngines();
  for (const name of [...ROLE_NAMES, 'operator', 'restore'])
    await rm(join(fleet.folder, name), { recursive: true, force: true });
  await mkdir(join(fleet.folder, 'restore'));
  const restored = await good(['restore', 'self', '--key', 'recovery.key'], {
    CORDON_DATA_DIR: join(fleet.folder, 'restore'),
  });
  const report = JSON.parse(restored) as Record<string, number>;
  expect(report['auditRecords']).toBeGreaterThan(0);
  expect(report['events']).toBeGreaterThanOrEqual(before.events);
  await fleet.migrate();
  await fleet.start(...ROLE_NAMES);
});

test('both gateways hold the policy of the backup, and what was decided after it is to be decided again', async () => {
  ({ api } = await fleet.operator());
  await eventually(async () => expect(await enforced()).toEqual([200, 403, 200, 403]), WAIT_MS_MAX);
  const { items } = taken(await api.GET('/api/v1/gateways'));
  expect(items.filter(({ live }) => live).length).toBe(2);
  expect(taken(await api.POST('/api/v1/audit/verify')).records).toBeGreaterThanOrEqual(before.audit);
  await eventually(async () => expect(await countEvents()).toBeGreaterThanOrEqual(before.events + 4), WAIT_MS_MAX);
  const [sync] = taken(await api.GET('/api/v1/integrations')).items.filter(({ name }) => name === 'crm-sync');
  const params = { path: { id: sync?.id ?? '' } };
  taken(await api.POST('/api/v1/integrations/{id}/revoke', { params, body: { reason: 'decided again' } }));
  await eventually(async () => expect(await enforced()).toEqual([401, 401, 401, 401]), WAIT_MS_MAX);
});
