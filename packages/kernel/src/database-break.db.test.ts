import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from './testing.ts';

let home: TestDatabase;
beforeAll(async () => {
  home = await createTestDatabase();
});
afterAll(() => home.drop());

test('a connection that breaks between two statements fails its transaction, not the process', async () => {
  const { db } = home;
  const broken = db.transaction(async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx.tables());
    await sql`select pg_terminate_backend(${rows[0]?.pid ?? 0}, 5000)`.execute(db.tables());
    await sql`select 1`.execute(tx.tables());
  });
  // An 'error' event that nobody hears is an uncaught exception, which fails the whole test run.
  await expect(broken).rejects.toThrow(/terminat|Connection|not queryable/i);
  await db.ping();
});
