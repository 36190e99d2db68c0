import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from '@cordon/client';
import { createLogger, type EmbeddedPostgres, startEmbeddedPostgres } from '@cordon/kernel';
import { type LakeProcess, spawnLake } from '@cordon/lake';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, taken } from './harness/notes-integration.ts';
import { type RoleProcess, runCordon, startRole } from './harness/role-process.ts';
import type { RunningCordon } from './harness/running-cordon.ts';

/**
 * A fleet on one machine: every role is a process of its own that knows only its environment, PostgreSQL and the lake
 * are nobody's children, and each gateway has a data directory of its own, as if on another machine.
 */

const WAIT_MS_MAX = 60_000;
const logger = createLogger({ role: 'test', level: 'warn' });
/** Linux answers on all of 127/8: what listens here doesn't listen on the default address. */
const WORKER_HOST = '127.0.0.2';

let folder: string;
let postgres: EmbeddedPostgres;
let lake: LakeProcess;
let vendor: FakeVendor;
let ports: number;
let shared: Record<string, string>;
let engines: Record<string, string>;
const lakePassword = randomBytes(24).toString('base64url');
const roles = new Map<string, RoleProcess>();
let token = '';

const port = (offset: number): number => ports + offset;
const startDatabase = () => startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), logger });
const startLake = (at: number) =>
  spawnLake({ dataDir: join(folder, 'lake'), port: at, password: lakePassword, username: 'fleet', logger });

const gatewayEnv = (index: number): Record<string, string> => ({
  ...shared,
  CORDON_DATA_DIR: join(folder, `gateway-${index}`),
  CORDON_GATEWAY_PORT: String(port(10 + index * 5)),
  CORDON_GATEWAY_PLAIN_PORT: String(port(11 + index * 5)),
  CORDON_GATEWAY_METRICS_PORT: String(port(12 + index * 5)),
});
const gatewayUrl = (index: number): string => `http://127.0.0.1:${port(11 + index * 5)}`;
const health = {
  control: () => `http://127.0.0.1:${port(0)}`,
  worker: () => `http://${WORKER_HOST}:${port(1)}`,
  'gateway-0': () => `http://127.0.0.1:${port(12)}`,
  'gateway-1': () => `http://127.0.0.1:${port(17)}`,
} as const;

async function ask(name: keyof typeof health, path: 'healthz' | 'readyz'): Promise<number> {
  return (await fetch(`${health[name]()}/${path}`, { signal: AbortSignal.timeout(20_000) })).status;
}

function call(index: number, note = '1', bearer = token): Promise<Response> {
  return fetch(`${gatewayUrl(index)}/notes/notes/${note}`, { headers: { authorization: `Bearer ${bearer}` } });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cordon-fleet-'));
  await mkdir(join(folder, 'postgres'));
  [postgres, lake, vendor, ports] = await Promise.all([startDatabase(), startLake(0), startVendor(), freePorts(24)]);
  shared = {
    CORDON_LOG_LEVEL: 'info',
    CORDON_KEK: randomBytes(32).toString('base64'),
    CORDON_INTERNAL_KEY: randomBytes(32).toString('base64url'),
    CORDON_CONTROL_PORT: String(port(0)),
    CORDON_CONTROL_MTLS_PORT: '0',
    CORDON_CONTROL_INTERNAL_URL: `http://127.0.0.1:${port(0)}`,
    CORDON_WORKER_INTERNAL_URL: `http://${WORKER_HOST}:${port(1)}`,
  };
  engines = {
    DATABASE_URL: postgres.url,
    CLICKHOUSE_URL: `http://fleet:${lakePassword}@127.0.0.1:${lake.port}/cordon`,
  };
});

afterAll(async () => {
  await Promise.all([...roles.values()].map((role) => role.stop()));
  await Promise.all([lake?.stop(), postgres?.stop(), vendor?.stop()]);
  if (!folder) return;
  const elsewhere = (await readFile(join(folder, 'postgres', 'postgres.location'), 'utf8').catch(() => '')).trim();
  if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

async function start(name: string, role: string, env: Record<string, string>): Promise<RoleProcess> {
  const running = await startRole(role, env, folder);
  roles.set(name, running);
  return running;
}

test.each([
  ['control', /DATABASE_URL, CLICKHOUSE_URL, CORDON_KEK, CORDON_INTERNAL_KEY/],
  ['gateway', /CORDON_KEK, CORDON_INTERNAL_KEY, CORDON_CONTROL_INTERNAL_URL, CORDON_WORKER_INTERNAL_URL/],
  ['migrate', /DATABASE_URL/],
])('role %s alone says what it lacks and makes nothing up', async (role, needs) => {
  const dataDir = join(folder, `bare-${role}`);
  const { code, stderr } = await runCordon(['role', role], { CORDON_DATA_DIR: dataDir }, folder);
  expect(stderr).toMatch(needs);
  expect(code).toBe(64);
  await expect(readFile(join(dataDir, 'kek'))).rejects.toThrow('ENOENT');
});

test.each(['control', 'worker'])('role %s ends when an engine is away at its start, and says so', async (role) => {
  const away = { ...engines, DATABASE_URL: 'postgres://cordon:x@127.0.0.1:9/cordon' };
  const env = { ...shared, ...away, CORDON_DATA_DIR: join(folder, `early-${role}`) };
  const { code, stdout } = await runCordon(['role', role], env, folder);
  expect(code).toBe(70);
  expect(stdout).toContain('the role could not start');
  expect(stdout).toContain('ECONNREFUSED');
});

test('migrate, control, worker and two gateways start alone, and a call passes at both gateways', async () => {
  for (const round of ['first', 'again']) {
    const { code, stdout, stderr } = await runCordon(['role', 'migrate'], { ...shared, ...engines }, folder);
    expect(code, `${round}: ${stdout}${stderr}`).toBe(0);
  }
  await Promise.all([
    start('control', 'control', {
      ...shared,
      ...engines,
      CORDON_DATA_DIR: join(folder, 'control'),
      CORDON_OPERATOR_ACCESS: 'none',
    }),
    start('worker', 'worker', {
      ...shared,
      ...engines,
      CORDON_DATA_DIR: join(folder, 'worker'),
      CORDON_WORKER_HOST: WORKER_HOST,
      CORDON_WORKER_PORT: String(port(1)),
    }),
    start('gateway-0', 'gateway', gatewayEnv(0)),
    start('gateway-1', 'gateway', gatewayEnv(1)),
  ]);
  await expect(readFile(join(folder, 'control', 'operator.token'))).rejects.toThrow('ENOENT');
  const operator = await runCordon(
    ['role', 'operator', '--hours', '1'],
    { ...shared, ...engines, CORDON_DATA_DIR: join(folder, 'operator') },
    folder,
  );
  expect(operator.code, `role operator said: ${operator.stderr}`).toBe(0);
  expect(operator.stderr).toContain('First sign-in');
  const cordon = {
    url: health.control(),
    api: createApiClient({ baseUrl: health.control(), token: operator.stdout.trim() }),
  } as RunningCordon; // what the steps below use of it
  const integration = await addIntegration(cordon, await addNotesApp(cordon, vendor), 'fleet-reader', ['notes.get']);
  token = await integration.token();
  await eventually(async () => {
    for (const index of [0, 1]) expect((await call(index)).status).toBe(200);
  }, WAIT_MS_MAX);
  expect(vendor.violations()).toBe(0);
  // Both report under names of their own, and the worker on its other address took the events of both.
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/gateways'));
    expect(new Set(items.filter((one) => one.live).map((one) => one.gatewayId.split('/')[0])).size).toBe(2);
    const query = { query: 'class:api-activity decision:allow', limit: 10 };
    const events = taken(await cordon.api.GET('/api/v1/events', { params: { query } })).items;
    const gateways = events.map(({ event }) => JSON.stringify(event).match(/"gateway(?:_id|Id)?":"([^"]+)"/)?.[1]);
    expect(new Set(gateways).size).toBe(2);
  }, WAIT_MS_MAX);
});

test('readiness tells the truth while the lake is away, and traffic goes on', async () => {
  for (const name of ['control', 'worker', 'gateway-0', 'gateway-1'] as const)
    expect(await ask(name, 'readyz')).toBe(200);
  const { port: lakePort } = lake;
  await lake.stop();
  await eventually(async () => {
    expect(await ask('control', 'readyz')).toBe(503);
    expect(await ask('worker', 'readyz')).toBe(503);
  }, WAIT_MS_MAX);
  for (const name of ['control', 'worker', 'gateway-0'] as const) expect(await ask(name, 'healthz')).toBe(200);
  expect(await ask('gateway-0', 'readyz')).toBe(200);
  expect((await call(0)).status).toBe(200);
  lake = await startLake(lakePort);
  await eventually(async () => {
    expect(await ask('control', 'readyz')).toBe(200);
    expect(await ask('worker', 'readyz')).toBe(200);
  }, WAIT_MS_MAX);
});

test('readiness tells the truth while PostgreSQL is away, and traffic goes on', async () => {
  await postgres.stop();
  await eventually(async () => {
    expect(await ask('control', 'readyz')).toBe(503);
    expect(await ask('worker', 'readyz')).toBe(503);
  }, WAIT_MS_MAX);
  expect(await ask('control', 'healthz')).toBe(200);
  expect(await ask('gateway-1', 'readyz')).toBe(200);
  expect((await call(1)).status).toBe(200);
  postgres = await startDatabase();
  await eventually(async () => {
    expect(await ask('control', 'readyz')).toBe(200);
    expect(await ask('worker', 'readyz')).toBe(200);
  }, WAIT_MS_MAX);
});

test('SIGTERM lets a call in flight finish, refuses new ones and ends with 0', async () => {
  const gateway = roles.get('gateway-0');
  const held = vendor.hold();
  const slow = call(0, 'held-1');
  await held.waiting;
  const stopped = gateway?.stop();
  await eventually(async () => expect(await ask('gateway-0', 'readyz')).toBe(503), WAIT_MS_MAX);
  await expect(call(0)).rejects.toThrow('fetch failed');
  expect((await call(1)).status).toBe(200);
  held.release();
  const response = await slow;
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ id: 'held-1', text: 'note held-1' });
  expect(await stopped).toEqual({ code: 0, signal: null });
});

test('a second worker stands by, and takes over when the first is killed', async () => {
  const second = `http://${WORKER_HOST}:${port(2)}/readyz`;
  const env = {
    ...shared,
    ...engines,
    CORDON_DATA_DIR: join(folder, 'worker-2'),
    CORDON_WORKER_HOST: WORKER_HOST,
    CORDON_WORKER_PORT: String(port(2)),
  };
  const standby = await startRole('worker', env, folder, 'another process holds the lease');
  await expect(fetch(second)).rejects.toThrow('fetch failed');
  process.kill(roles.get('worker')?.pid ?? 0, 'SIGKILL');
  roles.set('worker', standby);
  await eventually(async () => expect((await fetch(second)).status).toBe(200), WAIT_MS_MAX);
});

test.each(['gateway-1', 'worker', 'control'])('%s ends with 0 on SIGTERM', async (name) => {
  expect(await roles.get(name)?.stop()).toEqual({ code: 0, signal: null });
});
