import {
  AccessDenied,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  readAudit,
  type WorkflowClient,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEstate, type Estate } from '../estate.ts';
import { estateMigrations } from '../migrations.ts';
import { readChanges } from '../publication.ts';
import { rewrapEstateSecrets } from '../rewrap.ts';

const OWNER = {
  kind: 'person',
  id: '018f0000-0000-7000-8000-000000000001',
  name: 'Ada',
  roles: ['owner'],
  strongAuthAt: Date.UTC(2026, 0, 1),
} as const;
const AUDITOR = { ...OWNER, roles: ['auditor'] } as const;
const [OLD, NEW] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];
const clock = createFakeClock();

let database: TestDatabase;
let estate: Estate;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.db, [kernelMigrations, estateMigrations]);
  estate = createEstate(
    {
      db: database.db,
      clock,
      envelope: createSecretEnvelope({ keys: [OLD] }),
      logger: createTestLogger(),
      workflows: { enqueue: async () => undefined } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient, // nothing here enqueues
      endAccess: async () => undefined,
      restoreAccess: async () => undefined,
    },
    () => undefined,
  );
});
afterAll(() => database.drop());

async function published(): Promise<Record<string, unknown> | undefined> {
  const changes = await readChanges(database.db, 0);
  return changes?.set.find(([key]) => key === 'proxy:settings')?.[1] as Record<string, unknown> | undefined; // parsed by `publish`
}

test('refuses by default, with one authority however many ask first', async () => {
  const [one, two] = await Promise.all([estate.proxy.get(), estate.proxy.get()]);
  expect(one).toMatchObject({ unknown: 'refuse', sni: 'match', ports: [443] });
  expect(two.certificate).toBe(one.certificate);
  expect(JSON.stringify(one)).not.toContain('PRIVATE KEY');
  expect(await published()).toMatchObject({ unknown: 'refuse', authority: { certificate: one.certificate } });
});

test('a change is authorized, published and on record', async () => {
  await expect(estate.proxy.update(AUDITOR, { unknown: 'observe' })).rejects.toThrow(AccessDenied);
  expect(await estate.proxy.update(OWNER, { unknown: 'observe', ports: [443, 8443] })).toMatchObject({
    unknown: 'observe',
  });
  expect(await published()).toMatchObject({ unknown: 'observe', sni: 'match', ports: [443, 8443] });
  const records = await readAudit(database.db, { limit: 10 });
  expect(JSON.stringify(records).includes('proxy.updated')).toBe(true);
});

test('forbidden hosts are published with the decision, stay when settings change, and go with the last', async () => {
  await database.db.transaction((tx) => estate.proxy.block(tx, ['otter.ai'], clock.now()));
  expect(await published()).toMatchObject({ blocked: ['otter.ai'] });
  await estate.proxy.update(OWNER, { sni: 'any' });
  expect(await published()).toMatchObject({ blocked: ['otter.ai'], sni: 'any' });
  const undecided = database.db.transaction(async (tx) => {
    await estate.proxy.block(tx, [], clock.now());
    throw new Error('the decision was not made');
  });
  await expect(undecided).rejects.toThrow('the decision was not made');
  expect(await estate.proxy.get()).toMatchObject({ blocked: ['otter.ai'] });
  await database.db.transaction((tx) => estate.proxy.block(tx, [], clock.now()));
  expect(await published()).toMatchObject({ blocked: [] });
});

test('the authority’s key follows the newest key-encryption key', async () => {
  const envelope = createSecretEnvelope({ keys: [NEW, OLD] });
  await rewrapEstateSecrets({ db: database.db, envelope, clock });
  const { sealed } = (await published())!['authority'] as { sealed: string };
  expect(
    createSecretEnvelope({ keys: [NEW] })
      .open(sealed, 'proxy-authority')
      .toString(),
  ).toContain('PRIVATE KEY');
});
