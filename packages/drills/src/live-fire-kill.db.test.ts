import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Actor,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  openWorkflowClient,
  systemClock,
  type WorkflowClient,
} from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDrillCommands, type DrillCommands } from './drill-commands.ts';
import { listEntries, listObjects, loadDrill } from './drill-store.ts';
import type { Drill } from './drill.ts';
import { NO_FACTS } from './facts.ts';
import { loadScenarios } from './load-scenarios.ts';
import { drillsMigrations } from './tables.ts';
import { TAG_FIELD } from './tag.ts';

/** Kills a real worker at every kind of act of a live fire; it goes on where it was, and the outside saw nothing new. */

const HERE = dirname(fileURLToPath(import.meta.url));
const ADA: Actor = { kind: 'person', id: 'ada', name: 'Ada', roles: ['owner'] };
const POLL_MS = 40;
const WAITS_MAX = 2_000;

let made: TestDatabase;
let client: WorkflowClient;
let commands: DrillCommands;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, drillsMigrations]);
  // The first worker makes the tables of the workflow engine.
  const first = startWorker('http://127.0.0.1:9');
  if (first.stdout) await once(first.stdout, 'data');
  await end(first);
  client = await openWorkflowClient({ databaseUrl: made.url, logger: createTestLogger() });
  const scenarios = await loadScenarios(join(HERE, '../../../content/scenarios'));
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
  commands = createDrillCommands({ db: made.db, clock: systemClock, envelope, workflows: client, scenarios });
});
afterAll(async () => {
  await client.close();
  await made.drop();
});

function startWorker(address: string): ChildProcess {
  return spawn(process.execPath, [join(HERE, 'kill-test-process.ts'), made.url, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function end(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
}

/** The outside: drops the first connection of each act of these names, as a kill does, then lets it pass. */
class Outside {
  readonly seen: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly #killAt: Set<string>;
  readonly #server: Server;
  /** Resolves with the name of the act in which the worker is to be killed. */
  held = Promise.withResolvers<string>();
  isCut = false;

  constructor(killAt: readonly string[]) {
    this.#killAt = new Set(killAt);
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // listening on a port
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const args = JSON.parse((await request.toArray()).join('')) as unknown[];
    const name = (request.url ?? '').slice(1);
    this.seen.push({ name, args });
    if (this.#killAt.delete(name)) {
      this.held.resolve(name);
      return;
    }
    response.end(JSON.stringify({ value: this.#value(name) ?? null }));
  }

  #value(name: string): unknown {
    if (name === 'makeVictim') return { integrationId: 'integration', appName: 'app', token: 'stolen' };
    if (name === 'makeSource') return { id: 'source', credential: 'credential' };
    if (name === 'deliver') return { accepted: 3, deadLetters: 0 };
    if (name === 'gateways') return ['http://g1', 'http://g2'];
    if (name === 'call') return { status: this.isCut ? 401 : 200, ms: 1 };
    if (name === 'approve') this.isCut = true;
    if (name === 'settle') return { alerts: 1, cases: 1, runs: 1 };
    return name === 'observe' ? this.#facts() : null;
  }

  #facts() {
    const at = Date.now();
    const rules = ['salesforce.connected-app-used', 'salesforce.bulk-api-job', 'cordon.scope-probing'];
    const run = {
      id: 'run',
      playbook: 'Stolen OAuth token',
      triggers: ['contain-integration'],
      missing: [],
      caseId: 'c',
    };
    return {
      ...NO_FACTS,
      alerts: rules.map((ruleId) => ({ id: ruleId, ruleId, title: ruleId, level: 'high', createdAt: at })),
      runs: [
        {
          ...run,
          status: this.isCut ? 'running' : 'proposed',
          proposed: { at, seq: 1 },
          approved: this.isCut ? { at, seq: 2, by: 'drill' } : null,
        },
      ],
      cutOffs: this.isCut
        ? [
            {
              integrationId: 'integration',
              decided: { at, seq: 3 },
              reached: { at, seq: 4 },
              gateways: [{ id: 'g', pid: 1, delayMs: 5 }],
            },
          ]
        : [],
      messages: [{ id: 'm', channel: 'incidents', at, status: 'held' }],
    };
  }
}

async function untilOver(id: string): Promise<Drill> {
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    const drill = await loadDrill(made.db, id);
    if (drill.endedAt !== null) return drill;
    await pause(POLL_MS);
  }
  throw new Error(`the drill did not end: ${JSON.stringify((await listEntries(made.db, id)).at(-1))}`);
}

async function play(killAt: readonly string[]) {
  const outside = new Outside(killAt);
  const address = await outside.start();
  const input = { scenario: 'salesloft-drift-2025', mode: 'live-fire', decide: 'drill' } as const;
  const { id } = await commands.start(ADA, (await commands.create(ADA, input)).id);
  let worker = startWorker(address);
  let kills = 0;
  for (const _ of killAt) {
    await outside.held.promise;
    outside.held = Promise.withResolvers<string>();
    await end(worker);
    kills += 1;
    worker = startWorker(address);
  }
  const drill = await untilOver(id);
  await end(worker);
  await outside.stop();
  return { drill, outside, kills, id };
}

const keysOf = async (id: string): Promise<string[]> => (await listEntries(made.db, id)).map(({ key }) => key).sort();

test('a live fire that is killed in every act ends as an undisturbed one', async () => {
  const calm = await play([]);
  expect([calm.drill.status, calm.drill.error]).toEqual(['ended', null]);
  const hard = await play(['makeVictim', 'deliver', 'call', 'observe', 'approve', 'settle', 'remove']);
  expect(hard.kills).toBe(7);
  expect([hard.drill.status, hard.drill.error]).toEqual(['ended', null]);
  expect(await keysOf(hard.id)).toEqual(await keysOf(calm.id));
  expect((await listObjects(made.db, hard.id)).filter(({ removedAt }) => removedAt === null)).toEqual([]);
  // The same records each time: the lake counts them once.
  const delivered = hard.outside.seen
    .filter(({ name }) => name === 'deliver')
    .map(({ args }) => JSON.stringify(args[1]));
  expect(delivered.length).toBe(2);
  expect(new Set(delivered).size).toBe(1);
  expect(delivered[0]).toContain(`"${TAG_FIELD}":"v1.${hard.id}.`);
  // Seven deaths cost time, so not everything may be in time; but everything came.
  const never = hard.drill.score?.checks.filter(({ kind, tookMs }) => kind !== 'held' && tookMs === null);
  expect(never).toEqual([]);
}, 120_000);

test('an abort in the middle takes away what was made, and counts in no figure', async () => {
  const outside = new Outside([]);
  const address = await outside.start();
  const input = { scenario: 'stolen-oauth-token', mode: 'live-fire', decide: 'person' } as const;
  const { id } = await commands.start(ADA, (await commands.create(ADA, input)).id);
  const other = await commands.create(ADA, input);
  await expect(commands.start(ADA, other.id)).rejects.toThrow('Another live fire runs');
  const worker = startWorker(address);
  for (let waits = 0; waits < WAITS_MAX && !(await keysOf(id)).includes('started'); waits++) await pause(POLL_MS);
  await commands.stop(ADA, id, { abort: true, reason: 'A real incident began.' });
  const drill = await untilOver(id);
  await end(worker);
  await outside.stop();
  expect([drill.status, drill.stopReason]).toEqual(['aborted', 'A real incident began.']);
  expect((await listObjects(made.db, id)).map(({ removedAt }) => removedAt === null)).not.toContain(true);
  expect(outside.seen.filter(({ name }) => name === 'remove').length).toBeGreaterThanOrEqual(3);
  await commands.stop(ADA, other.id, { abort: true, reason: 'not needed' });
}, 60_000);
