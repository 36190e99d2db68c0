import { type Actor, kernelMigrations, migrate, readAudit, type Transaction, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lifecycleMigrations } from './index.ts';
import type { Outcome, Target } from './leaver.ts';
import { createLeaverCommands, type LeaverCommands } from './leaver-commands.ts';
import { listRuns, listTargets, loadRun } from './leaver-store.ts';
import { createLeaverWorkflow } from './leaver-workflow.ts';

const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const DEV: Actor = { kind: 'person', id: 'p2', name: 'Dev', roles: ['developer'] };
const EVE = { id: 'p9', name: 'Eve' };
const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };

let home: TestDatabase;
let commands: LeaverCommands;
let enqueued: string[];
let found: Target[];
/** What the world answers, by key; a function may fail. */
let answers: Record<string, () => Outcome>;
let asked: string[];

const clock = createFakeClock(1_790_000_000_000);
const target = (key: string, task?: string): Target => ({
  key,
  kind: 'account',
  name: `${key} account`,
  act: 'Suspend a user',
  input: { of: key },
  ...(task !== undefined && { task }),
});
const done = (): Outcome => ({ state: 'done', detail: 'suspended' });

beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, lifecycleMigrations]);
  [enqueued, found, answers, asked] = [[], [], {}, []];
  const enqueue = async (_tx: Transaction, _definition: unknown, id: string) => void enqueued.push(id);
  const workflows = { enqueue, find: async () => null, result: async () => null, close: async () => undefined };
  commands = createLeaverCommands({ db: home.db, clock, workflows });
});
afterEach(() => home.drop());

const workflow = () =>
  createLeaverWorkflow({
    db: home.db,
    clock,
    logger: createTestLogger(),
    pause: async () => undefined,
    ports: {
      find: async () => found,
      async carryOut(_leaver, one, idempotencyKey) {
        asked.push(idempotencyKey);
        expect(one.input).toEqual({ of: one.key });
        return (answers[one.key] ?? done)();
      },
    },
  });

async function begin(): Promise<string> {
  const { runId } = await home.db.transaction((tx) => commands.begin(tx, ADA, EVE, 'left the company'));
  return runId;
}
const actions = async (): Promise<string[]> =>
  (await readAudit(home.db, { limit: 100, after: 0 })).map(({ action }) => action);

test('everything is asked for once, with evidence, and the run ends', async () => {
  found = [target('okta'), target('slack')];
  answers = { slack: () => ({ state: 'nothing', detail: 'no such user' }) };
  const runId = await begin();
  expect(enqueued).toEqual([`leaver:${runId}`]);
  await workflow().run({ runId }, steps);
  expect(await loadRun(home.db, runId)).toMatchObject({
    counts: { done: 1, nothing: 1, task: 0 },
    endedAt: clock.now(),
  });
  expect(asked.toSorted()).toEqual([`leaver:${runId}:okta`, `leaver:${runId}:slack`]);
  // After a crash the whole is run again.
  await workflow().run({ runId }, steps);
  expect(asked.length).toBe(2);
  expect((await actions()).toSorted()).toEqual(['leaver.complete', 'leaver.done', 'leaver.nothing_there']);
});

test('a crash between the act and its record asks again with the same key', async () => {
  found = [target('okta')];
  const runId = await begin();
  let crashed = false;
  answers = {
    okta: () => {
      if (crashed) return done();
      crashed = true;
      throw new Error('connection reset');
    },
  };
  await workflow().run({ runId }, steps);
  expect(asked).toEqual([`leaver:${runId}:okta`, `leaver:${runId}:okta`]);
  expect((await listTargets(home.db, runId))[0]).toMatchObject({ state: 'done', attempts: 2 });
});

test('a tool that stays away keeps the run open, holds up no other, and is tried again', async () => {
  found = [target('okta'), target('slack')];
  answers = {
    okta: () => {
      throw new Error('The tool answered 503.');
    },
  };
  const runId = await begin();
  await workflow().run({ runId }, steps);
  const run = await loadRun(home.db, runId);
  expect(run).toMatchObject({ counts: { done: 1, failed: 1 }, endedAt: null });
  expect(run.dispatchedAt).not.toBeNull();
  await expect(commands.retry(DEV, runId)).rejects.toMatchObject({ code: 'kernel.access_denied' });
  answers = {};
  expect(await commands.retry(ADA, runId)).toBe(1);
  expect(enqueued.length).toBe(2);
  await workflow().run({ runId }, steps);
  expect((await loadRun(home.db, runId)).endedAt).not.toBeNull();
  expect(await commands.retry(ADA, runId)).toBe(0);
});

test('a task is never done by itself: a person says how', async () => {
  found = [target('figma', 'Figma has no way: do it there.'), target('okta')];
  const runId = await begin();
  await workflow().run({ runId }, steps);
  expect(asked).toEqual([`leaver:${runId}:okta`]);
  expect((await loadRun(home.db, runId)).endedAt).toBeNull();
  await expect(commands.closeTask(ADA, runId, 'figma', ' ')).rejects.toMatchObject({ code: 'lifecycle.note_needed' });
  await expect(commands.closeTask(ADA, runId, 'okta', 'again')).rejects.toMatchObject({
    code: 'lifecycle.task_not_open',
  });
  await expect(commands.closeTask(DEV, runId, 'figma', 'removed')).rejects.toMatchObject({
    code: 'kernel.access_denied',
  });
  await commands.closeTask(ADA, runId, 'figma', 'Removed by the workspace admin');
  expect(await listTargets(home.db, runId)).toMatchObject([
    { key: 'figma', state: 'done', closedBy: 'Ada', detail: 'Removed by the workspace admin' },
    { key: 'okta', state: 'done', closedBy: null },
  ]);
  expect((await loadRun(home.db, runId)).endedAt).not.toBeNull();
  expect((await listRuns(home.db, 10, { personId: EVE.id })).map(({ id }) => id)).toEqual([runId]);
  expect(await listRuns(home.db, 10, { personId: 'p1' })).toEqual([]);
});

test('what the transaction takes back takes the run with it', async () => {
  const failing = home.db.transaction(async (tx) => {
    await commands.begin(tx, ADA, EVE, 'left');
    throw new Error('the only owner');
  });
  await expect(failing).rejects.toThrow('the only owner');
  expect(await listRuns(home.db, 10)).toEqual([]);
});
