import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessDenied, type Actor, kernelMigrations, migrate, StepUpRequired } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OwnLake } from './own-state/own-state.ts';
import type { AppPort } from './app-port.ts';
import { createBackupCommands } from './backup-commands.ts';
import type { BackupRecord } from './backup-record.ts';
import { listItems, listJobs, listPlans, loadPlan } from './backup-store.ts';
import { browse, compareSnapshots, exportRecords, readRecord } from './browse.ts';
import { SourceFailed } from './errors.ts';
import { createFolderStore } from './folder-store.ts';
import { runJob, type RunnerDeps } from './job-runner.ts';
import { loadOwnSettings } from './own-state/own-settings.ts';
import { planInput, recoveryOf } from './plan.ts';
import { makeRecoveryKey } from './recovery-key.ts';
import { openRepository, type Repository } from './repository.ts';
import { backupMigrations } from './tables.ts';
import { createRandom, createTestEnvelope } from './testing.ts';

const HOUR_MS = 3_600_000;
const clock = createFakeClock();
const owner: Actor = { kind: 'person', id: 'p1', name: 'Olga', roles: ['owner'], strongAuthAt: clock.now() };
const system: Actor = { kind: 'system', name: 'test' };

/** A board with cards: a new card gets an id of the tool's own; boards can't be changed; notes can't be written. */
function createBoardTool() {
  const records = new Map<string, BackupRecord>();
  const acts: string[] = [];
  const done = new Map<string, string | null>();
  let made = 0;
  const tool = {
    records,
    acts,
    /** Called before and after an act takes effect; throws to crash. */
    crash: (_key: string, _after: boolean): void => undefined,
    refuse: new Set<string>(),
    hidden: null as string | null,
    put(object: string, id: string, text: string, parentId: string | null = null) {
      const record = {
        stream: object,
        object,
        id,
        parentId,
        title: text,
        updatedAt: null,
        content: { text },
        facts: null,
      };
      records.set(`${object}/${id}`, record);
    },
  };
  const port: AppPort = {
    streams: async () => ['card', 'board', 'note'].map((name) => ({ name, readsChanges: name === 'note' })),
    async *read(_connection, stream, mark) {
      if (tool.hidden === stream) throw new SourceFailed('The role may not see it.');
      const all = [...records.values()].filter((one) => one.stream === stream);
      const from = typeof mark === 'number' ? mark : 0;
      for (const [at, record] of all.entries()) if (at >= from) yield { record, mark: all.length };
    },
    actions: async () => [
      { name: 'add-board', op: 'create', object: 'board', note: 'Members are not brought back.' },
      { name: 'add-card', op: 'create', object: 'card', note: null },
      { name: 'edit-card', op: 'update', object: 'card', note: null },
      { name: 'remove-card', op: 'delete', object: 'card', note: null },
    ],
    async act(_connection, action, record, key) {
      tool.crash(key, false);
      if (tool.refuse.has(record.id)) throw new SourceFailed('The tool refuses this record.');
      const known = done.get(key);
      if (known !== undefined) return { outcome: 'already', newId: known };
      acts.push(`${action} ${record.id}`);
      let newId: string | null = null;
      if (action.startsWith('add')) {
        newId = `new-${(made += 1)}`;
        tool.put(record.object, newId, record.title ?? '', record.parentId);
      } else if (action.startsWith('edit')) tool.put(record.object, record.id, record.title ?? '', record.parentId);
      else records.delete(`${record.object}/${record.id}`);
      done.set(key, newId);
      tool.crash(key, true);
      return { outcome: 'done', newId };
    },
  };
  return { ...tool, tool, port };
}

let database: TestDatabase;
let root = '';
let ok = true;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.db, [kernelMigrations, backupMigrations]);
});
afterAll(async () => {
  if (ok) await database.drop();
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'backup-'));
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') ok = false;
  await rm(root, { recursive: true, force: true });
  for (const { id } of await listPlans(database.db)) await commands().removePlan(system, id);
});

const emptyLake: OwnLake = {
  groups: async () => [],
  read: async () => ({ columns: [], lines: [] }),
  write: async () => undefined,
};
const sealing = createTestEnvelope();
const commands = () =>
  createBackupCommands({ db: database.db, clock, workflows: { enqueue: async () => undefined }, envelope: sealing });

async function setUp(options: { sealed?: ReturnType<typeof createTestEnvelope> } = {}) {
  const board = createBoardTool();
  const envelope = options.sealed ?? createTestEnvelope();
  let elapsed = 0;
  const open = (): Promise<Repository> =>
    openRepository({ store: createFolderStore(join(root, 'objects')), envelope, clock, create: true });
  const deps: RunnerDeps = {
    db: database.db,
    clock,
    logger: createTestLogger(),
    app: board.port,
    openRepository: open,
    own: { lake: emptyLake, envelope: sealing, kek: 'keys', readFiles: async () => [] },
    random: createRandom(7),
    pause: async () => undefined,
    elapsed: () => (elapsed += 250),
  };
  const plan = await commands().putPlan(
    owner,
    planInput.parse({ connectionId: randomUUID(), name: 'Board', app: 'board' }),
  );
  const run = async (kind: Parameters<ReturnType<typeof commands>['request']>[1]['kind'], input: unknown = {}) => {
    clock.advance(HOUR_MS);
    const actor = { ...owner, strongAuthAt: clock.now() };
    return runJob(deps, (await commands().request(actor, { kind, planId: plan.id, input })).id);
  };
  return { ...board, plan, run, open, deps };
}

function fill(tool: { put(object: string, id: string, text: string, parent?: string | null): void }): void {
  tool.put('card', 'c1', 'Pay the bill', 'b1');
  tool.put('card', 'c2', 'Call back', 'b1');
  tool.put('board', 'b1', 'Sales');
  tool.put('note', 'n1', '=SUM(A1), "quoted"');
}

describe('a restore into the app', () => {
  test('says what it would do, in order, and what it can not; then does it once, with parents under their new ids', async () => {
    const { tool, records, acts, run, plan, open } = await setUp();
    fill(tool);
    const snapshot = await run('snapshot');
    expect(snapshot).toMatchObject({ status: 'done', result: { records: 4, added: 4, notRead: [], problems: 0 } });
    records.clear();
    tool.put('card', 'c2', 'Call never', 'b1');
    tool.put('card', 'c9', 'Mallory was here', 'b1');
    const dryRun = await run('plan', { removeExtra: true });
    expect(dryRun.result).toMatchObject({ creates: 2, updates: 1, deletes: 1, cannot: 1, same: 0 });
    expect(dryRun.result).toMatchObject({ notes: expect.arrayContaining(['Members are not brought back.']) });
    expect(acts).toEqual([]);
    const items = await listItems(database.db, dryRun.id, -1, 100);
    expect(items.map(({ op, recordId }) => `${op} ${recordId}`)).toEqual([
      'create b1',
      'create c1',
      'update c2',
      'cannot n1',
      'delete c9',
    ]);
    const restored = await run('restore', { dryRun: dryRun.id });
    expect(restored).toMatchObject({ status: 'done', result: { done: 4, failed: 0, left: 1 } });
    expect(acts).toEqual(['add-board b1', 'add-card c1', 'edit-card c2', 'remove-card c9']);
    expect(records.get('card/new-2')).toMatchObject({ title: 'Pay the bill', parentId: 'new-1' });
    // Asked again, nothing is left to do: what came back under a new id is known.
    expect((await run('plan', { object: 'card' })).result).toMatchObject({ creates: 0, updates: 0, same: 2 });
    await run('restore', { dryRun: dryRun.id });
    expect(acts).toHaveLength(4);
    expect((await open().then((one) => one.snapshots(plan.connectionId))).length).toBe(1);
  });

  test.each([1, 2, 3, 4].flatMap((n) => [[n, false] as const, [n, true] as const]))(
    'killed at act %i (after it took effect: %s) goes on, and each act is done once',
    async (n, after) => {
      const { tool, records, acts, run, deps } = await setUp();
      fill(tool);
      await run('snapshot');
      records.clear();
      tool.put('card', 'c2', 'Call never', 'b1');
      tool.put('card', 'c9', 'Mallory was here', 'b1');
      const dryRun = await run('plan', { removeExtra: true });
      let seen = 0;
      tool.crash = (_key, isAfter) => {
        if (isAfter !== after) return;
        seen += 1;
        if (seen === n) throw new Error('killed');
      };
      const actor = { ...owner, strongAuthAt: clock.now() };
      const key = `kill-${n}-${after}-${dryRun.id}`;
      const request = { kind: 'restore' as const, planId: dryRun.planId, input: { dryRun: dryRun.id }, key };
      const { id } = await commands().request(actor, request);
      // A process that dies writes no end of its job.
      await runJob(deps, id);
      await database.db
        .tables<{ backup_jobs: { id: string; status: string } }>()
        .updateTable('backup_jobs')
        .set({ status: 'running' })
        .where('id', '=', id)
        .execute();
      expect(await runJob(deps, id)).toMatchObject({ status: 'done', result: { done: 4, failed: 0 } });
      expect(acts).toEqual(['add-board b1', 'add-card c1', 'edit-card c2', 'remove-card c9']);
      expect(records.get('card/new-2')?.parentId).toBe('new-1');
    },
  );

  test('a record that the tool refuses fails alone', async () => {
    const { tool, records, run } = await setUp();
    fill(tool);
    await run('snapshot');
    records.clear();
    tool.refuse.add('c1');
    const dryRun = await run('plan', { object: 'card' });
    expect((await run('restore', { dryRun: dryRun.id })).result).toMatchObject({ done: 1, failed: 1 });
  });

  test('one record, to a moment', async () => {
    const { tool, run, records } = await setUp();
    fill(tool);
    await run('snapshot');
    const then = clock.now();
    tool.put('card', 'c1', 'Pay nothing', 'b1');
    await run('snapshot');
    expect((await run('plan', { record: 'c1', object: 'card' })).result).toMatchObject({ updates: 0, same: 1 });
    const dryRun = await run('plan', { record: 'c1', object: 'card', at: then });
    expect(dryRun.result).toMatchObject({ updates: 1, creates: 0 });
    await run('restore', { dryRun: dryRun.id });
    expect(records.get('card/c1')?.title).toBe('Pay the bill');
    expect(await run('plan', { at: 1 })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('no snapshot'),
    });
  });
});

describe('browsing', () => {
  test('lists, searches, compares, and writes files', async () => {
    const { tool, records, run, open, plan } = await setUp();
    fill(tool);
    await run('snapshot');
    records.delete('card/c2');
    tool.put('card', 'c1', 'Pay twice', 'b1');
    await run('snapshot');
    const repository = await open();
    const [old, young] = await repository.snapshots(plan.connectionId);
    if (!old || !young) throw new Error('two snapshots were taken');
    const page = await browse(repository, old, { offset: 1, limit: 2 });
    expect(page).toMatchObject({ total: 4, objects: { card: 2, board: 1, note: 1 } });
    expect(page.items.map(({ id, title }) => [id, title])).toEqual([
      ['c1', 'Pay the bill'],
      ['c2', 'Call back'],
    ]);
    expect((await browse(repository, old, { offset: 0, limit: 9, text: 'CALL' })).items.map(({ id }) => id)).toEqual([
      'c2',
    ]);
    const difference = await compareSnapshots(repository, old, young);
    expect(difference.changed.map(({ id }) => id)).toEqual(['c1']);
    expect(difference.removed.map(({ id }) => id)).toEqual(['c2']);
    expect(await readRecord(repository, old, { object: 'card', id: 'c1' })).toMatchObject({
      title: 'Pay the bill',
      parentId: 'b1',
    });
    const csv = (await Array.fromAsync(exportRecords(repository, old, { object: 'note' }, 'csv'))).join('');
    expect(csv).toBe(
      `object,id,parentId,title,updatedAt,content,facts\r\nnote,n1,,"'=SUM(A1), ""quoted""",,"{""text"":""=SUM(A1), \\""quoted\\""""}",\r\n`,
    );
    const lines = await Array.fromAsync(exportRecords(repository, old, {}, 'ndjson'));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toHaveLength(4);
  });
});

describe('recovery', () => {
  test('counts only what was verified and whole, and what was timed', async () => {
    const { tool, run, plan } = await setUp();
    fill(tool);
    const at = async () => recoveryOf(await loadPlan(database.db, plan.id), 4, clock.now());
    expect(await at()).toEqual({ rpoS: null, rpoMet: false, rtoS: null, rtoMet: false });
    await run('snapshot');
    expect(await at()).toMatchObject({ rpoS: 0, rpoMet: true, rtoS: null, rtoMet: false });
    tool.hidden = 'board';
    const half = await run('snapshot');
    expect(half.result).toMatchObject({ notRead: [{ stream: 'board', why: 'The role may not see it.' }] });
    // The snapshot lacks boards: the one before still counts.
    expect(await at()).toMatchObject({ rpoS: 3_600, rpoMet: true });
    expect((await run('sample')).result).toMatchObject({ records: 4, ms: 250 });
    expect(await at()).toMatchObject({ rtoS: 1, rtoMet: true });
    expect((await run('verify', { sample: 1 })).result).toMatchObject({ problems: [], broken: [] });
    await rm(join(root, 'objects', 'packs'), { recursive: true });
    expect((await run('verify')).result).toMatchObject({ broken: [expect.any(String), expect.any(String)] });
    expect(await at()).toMatchObject({ rpoS: null, rpoMet: false });
  });

  test('schedules ask for what is due, once', async () => {
    const { plan } = await setUp();
    expect(await commands().requestDue()).toBe(1);
    expect(await commands().requestDue()).toBe(0);
    clock.advance(25 * HOUR_MS);
    expect(await commands().requestDue()).toBe(2);
    const kinds = (await listJobs(database.db, plan.id)).map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual(['prune', 'snapshot', 'snapshot', 'verify']);
  });
});

test("Cordon's own backup needs a key, is taken, verified and pruned by schedule, and counts", async () => {
  const { deps } = await setUp();
  await commands().requestDue();
  await expect(commands().request(owner, { kind: 'own', planId: null, input: {} })).rejects.toThrow(/recovery key/);
  const key = { recipient: makeRecoveryKey().recipient, everyS: 3_600, rpoS: 7_200 };
  const fresh = { ...owner, strongAuthAt: clock.now() };
  const security: Actor = { kind: 'person', id: 'p2', name: 'Sam', roles: ['security'], strongAuthAt: clock.now() };
  await expect(commands().putOwn(security, key)).rejects.toThrow(AccessDenied);
  await expect(commands().putOwn({ ...owner, strongAuthAt: 0 }, key)).rejects.toThrow(StepUpRequired);
  await commands().putOwn(fresh, key);
  expect(await commands().requestDue()).toBe(1);
  expect(await commands().requestDue()).toBe(0);
  const asked = (await listJobs(database.db)).filter(({ planId, status }) => planId === null && status === 'queued');
  expect(asked.map(({ kind }) => kind).toSorted()).toEqual(['own', 'prune', 'verify']);
  for (const { id } of asked.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))) {
    expect(await runJob(deps, id)).toMatchObject({ status: 'done', error: null });
  }
  expect((await loadOwnSettings(database.db)).verifiedTakenAt).toBe(clock.now());
});

test('who may', async () => {
  const { plan } = await setUp();
  const as = (role: 'auditor' | 'responder' | 'owner'): Actor => ({
    kind: 'person',
    id: 'x',
    name: 'X',
    roles: [role],
  });
  const ask = (role: Parameters<typeof as>[0], kind: 'snapshot' | 'plan' | 'rotate' | 'restore') =>
    commands().request(as(role), { kind, planId: plan.id, input: {} });
  await expect(ask('auditor', 'snapshot')).rejects.toThrow(AccessDenied);
  await expect(ask('responder', 'snapshot')).resolves.toMatchObject({ status: 'queued' });
  await expect(ask('responder', 'plan')).rejects.toThrow(AccessDenied);
  await expect(ask('responder', 'rotate')).rejects.toThrow(AccessDenied);
  await expect(ask('owner', 'restore')).rejects.toThrow(StepUpRequired);
});
