import { type Actor, appendAudit, createSecretEnvelope, kernelMigrations, migrate } from '@cordon/kernel';
import { createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import type { BatchDigestLake } from '@cordon/lake';
import { createTestLake, sampleCall, type TestLake } from '@cordon/lake/testing';
import { loadLog, proofMigrations, verifyExport, verifyRecordProof } from '@cordon/proof';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkLake, createLakeLog, LAKE_LOG, takeLeaves } from './lake-log.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const DAY = 86_400_000;
const clock = { now: () => Date.now() };
const system: Actor = { kind: 'system', name: 'retention' };
let data: TestDatabase;
let lake: TestLake;
let digests: BatchDigestLake;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, proofMigrations]);
  lake = await createTestLake();
  // Nothing else writes: what is there has settled.
  digests = { ...lake.lake.digests, settledAt: async () => (await lake.lake.digests.settledAt()) + 70_000 };
  await lake.lake.ingest({ id: 'b', events: Array.from({ length: 6 }, (_, index) => call(index)) });
}, 60_000);
afterAll(async () => {
  await lake.close();
  await data.drop();
});

const call = (index: number) =>
  sampleCall({
    id: `01930000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    time: NOW - Math.floor(index / 2) * DAY,
  });
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 3)] });
const log = () => createLakeLog({ db: data.db, envelope, clock, publicUrl: 'https://cordon.example' });
const check = () => checkLake({ db: data.db, digests });

test('what was taken is proved, and verified with the key alone', async () => {
  expect(await takeLeaves({ db: data.db, clock, digests })).toBe(1);
  expect(await takeLeaves({ db: data.db, clock, digests })).toBe(0);
  expect(await log().advance()).toBe(1);
  const { key } = await loadLog(data.db, LAKE_LOG);
  expect(await verifyExport(log().export(), { key })).toMatchObject({ records: 1, uncovered: 0 });
  const proof = verifyRecordProof(await log().proveRecord(1), key, { keys: [], min: 0 });
  expect(JSON.parse(proof.record)).toMatchObject({ seq: 1, events: 6, days: [{ day: '20261120', events: 2 }, {}, {}] });
  expect(await check()).toEqual({ leaves: 1, events: 6, deleted: 0, broken: [] });
});

test('an event that is removed, changed or added is found; what retention took is told apart', async () => {
  const stored = (await check()).broken;
  expect(stored).toEqual([]);
  const gone = await lake.lake.expiry.delete({ query: 'id:01930000-0000-7000-8000-000000000005', before: NOW }, []);
  expect(await check()).toMatchObject({
    broken: [{ leaf: 1, day: '20261120', expected: 2, found: 1, problem: 'removed' }],
  });

  await data.db.transaction((tx) =>
    appendAudit(tx, {
      actor: system,
      action: 'lake.days_deleted',
      target: { type: 'lake', name: 'events' },
      detail: { days: gone },
      at: clock.now(),
    }),
  );
  expect(await check()).toMatchObject({ deleted: 1, broken: [] });

  // Somebody with the engine's password, behind Cordon's back.
  const answer = await fetch(`${lake.process.url}/?database=cordon&mutations_sync=2`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': 'cordon', 'x-clickhouse-key': lake.password },
    body: "ALTER TABLE cordon.events UPDATE raw = replaceAll(raw, 'GitHub', 'Gitlab') WHERE event_id = '01930000-0000-7000-8000-000000000000'",
  });
  expect(await answer.text()).toBe('');
  expect((await check()).broken).toMatchObject([{ day: '20261122', problem: 'changed' }]);
});
