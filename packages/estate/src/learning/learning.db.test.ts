import { createSecretEnvelope, kernelMigrations, migrate, type WorkflowClient } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { createLearner } from '@cordon/openapi';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEstate, type Estate } from '../estate.ts';
import { StateConflict } from '../errors.ts';
import { estateMigrations } from '../migrations.ts';
import { parseLessons } from './lesson.ts';
import { takeLessons } from './take-lessons.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const clock = createFakeClock();
const logger = createTestLogger();
let database: TestDatabase;
let estate: Estate;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.db, [kernelMigrations, estateMigrations]);
  const none = async (): Promise<void> => undefined;
  const workflows = { enqueue: none } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient; // none runs here
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
  const context = { db: database.db, clock, envelope, logger, workflows, endAccess: none, restoreAccess: none };
  estate = createEstate(context, () => undefined);
});
afterAll(() => database.drop());

/** As a gateway tells it: one line of what an integration's calls looked like. */
function lesson(app: string, integration: string, bodies: readonly unknown[]): string {
  const learner = createLearner();
  for (const [index, requestBody] of bodies.entries()) {
    learner.observe({
      method: 'POST',
      path: `/orders/${index}`,
      query: new URLSearchParams({ expand: 'true' }),
      requestType: 'application/json',
      requestBody,
      status: 200,
      responseType: 'application/json',
      responseBody: { id: index, note: null, tags: ['a'], meta: { a1b2c3d4: 'x' }, total: index % 2 ? 1 : 'one' },
    });
  }
  const named = { id: integration, name: integration };
  return `${JSON.stringify({ app, integration: named, calls: learner.calls, at: clock.now(), state: learner.state() })}\n`;
}

const good = (count: number) => Array.from({ length: count }, (_, n) => ({ sku: `s${n}`, amount: n }));
const take = (key: string, ndjson: string) =>
  takeLessons({ db: database.db, clock, logger }, key, parseLessons(ndjson).lines);

test('lessons of several processes add up, each batch once; a person accepts what they looked at', async () => {
  const { id } = await estate.apps.create(OWNER, { name: 'orders', upstream: 'https://api.example.com/v1' });
  const propose = (input = {}) => estate.learning.proposal(OWNER, id, input);
  expect((await propose()).operations).toEqual([]);
  await expect(estate.learning.accept(OWNER, id, { digest: '0'.repeat(64) })).rejects.toBeInstanceOf(StateConflict);

  const first = lesson(id, 'sync', good(12));
  expect([await take('one', first), await take('one', first)]).toEqual([1, 0]);
  await take('two', lesson(id, 'sync', good(8)) + lesson(id, 'rogue', [{ sku: { $gt: '' }, admin: true }]));
  const all = await propose();
  expect(all.teachers.map(({ id: teacher, calls }) => [teacher, calls])).toEqual([
    ['sync', 20],
    ['rogue', 1],
  ]);
  const clean = await propose({ without: ['rogue'] });
  expect(clean.calls).toBe(20);
  expect(clean.operations[0]?.fields.map(({ path }) => path)).not.toContain('admin');
  expect(clean.digest).not.toBe(all.digest);

  // What was looked at with the junk isn't what would be accepted without it.
  const accept = (input: object) => estate.learning.accept(OWNER, id, { without: ['rogue'], ...input });
  await expect(accept({ digest: all.digest })).rejects.toBeInstanceOf(StateConflict);
  // More of the same changes counts, not what the description allows.
  await take('three', lesson(id, 'sync', good(3)));
  const app = await accept({ digest: clean.digest });
  expect(app).toMatchObject({
    description: { operations: 1, version: '0-observed' },
    settings: { validateRequests: 'observe', validateResponses: 'observe' },
  });
  const after = await propose({ without: ['rogue'] });
  expect(after.operations.map(({ standing, describedAs }) => [standing, describedAs !== null])).toEqual([
    ['known', true],
  ]);
  const [withJunk] = (await propose()).operations;
  expect(withJunk?.fields.filter(({ standing }) => standing !== 'known').map(({ path }) => path)).toEqual([
    'admin',
    'sku.$gt',
  ]);

  await estate.learning.forget(OWNER, id, 'rogue');
  expect((await propose()).teachers.map(({ id: teacher }) => teacher)).toEqual(['sync']);
});

test('a description that somebody wrote is replaced only when asked for', async () => {
  const { id } = await estate.apps.create(OWNER, { name: 'written', upstream: 'https://api.example.com' });
  const paths = { '/a': { get: { responses: { 200: { description: 'ok' } } } } };
  const document = { openapi: '3.1.0', info: { title: 'T', version: '7' }, paths };
  await estate.apps.setDescription(OWNER, id, Buffer.from(JSON.stringify(document)));
  await take('four', lesson(id, 'sync', good(2)));
  const { digest, operations, unseen } = await estate.learning.proposal(OWNER, id, {});
  expect([operations.map(({ standing }) => standing), unseen.length]).toEqual([['new'], 1]);
  await expect(estate.learning.accept(OWNER, id, { digest })).rejects.toThrow(/somebody gave/);
  expect((await estate.learning.accept(OWNER, id, { digest, replace: true })).description?.version).toBe('0-observed');
});

test('lines that are none, and apps that are gone, are left', async () => {
  expect(parseLessons('{"app":1}\nnothing\n')).toEqual({ lines: [], refused: 2 });
  expect(await take('five', lesson('018f0000-0000-7000-8000-00000000dead', 'sync', good(1)))).toBe(0);
  const { id } = await estate.apps.create(OWNER, { name: 'odd', upstream: 'https://api.example.com' });
  const line = { app: id, integration: { id: 'x', name: 'x' }, calls: 1, at: 1, state: { v: 1, root: { m: 1 } } };
  expect(await take('six', `${JSON.stringify(line)}\n`)).toBe(0);
  expect((await estate.learning.proposal(OWNER, id, {})).teachers).toEqual([]);
});
