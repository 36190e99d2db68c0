import { createEstate, estateMigrations } from '@cordon/estate';
import {
  type Actor,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  readAudit,
  type WorkflowClient,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger } from '@cordon/kernel/testing';
import { listEndpoints, webhookMigrations } from '@cordon/webhooks';
import { expect, test } from 'vitest';
import { createDeclaredWebhooks } from './webhook-parts.ts';

const ADA: Actor = {
  kind: 'person',
  id: '018f0000-0000-7000-8000-000000000001',
  name: 'Ada',
  roles: ['owner'],
  strongAuthAt: Date.UTC(2026, 0, 1),
};

test('webhook endpoints are declared, planned, applied, exported and pruned like the rest', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, estateMigrations, webhookMigrations]);
  const clock = createFakeClock();
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
  const workflows = { enqueue: async () => undefined } as Pick<WorkflowClient, 'enqueue'> as WorkflowClient; // none runs here
  const webhooks = await createDeclaredWebhooks({ db, clock, envelope });
  const none = async (): Promise<void> => undefined;
  const context = { db, clock, envelope, logger: createTestLogger(), workflows, endAccess: none, restoreAccess: none };
  const { declarations } = createEstate({ ...context, webhooks }, () => undefined);

  const base = {
    apps: { tracker: { upstream: 'https://tracker.example.com' } },
    integrations: { sync: { purpose: 'declared in a file' } },
  };
  const hook = { app: 'tracker', integration: 'sync', scheme: 'github', url: 'https://sync.example.com/in' };
  const declared = (more: object) => ({ ...base, webhooks: { issues: { ...hook, ...more } } });
  const plan = (value: object) => declarations.plan(ADA, value, { prune: false });

  await expect(declarations.apply(ADA, declared({}), { prune: false })).rejects.toThrow(/declare its secret/);
  const first = declared({ secret: 'declared-secret', rate: { count: 60, periodMs: 60_000 } });
  expect((await plan(first)).map(({ action, kind }) => `${action} ${kind}`)).toEqual(['create webhooks']);
  await declarations.apply(ADA, first, { prune: false });
  expect(await plan(first)).toEqual([]);
  expect(await plan(declared({}))).toEqual([]);

  const slower = declared({ rate: { count: 6, periodMs: 60_000 }, status: 'paused' });
  expect((await plan(slower)).map(({ action, changes }) => [action, changes.map(({ path }) => path)])).toEqual([
    ['update', ['rate.count', 'status']],
  ]);
  await declarations.apply(ADA, slower, { prune: false });
  const [endpoint] = await listEndpoints(db);
  expect(endpoint).toMatchObject({ name: 'issues', status: 'paused', settings: { rate: { count: 6 } } });

  const exported = await declarations.export(ADA);
  expect(exported.webhooks['issues']).toMatchObject({ app: 'tracker', integration: 'sync', scheme: 'github' });
  expect(JSON.stringify(exported)).not.toContain('declared-secret');
  expect(await declarations.plan(ADA, exported, { prune: true })).toEqual([]);

  await expect(declarations.apply(ADA, declared({ url: 'http://sync.example.com' }), { prune: false })).rejects.toThrow(
    /https/,
  );
  await declarations.apply(ADA, base, { prune: true });
  expect(await listEndpoints(db)).toEqual([]);
  const actions = (await readAudit(db, { after: 0, limit: 100 })).map(({ action }) => action);
  expect(actions.filter((action) => action.startsWith('webhook.'))).toEqual([
    'webhook.created',
    'webhook.updated',
    'webhook.removed',
  ]);
  await database.drop();
});
