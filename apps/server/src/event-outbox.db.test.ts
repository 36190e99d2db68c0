import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { migrate } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { clearOutbox, createEventOutbox, readOutbox, refuseOutbox, serverMigrations } from './event-outbox.ts';

let test1: TestDatabase;

beforeAll(async () => {
  test1 = await createTestDatabase();
  await migrate(test1.db, [serverMigrations]);
});
afterAll(() => test1.drop());

test('events wait in PostgreSQL in order, whatever is in them, and leave when they are cleared', async () => {
  const outbox = createEventOutbox(test1.db, createTestLogger());
  const texts = ["it's", 'a "quote"', 'back\\slash', '\u{1F600}', '$1; drop table event_outbox'];
  for (const text of texts) outbox.emit({ text });
  await outbox.stop();
  const rows = await readOutbox(test1.db);
  expect(rows.map(({ event }) => (event as { text: string }).text)).toEqual(texts);
  await clearOutbox(
    test1.db,
    rows.map(({ id }) => id),
  );
  expect(await readOutbox(test1.db)).toEqual([]);
});

test('an event that can never be stored holds up nothing and is kept with its reason', async () => {
  const outbox = createEventOutbox(test1.db, createTestLogger());
  outbox.emit({ bad: true });
  outbox.emit({ good: true });
  await outbox.stop();
  const [bad, good] = await readOutbox(test1.db);
  await refuseOutbox(test1.db, bad?.id ?? 0, 'is no event');
  await clearOutbox(test1.db, [bad?.id ?? 0, good?.id ?? 0]);
  expect(await readOutbox(test1.db)).toEqual([]);
  const kept = await test1.db
    .tables<{ event_outbox: { refused: string } }>()
    .selectFrom('event_outbox')
    .select('refused')
    .execute();
  expect(kept).toEqual([{ refused: 'is no event' }]);
});

test('what cannot be written now is written later', async () => {
  const logger = createTestLogger();
  const tables = test1.db.tables<{ event_outbox: { id: number } }>();
  const { sql } = await import('kysely');
  await sql`alter table event_outbox rename to elsewhere`.execute(tables);
  const outbox = createEventOutbox(test1.db, logger);
  outbox.emit({ late: true });
  await vi.waitFor(() => expect(logger.lines.join('')).toContain('events wait for PostgreSQL'), 5_000);
  await sql`alter table elsewhere rename to event_outbox`.execute(tables);
  await vi.waitFor(async () => expect(await readOutbox(test1.db)).toHaveLength(1), 5_000);
  await outbox.stop();
});
