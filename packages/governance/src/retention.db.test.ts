import { type Actor, kernelMigrations, migrate, readAudit, StepUpRequired, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { ApproverSame, NotAvailable, StateConflict } from './errors.ts';
import { governanceMigrations } from './migrations.ts';
import { createRetentionCommands, startDueRetention } from './retention-commands.ts';
import type { RetentionItemRead, RetentionTools } from './retention-ports.ts';
import { judgeRecord, retentionRule, retentionScope } from './retention-rule.ts';
import { createRetentionWorkflow } from './retention-run.ts';
import { listItems, listRules, listRuns, loadRun } from './retention-store.ts';

const clock = createFakeClock(Date.UTC(2026, 5, 1));
const strong = () => clock.now();
const ada = (): Actor => ({ kind: 'person', id: 'p1', name: 'Ada', roles: ['security'], strongAuthAt: strong() });
const bob = (): Actor => ({ kind: 'person', id: 'p2', name: 'Bob', roles: ['owner'], strongAuthAt: strong() });
const DAY_MS = 86_400_000;

/** A vendor's server as connectors show it: acts are idempotent by key, as the journal of actions makes them. */
class FakeTool implements RetentionTools {
  readonly records = new Map<string, RetentionItemRead>();
  /** What reached the vendor. */
  readonly deleted: string[] = [];
  readonly #keys = new Map<string, string>();
  /** Dies once right after the act that would be this one, before anybody hears of it. */
  dieAfter = Infinity;
  beforeAct: (() => Promise<void>) | undefined;

  add(object: string, id: string, ageDays: number): void {
    const createdAt = new Date(clock.now() - ageDays * DAY_MS).toISOString();
    this.records.set(id, { object, id, parentId: 'C1', createdAt, updatedAt: createdAt });
  }

  list = async () => [
    {
      connectionId: 'slack-1',
      app: 'slack',
      streams: ['messages'],
      way: (object: string) =>
        object === 'message' ? { action: 'delete-message', input: ['channel', 'ts'], canVerify: true } : null,
    },
  ];

  async *read() {
    yield* this.records.values();
  }

  inputFor: RetentionTools['inputFor'] = async (_connection, _action, { id }) => ({
    channel: id.split(':')[0],
    ts: id.split(':')[1],
  });

  act: RetentionTools['act'] = async ({ input, key }) => {
    await this.beforeAct?.();
    const id = `${String(input['channel'])}:${String(input['ts'])}`;
    const before = this.#keys.get(key);
    if (before === undefined) {
      this.#keys.set(key, id);
      this.deleted.push(id);
      this.records.delete(id);
      if (this.deleted.length === this.dieAfter) {
        this.dieAfter = Infinity;
        throw new Error('killed');
      }
    }
    return { runId: `run-${key}`, outcome: before === undefined ? 'done' : 'already', error: null };
  };

  verify: RetentionTools['verify'] = async ({ input }) =>
    this.records.has(`${String(input['channel'])}:${String(input['ts'])}`) ? 'there' : 'gone';
}

/** Steps as the engine runs them: what ended is remembered, what died is run again. */
class Engine {
  readonly #done = new Map<string, unknown>();
  /** A dead process takes no further step until another takes its work up. */
  isDead = false;
  steps(workflowId: string): WorkflowSteps {
    return {
      workflowId,
      sleep: async () => undefined,
      step: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
        const key = `${workflowId} ${name}`;
        if (this.isDead) throw new Error('killed');
        if (!this.#done.has(key)) {
          try {
            this.#done.set(key, await work());
          } catch (error) {
            this.isDead = error instanceof Error && error.message === 'killed';
            throw error;
          }
        }
        return this.#done.get(key) as T; // the same step wrote it
      },
    };
  }
}

let data: TestDatabase;
let tool: FakeTool;
let queue: string[];
let engine: Engine;
let number = 0;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, governanceMigrations]);
});
afterAll(() => data.drop());
beforeEach(() => {
  tool = new FakeTool();
  queue = [];
  engine = new Engine();
});

const commands = () =>
  createRetentionCommands({
    db: data.db,
    clock,
    workflows: { enqueue: async (_tx, _definition, id) => void queue.push(id) },
  });
const work = (id: string, workflowId = id) =>
  createRetentionWorkflow({ db: data.db, clock, tools: tool, pause: async () => undefined }).run(
    { runId: id },
    engine.steps(workflowId),
  );
const addRule = (settings: Partial<z.input<typeof retentionRule>> = {}) => {
  number += 1;
  return commands().addRule(ada(), {
    name: `rule ${number}`,
    settings: { app: 'slack', object: 'message', clock: 'createdAt', days: 30, action: 'delete', ...settings },
  });
};

function fill(): void {
  tool.add('message', 'C1:1', 90);
  tool.add('message', 'C1:2', 40);
  tool.add('message', 'C1:3', 31);
  tool.add('message', 'C1:4', 29);
  tool.records.set('C1:5', { object: 'message', id: 'C1:5', parentId: 'C1' });
  tool.add('file', 'F1', 90);
}

test('a dry run counts and names what is due, and touches nothing', async () => {
  fill();
  const rule = await addRule();
  const { id } = await commands().start(ada(), rule.id, 'dry-run');
  expect(queue).toEqual([id]);
  await work(id);
  const run = await loadRun(data.db, id);
  expect(run).toMatchObject({ status: 'done', counts: { due: 3, young: 1, undated: 1 } });
  expect((await listItems(data.db, id)).map(({ recordId, status }) => [recordId, status])).toEqual([
    ['C1:1', 'planned'],
    ['C1:2', 'planned'],
    ['C1:3', 'planned'],
  ]);
  expect(tool.deleted).toEqual([]);
});

test('a run deletes exactly what is due, reads again, and leaves a hash in the audit trail', async () => {
  fill();
  const rule = await addRule();
  const { id } = await commands().start(ada(), rule.id, 'run');
  await work(id);
  expect(tool.deleted).toEqual(['C1:1', 'C1:2', 'C1:3']);
  expect([...tool.records.keys()]).toEqual(['C1:4', 'C1:5', 'F1']);
  const run = await loadRun(data.db, id);
  expect(run.evidence).toMatchObject({ items: { verified: 3 } });
  const trail = await readAudit(data.db, { after: 0, limit: 500 });
  const ended = trail.filter(({ action, target }) => action === 'retention.run_ended' && target.id === id);
  expect(ended).toMatchObject([{ detail: { evidence: run.evidenceSha256 } }]);
});

test('a legal hold wins, also one placed in the middle; an exception wins until it expires', async () => {
  fill();
  const rule = await addRule();
  const hold = { name: 'Case 7', scope: { app: 'slack', recordId: 'C1:1' }, reason: 'litigation' };
  const { id: holdId } = await commands().hold(ada(), hold);
  await commands().except(ada(), rule.id, {
    scope: { recordId: 'C1:2' },
    reason: 'invoice under review',
    expiresAt: clock.now() + DAY_MS,
  });
  const { id } = await commands().start(ada(), rule.id, 'run');
  await work(id);
  expect(tool.deleted).toEqual(['C1:3']);
  expect((await loadRun(data.db, id)).counts).toMatchObject({ due: 1, held: 1, excepted: 1 });

  clock.advance(2 * DAY_MS);
  await commands().release(ada(), holdId);
  tool.beforeAct = async () => {
    tool.beforeAct = undefined;
    await commands().hold(ada(), { name: 'Case 8', scope: { recordId: 'C1:2' }, reason: 'placed while it runs' });
  };
  const second = await commands().start(ada(), rule.id, 'run');
  await work(second.id);
  expect(tool.deleted).toEqual(['C1:3', 'C1:1', 'C1:4']);
  expect((await listItems(data.db, second.id)).find(({ recordId }) => recordId === 'C1:2')).toMatchObject({
    status: 'kept',
    reason: 'Case 8',
  });
});

test('a crash in the middle goes on where it was, each outside act once', async () => {
  fill();
  const rule = await addRule({ days: 20 });
  tool.dieAfter = 2;
  const { id } = await commands().start(ada(), rule.id, 'run');
  const held = ['C1:2'];
  await expect(work(id)).rejects.toThrow('killed');
  expect((await loadRun(data.db, id)).status).toBe('acting');
  engine.isDead = false;
  await work(id);
  expect(tool.deleted).toEqual(['C1:1', 'C1:3', 'C1:4']);
  expect((await loadRun(data.db, id)).evidence).toMatchObject({ items: { verified: 3, kept: held.length } });
  const ends = (await readAudit(data.db, { after: 0, limit: 500 })).filter(
    ({ action, target }) => action === 'retention.run_ended' && target.id === id,
  );
  expect(ends).toHaveLength(1);
});

test('a rule is changed, runs by its schedule, and is removed with its evidence kept', async () => {
  fill();
  const { id } = await addRule();
  const settings = { app: 'slack', object: 'message', clock: 'createdAt', days: 60, action: 'delete' } as const;
  await commands().editRule(ada(), id, { name: `edited ${number}`, settings });
  const weak: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
  await expect(commands().scheduleRule(weak, id, 7)).rejects.toThrow(StepUpRequired);
  await commands().scheduleRule(ada(), id, 7);
  const workflows = { enqueue: async (_tx: unknown, _definition: unknown, run: string) => void queue.push(run) };
  const due = () => startDueRetention({ db: data.db, clock, workflows });
  expect(await due()).toBe(1);
  expect(await due()).toBe(0);
  await work(queue[0] ?? '');
  expect(tool.deleted).toEqual(['C1:1']);
  clock.advance(7 * DAY_MS);
  expect(await due()).toBe(1);
  await commands().removeRule(ada(), id);
  clock.advance(7 * DAY_MS);
  expect(await due()).toBe(0);
  expect((await listRules(data.db)).map((rule) => rule.id)).not.toContain(id);
  expect(await listRuns(data.db, id)).toHaveLength(2);
  await expect(commands().start(ada(), id, 'run')).rejects.toThrow('no such retention rule');
});

test('above the limit another person approves, and what was planned is what is done', async () => {
  fill();
  const rule = await addRule({ approvalAbove: 1 });
  const { id } = await commands().start(ada(), rule.id, 'run');
  await work(id);
  expect((await loadRun(data.db, id)).status).toBe('waiting');
  expect(tool.deleted).toEqual([]);
  await expect(commands().approve(ada(), id)).rejects.toThrow(ApproverSame);
  const weak: Actor = { kind: 'person', id: 'p2', name: 'Bob', roles: ['owner'] };
  await expect(commands().approve(weak, id)).rejects.toThrow(StepUpRequired);
  tool.add('message', 'C1:9', 400);
  await commands().approve(bob(), id);
  await expect(commands().approve(bob(), id)).rejects.toThrow(StateConflict);
  await work(id, queue.at(-1));
  expect(tool.deleted).not.toContain('C1:9');
  expect(await loadRun(data.db, id)).toMatchObject({ status: 'done', approvedBy: 'Bob' });
});

test('a record that was touched between plan and approval is spared', async () => {
  fill();
  const rule = await addRule({ approvalAbove: 1, clock: 'updatedAt' });
  const { id } = await commands().start(ada(), rule.id, 'run');
  await work(id);
  const touched = tool.records.get('C1:3');
  if (touched) tool.records.set('C1:3', { ...touched, updatedAt: new Date(clock.now()).toISOString() });
  await commands().approve(bob(), id);
  await work(id, queue.at(-1));
  expect(tool.deleted.toSorted()).toEqual(['C1:1']);
  const items = await listItems(data.db, id, -1);
  expect(items.find(({ recordId }) => recordId === 'C1:3')).toMatchObject({
    status: 'kept',
    reason: 'changed since the plan',
  });
});

test('where a tool has no way, that is said', async () => {
  fill();
  const rule = await addRule({ object: 'file' });
  const { id } = await commands().start(ada(), rule.id, 'run');
  await work(id);
  expect((await loadRun(data.db, id)).unenforceable).toEqual([
    {
      connectionId: 'slack-1',
      app: 'slack',
      object: 'file',
      because: 'the tool has no way to delete a record of file',
    },
  ]);
  expect((await listItems(data.db, id)).map(({ status }) => status)).toEqual(['unenforceable']);
});

test('a tool that shows nothing is a gap, and one that fails ends the run as failed', async () => {
  const rule = await addRule();
  tool.read = () => {
    throw new NotAvailable('the token lacks channels:history');
  };
  const { id } = await commands().start(ada(), rule.id, 'dry-run');
  await work(id);
  expect((await loadRun(data.db, id)).unenforceable).toMatchObject([
    { object: 'messages', because: 'cannot be read: the token lacks channels:history' },
  ]);
  tool.read = () => {
    throw new Error('no route to host');
  };
  const second = await commands().start(ada(), rule.id, 'run');
  await expect(work(second.id)).rejects.toThrow('no route to host');
  expect(await loadRun(data.db, second.id)).toMatchObject({ status: 'failed', error: 'no route to host' });
});

const record = { connectionId: 'c', app: 'a', object: 'o', id: '1' };
const rule = retentionRule.parse({ clock: 'updatedAt', days: 1, action: 'report' });
const at = (days: number) => new Date(clock.now() - days * DAY_MS).toISOString();
const hold = { name: 'h', scope: retentionScope.parse({}) };

test.each([
  ['exactly the period', { ...record, updatedAt: at(1) }, [], [], 'due'],
  ['a moment less', { ...record, updatedAt: at(0.999) }, [], [], 'young'],
  ['no time', { ...record, createdAt: at(9) }, [], [], 'undated'],
  ['a time that is none', { ...record, updatedAt: 'soon' }, [], [], 'undated'],
  ['a hold before an exception', { ...record, updatedAt: at(9) }, [hold], [hold], 'held'],
  [
    'a hold on another app',
    { ...record, updatedAt: at(9) },
    [{ ...hold, scope: retentionScope.parse({ app: 'b' }) }],
    [],
    'due',
  ],
])('%s is %5$s', (_name, one, holds, exceptions, verdict) => {
  expect(judgeRecord(rule, one, { holds, exceptions }, Date.UTC(2026, 5, 1)).verdict).toBe(verdict);
});
