import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Actor,
  kernelMigrations,
  migrate,
  openWorkflowClient,
  systemClock,
  type WorkflowClient,
} from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActionTable } from '../actions/action-table.ts';
import { neededInputs } from '../cacao/variables.ts';
import { openCase } from '../cases/case-commands.ts';
import { incidentsMigrations } from '../tables.ts';
import { createFakeOutside, type FakeOutside } from '../testing.ts';
import { createPlaybookLibrary, loadReadyPlaybooks } from './playbook-library.ts';
import { createRunCommands, type RunCommands } from './run-commands.ts';
import { listActs, loadRun } from './run-store.ts';

/**
 * Kills a real worker at every act of every ready playbook: once before the outside has done it, once after it has
 * done it but before anybody wrote that down. In the end each run is where an undisturbed one is, and the outside has
 * done each act once.
 */

const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = join(HERE, '../../../../content/playbooks');
const POLL_MS = 40;
const ROUNDS_MAX = 60;
const ADA: Actor = { kind: 'person', id: 'ada', name: 'Ada', roles: ['owner'] };
const bob = (): Actor => ({
  kind: 'person',
  id: 'bob',
  name: 'Bob',
  roles: ['owner'],
  strongAuthAt: systemClock.now(),
});

let made: TestDatabase;
let client: WorkflowClient;
let commands: RunCommands;
const ready = loadReadyPlaybooks(FOLDER);
const actions = createActionTable();

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
  // The first worker makes the tables of the workflow engine.
  const first = startWorker('http://127.0.0.1:9');
  if (first.stdout) await once(first.stdout, 'data');
  first.kill('SIGKILL');
  await once(first, 'exit');
  client = await openWorkflowClient({ databaseUrl: made.url, logger: createTestLogger() });
  const library = createPlaybookLibrary({ db: made.db, clock: systemClock, actions, folder: FOLDER });
  commands = createRunCommands({ db: made.db, clock: systemClock, workflows: client, library, actions });
});
afterAll(async () => {
  await client.close();
  await made.drop();
});

interface Held {
  readonly tag: string;
  /** Does what was asked, where it is to be killed after; then drops the connection. */
  readonly drop: () => Promise<void>;
}

/** The outside: holds each new act twice for the kill, then lets it pass. Everything that it did is in `done`. */
class Outside {
  readonly done: string[] = [];
  readonly worlds = new Map<string, FakeOutside>();
  readonly held: Held[] = [];
  readonly #seen = new Map<string, number>();
  readonly #server: Server;
  readonly isKilling: boolean;

  constructor(isKilling: boolean) {
    this.isKilling = isKilling;
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
    const text = (await request.toArray()).join('');
    const [, kind = '', ...path] = (request.url ?? '').split('/');
    const ruleName = /playbook-(?:read-only|limit)-[0-9a-f]{16}/.exec(text)?.[0];
    const owner = [...this.worlds].find(([, one]) => [...one.rules].some((rule) => rule.endsWith(ruleName ?? '-')));
    const tag =
      [...this.worlds.keys()].find((one) => text.includes(one)) ?? owner?.[0] ?? this.worlds.keys().next().value;
    const world = tag === undefined ? undefined : this.worlds.get(tag);
    if (tag === undefined || !world) {
      response.writeHead(404).end(`nobody is meant by ${text}`);
      return;
    }
    const perform = async (): Promise<unknown> => {
      let at: unknown = kind === 'reads' ? world.transport.reads : world.transport.acts;
      for (const name of path) at = (at as Record<string, unknown>)[name]; // a path into the ports
      return (at as (...args: unknown[]) => Promise<unknown>)(...(JSON.parse(text) as unknown[])); // a port's function
    };
    const act = `${path.join('.')} ${text.replaceAll(/\[playbook .*?\]/g, '')}`;
    const seen = this.#seen.get(act) ?? 0;
    if (kind === 'acts' && this.isKilling && seen < 2) {
      this.#seen.set(act, seen + 1);
      this.held.push({
        tag,
        drop: async () => {
          if (seen === 1) {
            await perform();
            this.done.push(act);
          }
          request.socket.destroy();
        },
      });
      return;
    }
    const value = await perform();
    if (kind === 'acts') this.done.push(act);
    response.end(JSON.stringify({ value: value ?? null }));
  }
}

interface Started {
  readonly tag: string;
  readonly runId: string;
  readonly name: string;
}

async function startAll(outside: Outside, round: string): Promise<Started[]> {
  return Promise.all(
    ready.map(async (playbook, index) => {
      const tag = `${round}-${index}-x`;
      const world = createFakeOutside({
        integrations: [{ id: `i-${tag}`, name: `sync-${tag}`, status: 'active', statusReason: null, assurance: 'm0' }],
        people: [
          { id: `p-${tag}`, name: 'Eve', email: `${tag}@example.com`, status: 'active', sessions: 2, factors: 1 },
        ],
      });
      outside.worlds.set(tag, world);
      const values: Readonly<Record<string, string>> = {
        __integration__: `sync-${tag}`,
        __person__: `${tag}@example.com`,
      };
      const inputs = Object.fromEntries(neededInputs(playbook).map((name) => [name, values[name] ?? `app-${tag}`]));
      const opened = await made.db.transaction((tx) =>
        openCase(tx, ADA, { title: playbook.name, severity: 'high' }, systemClock.now()),
      );
      const run = await commands.start(ADA, { playbook: playbook.id, inputs, caseId: opened.id });
      outside.worlds.set(run.id, world);
      await commands.decide(bob(), run.id, { approve: true, reason: 'go on' });
      return { tag, runId: run.id, name: playbook.name };
    }),
  );
}

function startWorker(address: string): ChildProcess {
  return spawn(process.execPath, [join(HERE, 'kill-test-process.ts'), made.url, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Says yes to every question of a person. Returns whether the run is over. */
async function attend({ runId }: Started): Promise<'over' | 'waiting' | 'busy'> {
  const run = await loadRun(made.db, runId);
  if (run.status !== 'running' && run.status !== 'waiting') return 'over';
  const asked = (await listActs(made.db, runId)).filter(
    ({ status }) => status === 'waiting-person' || status === 'doubtful',
  );
  for (const act of asked) {
    const fields = (act.input['fields'] ?? []) as readonly { name: string; type: string }[]; // written by the interpreter
    const values = Object.fromEntries(fields.map(({ name, type }) => [name, type === 'bool' ? 'true' : 'yes']));
    await commands.answer(ADA, runId, { act: act.key, done: true, values });
  }
  return asked.length > 0 ? 'waiting' : 'busy';
}

async function finish(outside: Outside, started: readonly Started[]): Promise<number> {
  const address = await outside.start();
  const over = new Set<string>();
  let kills = 0;
  for (let round = 0; over.size < started.length && round < ROUNDS_MAX; round++) {
    const worker = startWorker(address);
    const ended = once(worker, 'exit');
    for (;;) {
      for (const one of started.filter(({ runId }) => !over.has(runId)))
        if ((await attend(one)) === 'over') over.add(one.runId);
      const open = started.filter(({ runId }) => !over.has(runId));
      const isHeld = ({ tag, runId }: Started): boolean =>
        outside.held.some((held) => held.tag === tag || held.tag === runId);
      if (open.every(isHeld)) break;
      await pause(POLL_MS);
    }
    worker.kill('SIGKILL');
    await ended;
    if (outside.held.length > 0) kills += 1;
    await Promise.all(outside.held.splice(0).map((held) => held.drop()));
  }
  await outside.stop();
  return kills;
}

/** What was done, without what differs from run to run. */
function summary(outside: Outside, { tag, runId }: Started): string[] {
  return outside.done
    .filter((act) => act.includes(tag) || act.includes(runId))
    .map((act) =>
      act
        .replaceAll(runId, 'RUN')
        .replaceAll(tag, 'TAG')
        .replaceAll(/^(case\w+ \[|.*"caseId":)"[^"]+"/g, '$1CASE')
        .replaceAll(/playbook-(read-only|limit)-[0-9a-f]{16}/g, 'RULE'),
    )
    .sort();
}

test('a worker killed at every act of every ready playbook ends as if nothing had happened', async () => {
  const quiet = new Outside(false);
  const undisturbed = await startAll(quiet, 'quiet');
  await finish(quiet, undisturbed);
  const loud = new Outside(true);
  const disturbed = await startAll(loud, 'killed');
  const kills = await finish(loud, disturbed);
  expect(kills).toBeGreaterThan(8);
  for (const [index, one] of disturbed.entries()) {
    const calm = undisturbed[index];
    if (!calm) throw new Error('the runs differ');
    const [run, like] = [await loadRun(made.db, one.runId), await loadRun(made.db, calm.runId)];
    expect([one.name, run.status, run.error]).toEqual([one.name, like.status, like.error]);
    expect([one.name, run.status]).toEqual([one.name, 'succeeded']);
    expect([one.name, summary(loud, one)]).toEqual([one.name, summary(quiet, calm)]);
    const steps = async (id: string) =>
      (await listActs(made.db, id)).map(({ key, status }) => `${key} ${status}`).sort();
    expect(await steps(one.runId)).toEqual(await steps(calm.runId));
  }
}, 280_000);
