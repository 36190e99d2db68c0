import { createSecretEnvelope, kernelMigrations, migrate, readAudit, type WorkflowClient } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import type { SeenConnection } from '@cordon/policy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEstate, type Estate } from '../estate.ts';
import { estateMigrations } from '../migrations.ts';

const OWNER = { kind: 'person', id: '018f0000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const DAY_MS = 86_400_000;
const clock = createFakeClock();
let database: TestDatabase;
let estate: Estate;
let appId = '';

beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, estateMigrations]);
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
  const workflows = { enqueue: async () => undefined } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient;
  const nothing = async (): Promise<void> => undefined;
  estate = createEstate(
    { db, clock, envelope, logger: createTestLogger(), workflows, endAccess: nothing, restoreAccess: nothing },
    () => undefined,
  );
  appId = (await estate.apps.create(OWNER, { name: 'notes', upstream: 'https://api.example.com' })).id;
});
afterAll(() => database.drop());

const seen = (days: number): SeenConnection => ({
  chain: [
    {
      subject: 'CN=api.example.com',
      issuer: 'CN=Some authority',
      notBefore: clock.now() - 300 * DAY_MS,
      notAfter: clock.now() + days * DAY_MS,
      keyType: 'rsa',
      keyBits: 2048,
      signature: 'sha256WithRSAEncryption',
      sha256: 'a'.repeat(64),
    },
  ],
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  refused: null,
});
const report = (connection: SeenConnection, host = 'api.example.com') =>
  estate.certificates.report({ appId, host, seen: connection });
const told = async () =>
  (await readAudit(database.db, { limit: 100 })).filter(({ action }) => action === 'upstream-certificate.reported');

test('a good certificate is shown, and nobody is told', async () => {
  await report(seen(200));
  expect(await estate.certificates.list(OWNER, appId)).toMatchObject([
    { host: 'api.example.com', problems: [], seenAt: clock.now(), refused: null },
  ]);
  expect(await told()).toEqual([]);
});

test('one that ends soon is told once a day, by all processes together', async () => {
  await Promise.all([report(seen(20)), report(seen(20)), report(seen(20))]);
  const [record, ...more] = await told();
  expect(more).toEqual([]);
  expect(record).toMatchObject({
    target: { type: 'app', id: appId, name: 'notes' },
    detail: {
      host: 'api.example.com',
      problems: ['expires-within-month'],
      issuer: 'CN=Some authority',
      key: 'rsa 2048',
      signature: 'sha256WithRSAEncryption',
      protocol: 'TLSv1.3',
    },
  });
  clock.advance(DAY_MS);
  await report(seen(19));
  expect(await told()).toHaveLength(2);
});

test('what changes is told at once, and what time changes is shown without a new connection', async () => {
  await report({ chain: [], protocol: null, cipher: null, refused: 'CERT_HAS_EXPIRED' });
  expect(await told()).toHaveLength(3);
  expect(await estate.certificates.list(OWNER, appId)).toMatchObject([
    { refused: 'CERT_HAS_EXPIRED', problems: ['refused', 'expires-within-month'], seen: { protocol: 'TLSv1.3' } },
  ]);
  await report(seen(10));
  clock.advance(4 * DAY_MS);
  const [row] = await estate.certificates.list(OWNER, appId);
  expect([row!.refused, row!.problems]).toEqual([null, ['expires-within-week']]);
});

test.each([[{ appId: 'x' }], [{ host: '' }], [{ seen: { chain: 'none' } }], [{ more: 1 }]])(
  'a report that is none is refused: %j',
  async (wrong) => {
    const bad = { appId, host: 'api.example.com', seen: seen(1), ...wrong };
    await expect(estate.certificates.report(bad)).rejects.toMatchObject({ code: 'estate.input_invalid' });
  },
);
