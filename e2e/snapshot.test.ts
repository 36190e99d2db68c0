import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlProxy, startControlProxy } from './harness/control-proxy.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { freePorts } from './harness/free-ports.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { openOwnDatabase } from './harness/own-database.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** What gateways decide from: reaches every process in time, outlives control, and can't be replaced on disk. */

const PROCESSES = 3;
const ROUNDS = 4;
const REVOKED_MS_MAX = 1_000;
const WAIT_MS_MAX = 60_000;
/** Long enough for every other test on a slow machine, short enough to wait for in the last one. */
const STALE_AFTER_S = 25;

let cordon: RunningCordon;
let vendor: FakeVendor;
let proxy: ControlProxy;
let appId: string;
let sibling: { integration: Integration; token: string };

beforeAll(async () => {
  const proxyPort = await freePorts(1);
  vendor = await startVendor();
  // The proxy must stand before the first gateway starts, so it is made when the ports are known.
  const started = Promise.withResolvers<ControlProxy>();
  cordon = await startCordon({
    processes: PROCESSES,
    env: (ports) => {
      if (!proxy) startControlProxy(proxyPort, ports.control).then(started.resolve, started.reject);
      return {
        CORDON_CONTROL_INTERNAL_URL: `http://127.0.0.1:${proxyPort}`,
        CORDON_GATEWAY_STALE_AFTER_HOURS: String(STALE_AFTER_S / 3_600),
      };
    },
  });
  proxy = await started.promise;
  appId = await addNotesApp(cordon, vendor);
  sibling = await makeCaller('sibling');
});
afterAll(async () => {
  await cordon?.stop();
  await proxy?.stop();
  await vendor?.stop();
});

/** Registers an integration with a token that every gateway process has served. */
async function makeCaller(name: string): Promise<{ integration: Integration; token: string }> {
  const integration = await addIntegration(cordon, appId, name, ['notes.get']);
  const token = await integration.token();
  await eventually(() => expectEverywhere(token, 200), WAIT_MS_MAX);
  return { integration, token };
}

/** What each process answers; 0 for one that doesn't. */
async function statusesOf(token: string): Promise<number[]> {
  return Promise.all(
    cordon.gateways.map(async (gateway) => {
      try {
        const response = await fetch(`${gateway}/notes/notes/1`, { headers: { authorization: `Bearer ${token}` } });
        await response.arrayBuffer();
        return response.status;
      } catch {
        return 0;
      }
    }),
  );
}

async function expectEverywhere(token: string, status: number): Promise<void> {
  expect(await statusesOf(token)).toEqual(Array<number>(PROCESSES).fill(status));
}

/** Revokes, waits until every process refuses, and returns the delays that the product measured of itself. */
async function revokeAndMeasure(name: string, before: () => Promise<void> = async () => undefined): Promise<number[]> {
  const { integration, token } = await makeCaller(name);
  await before();
  const params = { path: { id: integration.id } };
  taken(await cordon.api.POST('/api/v1/integrations/{id}/revoke', { params, body: { reason: 'a stolen token' } }));
  await eventually(() => expectEverywhere(token, 401), WAIT_MS_MAX);
  await expectEverywhere(sibling.token, 200);
  return eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/integrations/{id}/cut-offs', { params }));
    const delays = items[0]?.gateways.map(({ delayMs }) => delayMs) ?? [];
    expect(delays).toHaveLength(PROCESSES);
    return delays;
  }, WAIT_MS_MAX);
}

/** Every process in every round, not an average: the slowest gateway is where a stolen token still works. */
function slowestOf(delays: readonly number[]): number {
  expect(delays).toHaveLength(PROCESSES * ROUNDS);
  return Math.max(...delays);
}

test('a revocation is in force at every gateway process within a second, and siblings go on', async () => {
  const delays: number[] = [];
  for (let round = 0; round < ROUNDS; round++) delays.push(...(await revokeAndMeasure(`stolen-${round}`)));
  expect(slowestOf(delays), `delays in ms: ${delays.join(', ')}`).toBeLessThan(REVOKED_MS_MAX);
});

test('also when the database’s notification is lost', async () => {
  const database = await openOwnDatabase(cordon.dataDir);
  try {
    const delays: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const cut = async (): Promise<void> => {
        // After the round before, control needs a moment to listen again: only then is there something to lose.
        await eventually(async () => {
          const { rowCount } = await database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cordon listen cordon_snapshot'",
          );
          expect(rowCount, 'control listened').toBeGreaterThan(0);
        }, WAIT_MS_MAX);
      };
      delays.push(...(await revokeAndMeasure(`unheard-${round}`, cut)));
    }
    expect(slowestOf(delays), `delays in ms: ${delays.join(', ')}`).toBeLessThan(REVOKED_MS_MAX);
  } finally {
    await database.end();
  }
});

test('also when the stream to the gateways carries nothing', async () => {
  const delays: number[] = [];
  proxy.mute();
  try {
    await eventually(async () => expect(proxy.silent()).toBe(PROCESSES), WAIT_MS_MAX);
    for (let round = 0; round < ROUNDS; round++) delays.push(...(await revokeAndMeasure(`silent-${round}`)));
    expect(proxy.silent(), 'no stream told of it').toBe(PROCESSES);
  } finally {
    proxy.unmute();
  }
  expect(slowestOf(delays), `delays in ms: ${delays.join(', ')}`).toBeLessThan(REVOKED_MS_MAX);
});

const snapshotFolder = (): string => join(cordon.dataDir, 'gateway', 'snapshot');

/** Kills every gateway process and changes the disk before the supervisor can start them again. */
async function restartGateways(change: () => Promise<void>): Promise<void> {
  const [supervisor] = await cordon.pids('supervisor');
  process.kill(supervisor ?? 0, 'SIGSTOP');
  try {
    for (const pid of await cordon.pids('gateway')) process.kill(pid, 'SIGKILL');
    await change();
  } finally {
    process.kill(supervisor ?? 0, 'SIGCONT');
  }
}

async function waitForGateways(): Promise<void> {
  await eventually(async () => {
    for (let index = 0; index < PROCESSES; index++) {
      const ready = await fetch(`http://127.0.0.1:${cordon.ports.metrics + index}/readyz`);
      expect(ready.status).toBe(200);
    }
  }, WAIT_MS_MAX);
}

test('a tampered snapshot on disk is refused at start, and the gateway recovers from control', async () => {
  await restartGateways(async () => {
    for (const name of await readdir(snapshotFolder())) {
      if (!/\.(full|delta)$/.test(name)) continue;
      const file = join(snapshotFolder(), name);
      const text = await readFile(file, 'utf8');
      const tampered = text.replaceAll(sibling.integration.id, '00000000-0000-7000-8000-000000000000');
      await writeFile(file, tampered === text ? text.replace(/\d/, (digit) => String(9 - Number(digit))) : tampered);
    }
  });
  await waitForGateways();
  expect(cordon.log()).toContain('a stored snapshot does not verify and is ignored');
  await eventually(() => expectEverywhere(sibling.token, 200), WAIT_MS_MAX);
});

test('an older snapshot on disk brings nobody back', async () => {
  const { integration, token } = await makeCaller('rolled-back');
  const older = join(cordon.dataDir, 'older-snapshot');
  await cp(snapshotFolder(), older, { recursive: true });
  const params = { path: { id: integration.id } };
  taken(await cordon.api.POST('/api/v1/integrations/{id}/revoke', { params, body: { reason: 'a stolen token' } }));
  await eventually(() => expectEverywhere(token, 401), WAIT_MS_MAX);
  await restartGateways(async () => {
    await rm(snapshotFolder(), { recursive: true });
    await cp(older, snapshotFolder(), { recursive: true });
  });
  // From the first answer on: a process that can ask control serves nobody before it has what control has.
  const seen = new Set<number>();
  await eventually(async () => {
    for (const status of await statusesOf(token)) seen.add(status);
    expect(await statusesOf(sibling.token)).toEqual(Array<number>(PROCESSES).fill(200));
  }, WAIT_MS_MAX);
  seen.delete(0);
  expect([...seen]).toEqual([401]);
});

test('with control frozen traffic goes on at every process, until what is known is too old', async () => {
  const [control] = await cordon.pids('control');
  const frozenAt = Date.now();
  process.kill(control ?? 0, 'SIGSTOP');
  try {
    let rounds = 0;
    while (Date.now() - frozenAt < (STALE_AFTER_S * 1_000) / 2) {
      await expectEverywhere(sibling.token, 200);
      rounds += 1;
    }
    expect(rounds).toBeGreaterThan(10);
    // Fails closed: not before the limit, and then at every process.
    await eventually(() => expectEverywhere(sibling.token, 503), WAIT_MS_MAX);
    expect(Date.now() - frozenAt).toBeGreaterThan((STALE_AFTER_S - 3) * 1_000);
  } finally {
    process.kill(control ?? 0, 'SIGCONT');
  }
  await eventually(() => expectEverywhere(sibling.token, 200), WAIT_MS_MAX);
});
