import {
  type Actor,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  readAudit,
  StepUpRequired,
  type WorkflowSteps,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApproverSame, DataUnknown, NotAvailable, StateConflict } from './errors.ts';
import { createFieldCategories } from './field-category.ts';
import { ensureFingerprintKey, loadFingerprintKey } from './fingerprint-key.ts';
import { createInventory } from './inventory.ts';
import { governanceMigrations } from './migrations.ts';
import { createRetentionCommands } from './retention-commands.ts';
import { rewrapGovernanceSecrets } from './rewrap.ts';
import { createSubjectCommands, type subjectRequestInput, sweepSubjectBundles } from './subject-commands.ts';
import { REMOVED_TEXT } from './subject-identifier.ts';
import type { SubjectAct, SubjectRecord, SubjectSource, SubjectTools } from './subject-ports.ts';
import { createSubjectWorkflow } from './subject-run.ts';
import { listTargets, loadSubjectRequest, openIdentifiers } from './subject-store.ts';
import { tablesOf } from './tables.ts';
import { loadTaxonomy } from './taxonomy.ts';
import { createFakePublisher } from './testing.ts';
import type { z } from 'zod';

const clock = createFakeClock(Date.UTC(2026, 10, 2));
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
const { publish } = createFakePublisher();
const person = (id: string, name: string, roles: readonly ('security' | 'owner' | 'auditor')[]): Actor => ({
  kind: 'person',
  id,
  name,
  roles,
  strongAuthAt: clock.now(),
});
const ada = () => person('p1', 'Ada', ['security']);
const bob = () => person('p2', 'Bob', ['owner']);
const EMAIL = 'jane.miller@acme-corp.io';

interface Row extends SubjectRecord {
  readonly connectionId: string;
}

/** Tools as connectors show them: acts are idempotent by key, as the journal of actions makes them. */
class FakeTools implements SubjectTools {
  rows: Row[] = [];
  readonly acted: string[] = [];
  readonly #keys = new Set<string>();
  dieAfter = Infinity;
  closed = new Set<string>();
  /** What the tool does with an act; tests replace it. */
  isDeaf = false;
  refuses = '';

  add(connectionId: string, object: string, id: string, content: Record<string, unknown>): void {
    this.rows.push({ connectionId, object, id, parentId: null, title: null, content, url: null });
  }

  list = async (): Promise<SubjectSource[]> => [
    {
      connectionId: 'slack',
      app: 'slack',
      streams: ['messages'],
      way: (_object, wish) => ({ way: wish === 'erase' ? 'delete' : 'anonymise', action: `${wish}-message` }),
    },
    {
      connectionId: 'github',
      app: 'github',
      streams: ['issues'],
      way: () => ({ way: 'anonymise', action: 'anonymise-issue' }),
    },
    { connectionId: 'stripe', app: 'stripe', streams: ['charges'], way: () => null },
  ];

  async *read(connectionId: string): AsyncGenerator<SubjectRecord> {
    if (this.closed.has(connectionId)) throw new NotAvailable('The plan does not show it.');
    yield* this.rows.filter((row) => row.connectionId === connectionId && row.object !== 'account');
  }

  async *accounts(connectionId: string): AsyncGenerator<SubjectRecord> {
    yield* this.rows.filter((row) => row.connectionId === connectionId && row.object === 'account');
  }

  inputs: SubjectTools['inputs'] = async (_connectionId, _action, record) => ({
    id: record.id,
    content: record.content,
  });

  act = async ({ connectionId, action, input, key }: SubjectAct) => {
    if (action === this.refuses) return { runId: `run-${key}`, outcome: null, error: 'no permission' };
    if (!this.#keys.has(key)) {
      this.#keys.add(key);
      this.acted.push(`${action} ${String(input['id'])}`);
      if (!this.isDeaf) {
        const isIt = (row: Row) => row.connectionId === connectionId && row.id === input['id'];
        this.rows = this.rows.flatMap((row) => {
          if (!isIt(row)) return [row];
          return action.startsWith('erase') ? [] : [{ ...row, content: input['content'] }];
        });
      }
      if (this.acted.length === this.dieAfter) {
        this.dieAfter = Infinity;
        throw new Error('killed');
      }
    }
    return { runId: `run-${key}`, outcome: 'done', error: null };
  };
}

/** Steps as the engine runs them: what ended is remembered, what died is run again. */
class Engine {
  readonly #done = new Map<string, unknown>();
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

type Job = { readonly id: string; readonly requestId: string; readonly phase: 'search' | 'run' | 'check' };
let data: TestDatabase;
let tools: FakeTools;
let queue: Job[];
let engine: Engine;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, governanceMigrations]);
  await ensureFingerprintKey({ db: data.db, clock, envelope, publish });
});
afterAll(() => data.drop());
beforeEach(async () => {
  tools = new FakeTools();
  queue = [];
  engine = new Engine();
  tools.add('slack', 'message', 'C1:1', { text: `Refund for ${EMAIL} goes out` });
  tools.add('slack', 'message', 'C1:2', { text: 'Nothing about anybody' });
  tools.add('github', 'issue', 'acme/shop#1', { title: 'Refund', body: `Jane Miller <${EMAIL.toUpperCase()}> asks` });
  tools.add('stripe', 'charge', 'ch_1', { receipt_email: EMAIL });
});

const deps = () => ({ db: data.db, clock, envelope, tools, pause: async () => undefined });
const commands = () =>
  createSubjectCommands({
    db: data.db,
    clock,
    envelope,
    workflows: {
      enqueue: async (_tx, _definition, id, input) => {
        const { requestId, phase } = input as Omit<Job, 'id'>; // what the commands enqueue
        queue.push({ id, requestId, phase });
      },
    },
  });
/** As a worker does, with what waits. */
async function work(): Promise<void> {
  for (let job = queue.shift(); job; job = queue.shift()) {
    await createSubjectWorkflow(deps()).run(job, engine.steps(job.id));
  }
}
const open = (more: Partial<z.input<typeof subjectRequestInput>> = {}) =>
  commands().open(ada(), { kind: 'erase', reference: 'DSR-7', identifiers: [{ value: EMAIL }], ...more });
async function found(more: Partial<z.input<typeof subjectRequestInput>> = {}): Promise<string> {
  const { id } = await open(more);
  await commands().search(ada(), id);
  await work();
  await commands().noteIdentity(ada(), id, 'signed in with the account');
  return id;
}
const states = async (id: string) =>
  Object.fromEntries((await listTargets(data.db, id)).map(({ app, object, status }) => [`${app} ${object}`, status]));

test('a dry run says what will be touched and touches nothing; nothing of the person is stored in clear', async () => {
  const id = await found();
  expect(await states(id)).toEqual({ 'slack message': 'planned', 'github issue': 'planned', 'stripe charge': 'task' });
  const targets = await listTargets(data.db, id);
  expect(targets.map(({ way, fields }) => [way, fields])).toEqual([
    ['delete', ['content.text']],
    ['anonymise', ['content.body']],
    [null, ['content.receipt_email']],
  ]);
  expect(tools.acted).toEqual([]);
  const request = await loadSubjectRequest(data.db, id);
  expect([request.status, request.dueAt.toISOString()]).toEqual(['found', '2026-12-02T23:59:59.000Z']);
  const rows = await Promise.all([
    tablesOf(data.db).selectFrom('subject_request').selectAll().execute(),
    tablesOf(data.db).selectFrom('subject_target').selectAll().execute(),
    readAudit(data.db, { limit: 200 }),
  ]);
  expect(JSON.stringify(rows).toLowerCase()).not.toContain('jane');
});

test('a run deletes or makes anonymous, reads again, and leaves to people what no tool can', async () => {
  const id = await found();
  await commands().run(ada(), id);
  await work();
  expect(tools.acted).toEqual(['erase-message C1:1', 'anonymise-issue acme/shop#1']);
  expect(await states(id)).toEqual({
    'slack message': 'verified',
    'github issue': 'verified',
    'stripe charge': 'task',
  });
  expect(tools.rows.find(({ id: record }) => record === 'acme/shop#1')?.content).toEqual({
    title: 'Refund',
    body: REMOVED_TEXT,
  });
  expect((await loadSubjectRequest(data.db, id)).status).toBe('tasks');

  // Said to be done and not done: the next reading finds it.
  await commands().taskDone(ada(), id, 2, 'removed in the dashboard');
  await work();
  expect(await states(id)).toMatchObject({ 'stripe charge': 'task' });
  tools.rows = tools.rows.filter(({ object }) => object !== 'charge');
  await commands().taskDone(ada(), id, 2, 'removed in the dashboard');
  await work();
  expect(await states(id)).toMatchObject({ 'stripe charge': 'verified' });
  const done = await loadSubjectRequest(data.db, id);
  expect([done.status, done.isSealed, done.evidenceSha256?.length]).toEqual(['done', false, 64]);
});

test('what the tool does not take is failed, never done, and is tried again', async () => {
  const id = await found();
  tools.isDeaf = true;
  await commands().run(ada(), id);
  await work();
  expect(await states(id)).toEqual({ 'slack message': 'failed', 'github issue': 'failed', 'stripe charge': 'task' });
  tools.isDeaf = false;
  await commands().run(ada(), id);
  await work();
  expect(await states(id)).toEqual({
    'slack message': 'verified',
    'github issue': 'verified',
    'stripe charge': 'task',
  });
});

test('where a tool refuses to delete, the texts that name the person are replaced', async () => {
  const id = await found();
  tools.refuses = 'erase-message';
  await commands().run(ada(), id);
  await work();
  const [target] = await listTargets(data.db, id);
  expect(target).toMatchObject({ status: 'verified', way: 'anonymise', reason: 'Not deleted: no permission' });
  expect(tools.rows.find(({ id: record }) => record === 'C1:1')?.content).toEqual({ text: REMOVED_TEXT });
});

test('a stream that cannot be read is a gap, and what could not be read again is not verified', async () => {
  tools.closed.add('github');
  const id = await found();
  const { gaps } = await loadSubjectRequest(data.db, id);
  expect(gaps).toEqual([{ app: 'github', what: 'issues', because: 'The plan does not show it.' }]);
  await commands().run(ada(), id);
  tools.closed.add('slack');
  await work();
  expect(await states(id)).toMatchObject({ 'slack message': 'failed' });
  expect(tools.acted).toEqual([]);
});

test('a legal hold wins, also one that is placed after the search', async () => {
  const retention = createRetentionCommands({ db: data.db, clock, workflows: { enqueue: async () => undefined } });
  const scope = { app: 'slack', object: null, connectionId: null, recordId: null };
  const id = await found();
  const hold = await retention.hold(ada(), { name: 'Case 9', scope, reason: 'court order' });
  await commands().run(ada(), id);
  await work();
  expect(await states(id)).toMatchObject({ 'slack message': 'held', 'github issue': 'verified' });
  const later = await found();
  expect(await states(later)).toMatchObject({ 'slack message': 'held' });
  await retention.release(bob(), hold.id);
  expect(tools.acted).toEqual(['anonymise-issue acme/shop#1']);
});

test('above the limit another person approves, with a strong factor', async () => {
  const id = await found({ approvalAbove: 1 });
  expect((await commands().run(ada(), id)).status).toBe('waiting');
  expect(queue).toEqual([]);
  await expect(commands().approve(ada(), id)).rejects.toThrow(ApproverSame);
  await expect(commands().approve({ ...bob(), strongAuthAt: 0 } as Actor, id)).rejects.toThrow(StepUpRequired);
  await commands().approve(bob(), id);
  await work();
  expect(tools.acted).toHaveLength(2);
});

test('nothing runs before the identity was checked; a spared record stays, also after another search', async () => {
  const { id } = await open();
  await commands().search(ada(), id);
  await work();
  await expect(commands().run(ada(), id)).rejects.toThrow(StateConflict);
  await commands().noteIdentity(ada(), id, 'passport shown in a call');
  await commands().spare(ada(), id, 0, 'needed for a claim');
  await commands().search(ada(), id);
  await work();
  await commands().run(ada(), id);
  await work();
  expect(await states(id)).toMatchObject({ 'slack message': 'spared', 'github issue': 'verified' });
});

test('the time can be extended once, a request refused, and an ended one knows nobody', async () => {
  const { id } = await open();
  const extended = await commands().extend(ada(), id, 'many systems');
  expect(extended.dueAt.toISOString()).toBe('2027-02-02T23:59:59.000Z');
  await expect(commands().extend(ada(), id, 'again')).rejects.toThrow(StateConflict);
  expect(await commands().refuse(ada(), id, 'nobody could say who asks')).toMatchObject({
    status: 'refused',
    isSealed: false,
  });
  await expect(commands().search(ada(), id)).rejects.toThrow(StateConflict);
});

test.each([1, 2])('killed after act %i it resumes, and does each act once', async (dieAfter) => {
  const id = await found();
  tools.dieAfter = dieAfter;
  await commands().run(ada(), id);
  const [job] = queue.splice(0);
  if (!job) throw new Error('nothing was enqueued');
  await expect(createSubjectWorkflow(deps()).run(job, engine.steps(job.id))).rejects.toThrow('killed');
  expect((await loadSubjectRequest(data.db, id)).status).toBe('acting');
  engine.isDead = false;
  await createSubjectWorkflow(deps()).run(job, engine.steps(job.id));
  expect(tools.acted).toEqual(['erase-message C1:1', 'anonymise-issue acme/shop#1']);
  expect(await states(id)).toMatchObject({ 'slack message': 'verified', 'github issue': 'verified' });
});

test('an export is handed over by app, by who may, with a line in the trail, and forgotten after a month', async () => {
  tools.add('slack', 'account', 'U1', { email: EMAIL });
  const id = await found({ kind: 'export' });
  await commands().run(ada(), id);
  await work();
  expect((await loadSubjectRequest(data.db, id)).status).toBe('done');
  await expect(commands().bundle({ ...ada(), strongAuthAt: 0 } as Actor, id)).rejects.toThrow(StepUpRequired);
  const { apps } = await commands().bundle(ada(), id);
  expect(
    Object.fromEntries(Object.entries(apps).map(([app, records]) => [app, records.map(({ object }) => object)])),
  ).toEqual({ slack: ['message', 'account'], github: ['issue'], stripe: ['charge'] });
  expect(JSON.stringify(apps['stripe'])).toContain(EMAIL);
  const items = await readAudit(data.db, { limit: 200 });
  expect(items.map(({ action }) => action)).toContain('subject.bundle_downloaded');
  expect(tools.acted).toEqual([]);
  clock.advance(31 * 86_400_000);
  expect(await sweepSubjectBundles(data.db, clock.now())).toBeGreaterThan(0);
  await expect(commands().bundle(ada(), id)).rejects.toThrow(DataUnknown);
});

test('what is sealed comes under a new key, and the old one is no longer needed', async () => {
  const { id } = await open();
  const keys = [Buffer.alloc(32, 9), Buffer.alloc(32, 7)];
  const both = createSecretEnvelope({ keys });
  expect(await rewrapGovernanceSecrets({ db: data.db, clock, envelope: both, publish })).toBeGreaterThan(1);
  expect(await rewrapGovernanceSecrets({ db: data.db, clock, envelope: both, publish })).toBe(0);
  const fresh = createSecretEnvelope({ keys: keys.slice(0, 1) });
  expect(await openIdentifiers(data.db, fresh, id)).toMatchObject([{ value: EMAIL }]);
  expect(await loadFingerprintKey(data.db, fresh)).not.toBeNull();
  const back = createSecretEnvelope({ keys: keys.toReversed() });
  expect(await rewrapGovernanceSecrets({ db: data.db, clock, envelope: back, publish })).toBeGreaterThan(1);
});

test('fingerprints find what no connector reads, and those of an erased person are forgotten', async () => {
  const taxonomy = loadTaxonomy();
  const inventory = createInventory({
    db: data.db,
    clock,
    envelope,
    categories: createFieldCategories(taxonomy.names),
  });
  async function* sample(object: string, text: string) {
    yield { id: 'r1', object, content: { text } };
  }
  const long = `${EMAIL} ${Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ')}`;
  await inventory.takeSample('slack', sample('message', long));
  await inventory.takeSample('warehouse', sample('row', EMAIL));
  const places = async () => (await inventory.findSpread(ada(), EMAIL)).places.map(({ app }) => app);
  expect(await places()).toEqual(['slack', 'warehouse']);

  tools.rows = tools.rows.filter(({ object }) => object === 'message');
  const id = await found();
  expect(await states(id)).toMatchObject({ 'warehouse row': 'task', 'slack message': 'planned' });
  await commands().run(ada(), id);
  await work();
  // The warehouse still has it, and Cordon has to know until somebody saw to it.
  expect(await places()).toEqual(['warehouse']);
  const task = (await listTargets(data.db, id)).find(({ app }) => app === 'warehouse');
  await commands().taskDone(ada(), id, task?.seq ?? -1, 'deleted by the data team');
  await work();
  expect(await states(id)).toMatchObject({ 'warehouse row': 'task-done' });
  expect(await places()).toEqual([]);
  expect((await inventory.overlaps(ada())).apps.map(({ records }) => records)).toEqual([0, 0]);
});
