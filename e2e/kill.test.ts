import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, type Integration, taken } from './harness/notes-integration.ts';
import { type ProcessName, type RunningCordon, startCordon } from './harness/running-cordon.ts';

/**
 * kill -9 of each process under load, again and again. Afterwards: every response that a client got has exactly one
 * event in the lake, no acknowledged change is missing, and nobody had to do anything.
 */

const ROUNDS = Number(process.env['CORDON_KILL_ROUNDS'] ?? '3');
const CALLERS = 4;
const CALLS_BETWEEN_KILLS = 60;
const RECOVERY_MS_MAX = 60_000;
const PAGE = 1_000;

let cordon: RunningCordon;
let vendor: FakeVendor;
let integration: Integration;
let token: string;

beforeAll(async () => {
  [cordon, vendor] = [await startCordon(), await startVendor()];
  integration = await addIntegration(cordon, await addNotesApp(cordon, vendor), 'kill-reader', ['notes.get']);
  token = await integration.token();
  await eventually(async () => expect((await callOnce(0)).status).toBe(200), RECOVERY_MS_MAX);
});
afterAll(async () => {
  await cordon?.stop();
  await vendor?.stop();
});

async function callOnce(number: number): Promise<Response> {
  return fetch(`${cordon.gateway}/notes/notes/${number}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
}

/** Ids of all answers that arrived whole, whatever their status. */
class Load {
  readonly answered: { id: string; status: number }[] = [];
  readonly made: string[] = [];
  failedCalls = 0;
  #stopped = false;
  readonly #running: Promise<void>[];

  constructor() {
    this.#running = [...Array.from({ length: CALLERS }, (_, caller) => this.#call(caller)), this.#change()];
  }

  async #call(caller: number): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      try {
        const response = await callOnce(caller * 1_000_000 + number);
        await response.text();
        const id = response.headers.get('x-cordon-request-id');
        if (id) this.answered.push({ id, status: response.status });
      } catch {
        this.failedCalls += 1;
      }
    }
  }

  /** Meanwhile someone registers integrations; what the API acknowledged must be there afterwards. */
  async #change(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      const name = `made-${Date.now().toString(36)}-${number}`;
      try {
        const body = { name, purpose: 'made under load', kind: 'service' as const, assurance: 'm0' as const };
        const { response } = await cordon.api.POST('/api/v1/integrations', { body });
        if (response.status === 201) this.made.push(name);
      } catch {
        this.failedCalls += 1;
      }
    }
  }

  async until(calls: number): Promise<void> {
    const goal = this.answered.length + calls;
    await eventually(async () => expect(this.answered.length).toBeGreaterThanOrEqual(goal), RECOVERY_MS_MAX);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
}

async function readPage(cursor: string | undefined): Promise<{ ids: string[]; cursor: string | undefined }> {
  const base = { query: 'class:api-activity', limit: PAGE, order: 'oldest' as const };
  const query = cursor === undefined ? base : { ...base, cursor };
  const page = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
  return {
    ids: page.items.map(({ event }) => (event['metadata'] as { uid: string }).uid),
    cursor: page.cursor ?? undefined,
  };
}

/** How often each request id occurs in the lake. */
async function countEvents(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await readPage(cursor);
    for (const id of page.ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return counts;
}

async function findMissing(answered: readonly { id: string; status: number }[]): Promise<void> {
  const counts = await countEvents();
  const wrong = answered
    .filter(({ id }) => counts.get(id) !== 1)
    .map((one) => ({ ...one, events: counts.get(one.id) ?? 0 }));
  expect(wrong.slice(0, 5), `${wrong.length} of ${answered.length} answers`).toEqual([]);
}

const VICTIMS: readonly ProcessName[] = ['gateway', 'worker', 'lake', 'control', 'postgres'];

test.each(VICTIMS)('kill -9 of %s under load loses and doubles nothing', async (victim) => {
  const load = new Load();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await load.until(CALLS_BETWEEN_KILLS);
      const before = await cordon.pids(victim);
      expect(before.length, `${victim} runs`).toBeGreaterThan(0);
      for (const pid of before.slice(0, 1)) process.kill(pid, 'SIGKILL');
      await eventually(async () => {
        const now = await cordon.pids(victim);
        expect(now).toHaveLength(before.length);
        expect(now).not.toContain(before[0]);
      }, RECOVERY_MS_MAX);
    }
    // Service resumed by itself: calls are answered, and so is the API.
    await load.until(CALLS_BETWEEN_KILLS);
    await eventually(async () => {
      expect((await fetch(`${cordon.url}/readyz`)).status).toBe(200);
      expect((await callOnce(1)).status).toBe(200);
    }, RECOVERY_MS_MAX);
  } finally {
    await load.stop();
  }
  expect(load.answered.filter(({ status }) => status === 200).length).toBeGreaterThan(CALLS_BETWEEN_KILLS);
  await eventually(() => findMissing(load.answered), RECOVERY_MS_MAX);
  const { items } = taken(await cordon.api.GET('/api/v1/integrations'));
  const names = new Set(items.map((item) => item.name));
  expect(load.made.filter((name) => !names.has(name))).toEqual([]);
  expect(vendor.violations()).toBe(0);
});

test('the audit trail is unbroken after all this', async () => {
  const { records } = taken(await cordon.api.POST('/api/v1/audit/verify'));
  expect(records).toBeGreaterThan(0);
});

test('starting again finds everything as it was', async () => {
  const before = taken(await cordon.api.GET('/api/v1/integrations')).items;
  cordon = await cordon.restart();
  expect(taken(await cordon.api.GET('/api/v1/integrations')).items).toEqual(before);
  await eventually(async () => expect((await callOnce(2)).status).toBe(200), RECOVERY_MS_MAX);
});
