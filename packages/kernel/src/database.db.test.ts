import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sql } from 'kysely';
import { appendAudit, readAudit, verifyAudit, walkAudit } from './audit.ts';
import { AuditBroken, MigrationConflict } from './errors.ts';
import { migrate } from './migration.ts';
import { kernelMigrations } from './migrations.ts';
import { createTestDatabase, createTestLogger, type TestDatabase } from './testing.ts';
import { openWorkflowClient, startWorkflows, type WorkflowDefinition } from './workflow.ts';

let test1: TestDatabase;

beforeAll(async () => {
  test1 = await createTestDatabase();
  await migrate(test1.db, [kernelMigrations]);
});
afterAll(() => test1.drop());

const actor = { kind: 'system', name: 'test' } as const;

test('migrations run once, and a changed file is refused', async () => {
  expect(await migrate(test1.db, [kernelMigrations])).toEqual({ applied: [] });
  const tables = test1.db.tables<{ cordon_migrations: { package: string; sha256: string } }>();
  await tables.updateTable('cordon_migrations').set({ sha256: 'other' }).where('package', '=', 'kernel').execute();
  await expect(migrate(test1.db, [kernelMigrations])).rejects.toBeInstanceOf(MigrationConflict);
});

test('an audit record exists if and only if its change committed', async () => {
  const before = await readAudit(test1.db, { limit: 500 });
  const failing = test1.db.transaction(async (tx) => {
    await appendAudit(tx, { actor, action: 'thing.made', target: { type: 'thing' }, at: 1 });
    throw new Error('the change failed');
  });
  await expect(failing).rejects.toThrow('the change failed');
  expect(await readAudit(test1.db, { limit: 500 })).toHaveLength(before.length);
});

test('concurrent appends make one unbroken chain', async () => {
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      test1.db.transaction((tx) =>
        appendAudit(tx, { actor, action: 'thing.made', target: { type: 'thing', id: String(index) }, at: index }),
      ),
    ),
  );
  const { records } = await verifyAudit(test1.db);
  expect(records).toBeGreaterThanOrEqual(40);
});

test.each([
  ['changed', sql`update audit_trail set record = replace(record, 'thing.made', 'thing.lost') where seq = 5`],
  ['re-labelled in its columns', sql`update audit_trail set action = 'thing.lost' where seq = 5`],
  ['hidden from a search for its target', sql`update audit_trail set target_id = 'other' where seq = 5`],
  ['given to someone else in its columns', sql`update audit_trail set actor_name = 'other' where seq = 5`],
  ['removed', sql`delete from audit_trail where seq = 5`],
  ['cut off at the end', sql`delete from audit_trail where seq = (select max(seq) from audit_trail)`],
  [
    'reordered',
    sql`update audit_trail set seq = case seq when 5 then -6 when 6 then 5 else seq end where seq in (5, 6)`,
  ],
])('a record that was %s is found', async (_what, tamper) => {
  const undo = new Error('undo');
  const attempt = test1.db.transaction(async (tx) => {
    const tables = tx.tables<Record<string, never>>();
    await sql`alter table audit_trail disable trigger user`.execute(tables);
    await tamper.execute(tables);
    await expect(walkAudit(tx)).rejects.toBeInstanceOf(AuditBroken);
    throw undo;
  });
  await expect(attempt).rejects.toBe(undo);
  await verifyAudit(test1.db);
});

test('what is appended while the trail is walked is no break', async () => {
  const append = () =>
    test1.db.transaction((tx) => appendAudit(tx, { actor, action: 'thing.made', target: { type: 'thing' }, at: 1 }));
  const walking = new AbortController();
  const appending = (async () => {
    while (!walking.signal.aborted) await append();
  })();
  const walks = Array.from({ length: 20 }, () => verifyAudit(test1.db));
  const ends = await Promise.allSettled(walks);
  walking.abort();
  await appending;
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
});

test('the trail itself refuses changes', async () => {
  const change = sql`delete from audit_trail`.execute(test1.db.tables<Record<string, never>>());
  await expect(change).rejects.toThrow('append-only');
});

test('listeners hear what was committed, not what was rolled back', async () => {
  const heard: (string | null)[] = [];
  const done = Promise.withResolvers<void>();
  const listener = await test1.db.listen('channel_a', (payload) => {
    heard.push(payload);
    if (payload === 'committed') done.resolve();
  });
  const rolledBack = test1.db.transaction(async (tx) => {
    await tx.notify('channel_a', 'rolled back');
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await test1.db.transaction((tx) => tx.notify('channel_a', 'committed'));
  await done.promise;
  await listener.stop();
  expect(heard).toEqual(['committed']);
});

test('a workflow that is enqueued in a transaction runs once it commits, and never when it rolls back', async () => {
  const seen: string[] = [];
  const definition: WorkflowDefinition<{ name: string }> = {
    name: 'greet',
    run: async (input, steps) => {
      const greeting = await steps.step('compose', async () => `hello ${input.name}`);
      await steps.step('remember', async () => void seen.push(greeting));
      return greeting;
    },
  };
  const logger = createTestLogger();
  const runner = await startWorkflows({ databaseUrl: test1.url, logger, executorId: 'w1', definitions: [definition] });
  const client = await openWorkflowClient({ databaseUrl: test1.url, logger });
  const rolledBack = test1.db.transaction(async (tx) => {
    await client.enqueue(tx, definition, 'greet-2', { name: 'nobody' });
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await test1.db.transaction((tx) => client.enqueue(tx, definition, 'greet-1', { name: 'Ada' }));
  expect(await client.result('greet-1')).toBe('hello Ada');
  expect(await client.find('greet-2')).toBeNull();
  expect(seen).toEqual(['hello Ada']);
  await client.close();
  await runner.stop();
});

test('a listener whose connection is ended comes back once, and says that something may have been missed', async () => {
  const heard: (string | null)[] = [];
  const again = Promise.withResolvers<void>();
  const listener = await test1.db.listen('channel_b', (payload) => {
    heard.push(payload);
    if (payload === 'after') again.resolve();
  });
  const tables = test1.db.tables<Record<string, never>>();
  const count = async (): Promise<number> => {
    const found = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
      where application_name = 'cordon listen channel_b' and datname = current_database()`.execute(tables);
    return found.rows[0]?.n ?? 0;
  };
  for (let round = 0; round < 3; round++) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'cordon listen channel_b' and datname = current_database()`.execute(tables);
    await vi.waitFor(async () => {
      expect(await count()).toBe(1);
      expect(heard).toHaveLength(round + 1);
    }, 10_000);
  }
  await test1.db.notify('channel_b', 'after');
  await again.promise;
  await listener.stop();
  expect(heard).toEqual([null, null, null, 'after']);
  await vi.waitFor(async () => expect(await count()).toBe(0), 10_000);
});
