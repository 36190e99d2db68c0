import { migrate } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverMigrations } from '../event-outbox.ts';
import { finishAuditBatch, readAuditCursor, startAuditBatch } from './audit-events.ts';

let made: TestDatabase;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [serverMigrations]);
});
afterAll(() => made.drop());

test('a batch that was begun is the one that is sent again', async () => {
  await startAuditBatch(made.db, 3);
  expect(await readAuditCursor(made.db)).toEqual({ done: 0, pending: 3 });
  await finishAuditBatch(made.db, 3);
  expect(await readAuditCursor(made.db)).toEqual({ done: 3, pending: null });
});

test('a worker that another overtook does not hold up the export for ever', async () => {
  // Both read the same cursor; the other finished its batch before this one said which it begins.
  await startAuditBatch(made.db, 5);
  await finishAuditBatch(made.db, 5);
  await startAuditBatch(made.db, 4);
  await finishAuditBatch(made.db, 4);
  expect(await readAuditCursor(made.db)).toEqual({ done: 5, pending: null });
});
