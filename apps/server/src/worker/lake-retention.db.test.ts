import { createEventRetentionCommands, detectionMigrations, eventHoldInput, listEventRules } from '@cordon/detection';
import { type Actor, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { checkQuery } from '@cordon/lake';
import { createTestLake, sampleCall, type TestLake } from '@cordon/lake/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepLakeShort } from './lake-retention.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const clock = { now: () => NOW };
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const auditor: Actor = { kind: 'person', id: 'p2', name: 'Audrey', roles: ['auditor'] };

let data: TestDatabase;
let lake: TestLake;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
  lake = await createTestLake({ clock });
  const labelled = (index: number) => {
    const call = sampleCall({
      id: `01930000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      time: NOW - index * DAY,
    });
    return index % 2 === 0 ? call : { ...call, unmapped: { ...call.unmapped, enrichment: { label: 'restricted' } } };
  };
  await lake.lake.ingest({ id: 'b', events: Array.from({ length: 20 }, (_, index) => labelled(index)) });
}, 60_000);
afterAll(async () => {
  await lake.close();
  await data.drop();
});

const commands = () =>
  createEventRetentionCommands({ db: data.db, clock, checkQuery: (query) => checkQuery({ query }, NOW) });
const count = (query: string): Promise<number> => lake.lake.count({ query, from: 0, to: NOW + DAY });
const keep = (days: number) => keepLakeShort({ db: data.db, lake: lake.lake, clock, days });

test('label, age, size and a hold that wins over all', async () => {
  await commands().addRule(ada, { name: 'restricted-short', query: 'label:restricted', days: 4 });
  const hold = await commands().hold(
    ada,
    eventHoldInput.parse({ name: 'case-7', from: NOW - 12 * DAY - 1, to: NOW - 10 * DAY + 1, reason: 'Case 7' }),
  );
  await keep(14);
  // Of twenty days: 15 to 19 are too old, restricted ones (odd days) past 4 go but day 11, which is held.
  expect(await count('label:restricted')).toBe(3);
  expect(await count('')).toBe(3 + 8);
  expect(await listEventRules(data.db)).toMatchObject([{ name: 'restricted-short', deleted: 4, lastError: null }]);

  await commands().limitSize(ada, 100_000_000);
  await keep(14);
  expect(await count('')).toBe(11);

  await commands().lift(ada, hold.id, 'Case 7 is closed');
  await keep(9);
  expect(await count('time<2026-11-13')).toBe(0);
  const audit = await readAudit(data.db, { limit: 50 });
  expect(audit.map(({ action }) => action)).toEqual(
    expect.arrayContaining([
      'event-retention-rule.created',
      'event-hold.placed',
      'event-hold.lifted',
      'lake.days_deleted',
    ]),
  );
});

test.each([
  ['a search that is none', { query: 'nosuchfield:1', days: 3 }],
  ['a time that moves', { query: 'time<now-7d', days: 3 }],
])('%s is no rule', async (_why, rule) => {
  await expect(commands().addRule(ada, { name: 'odd', ...rule })).rejects.toThrow(/field|times/);
});

test('who may only read places no hold and removes no rule', async () => {
  await expect(commands().hold(auditor, eventHoldInput.parse({ name: 'x', reason: 'mine' }))).rejects.toThrow(
    /permission|allowed/i,
  );
});
