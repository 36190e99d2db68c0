import { createConnectionCommands, createSyncCommands, type Manifests } from '@cordon/connectors';
import { type Estate as Tools, startEstate } from '@cordon/demo';
import { createActWorkflow, createAppCommands, createKeyCommands, listUses, loadFoundApp } from '@cordon/discovery';
import { createEstate, type Estate, listGrants } from '@cordon/estate';
import {
  type Actor,
  type AnyWorkflow,
  createSecretEnvelope,
  migrate,
  systemClock,
  type Transaction,
  uuidv7,
  type WorkflowClient,
  type WorkflowSteps,
} from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import type { Lake } from '@cordon/lake';
import { createReviewCommands, createReviewWorkflow } from '@cordon/review';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConnectors } from '../roles/connector-parts.ts';
import { allMigrations } from '../roles/migrations.ts';
import { createConnectorDuties } from '../worker/connector-duties.ts';
import { sweepTools } from '../worker/discovery-duties.ts';
import { createActPorts } from './act-ports.ts';
import { loadDiscoveryContent } from './discovery-content.ts';
import { createReviewActs } from './review-acts.ts';
import { gatherCandidates } from './review-gather.ts';
import { readKeys } from './tool-reads.ts';

/** A planted shadow app, an over-scoped integration and an old key, on the emulated tools: found, and all three fixed. */

const ADA: Actor = { kind: 'person', id: uuidv7(1), name: 'Ada', roles: ['owner'] };
const ada = { id: ADA.id, name: ADA.name, email: 'ada@meridian.example' };
const logger = createTestLogger();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 5)] });
const clock = systemClock;
const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };
const content = loadDiscoveryContent();
const DAY_MS = 86_400_000;

let home: TestDatabase;
let tools: Tools;
let estate: Estate;
let manifests: Manifests;
let connectors: ReturnType<typeof createConnectorDuties>;
const queue: { name: string; input: unknown }[] = [];
const workflows: WorkflowClient = {
  enqueue: async (_tx: Transaction, { name }, _id, input) => void queue.push({ name, input }),
  find: async () => null,
  result: async () => null,
  close: async () => undefined,
};

/** Runs what was enqueued, by the definitions that the worker registers. */
async function drain(): Promise<void> {
  const ports = createActPorts({ db: home.db, clock, manifests, actions: connectors.actions, ...content });
  const pause = async (): Promise<void> => undefined;
  const reviewPorts = createReviewActs({ db: home.db, estate, actions: connectors.actions });
  const definitions: AnyWorkflow[] = [
    ...connectors.definitions,
    createActWorkflow({ db: home.db, clock, logger, pause, ports }),
    createReviewWorkflow({ db: home.db, clock, logger, pause, ports: reviewPorts }),
  ];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { name, input } = next;
    await definitions.find((one) => one.name === name)?.run(input, steps);
  }
}

async function connect(app: 'github' | 'okta', config: Record<string, string>): Promise<string> {
  const sources = { create: async () => null, remove: async () => undefined };
  const { baseUrl, credential } = tools.app(app);
  const connections = createConnectionCommands({ db: home.db, clock, envelope, manifests, sources });
  const { id } = await connections.create(ADA, {
    app,
    name: `${app}-main`,
    config,
    plan: null,
    baseUrl,
    privateAddresses: ['127.0.0.1'],
    everyMinutes: null,
    credential: { kind: 'bearer', token: credential.secret },
  });
  await createSyncCommands({ db: home.db, clock, manifests, workflows }).start(ADA, id);
  await drain();
  return id;
}

beforeAll(async () => {
  [home, tools, manifests] = await Promise.all([
    createTestDatabase(),
    startEstate({ logger, seed: 'discovery' }),
    loadConnectors(logger),
  ]);
  await migrate(home.db, allMigrations);
  estate = createEstate(
    {
      db: home.db,
      clock,
      envelope,
      logger,
      workflows,
      endAccess: async () => undefined,
      restoreAccess: async () => undefined,
    },
    () => undefined,
  );
  const ingest = { take: async () => ({ accepted: 0 }) } as never; // no stream of audit events is read here
  connectors = createConnectorDuties({ db: home.db, clock, envelope, logger, manifests, ingest });
  await connect('okta', { domain: 'meridian.okta.com' });
  await connect('github', { org: 'meridian' });
});
afterAll(async () => {
  await tools?.stop();
  await home?.drop();
});

test('the shadow app is found by its grant, revoked in the tool, and blocked', async () => {
  const lake = {} as Lake; // not read by this sweep
  await sweepTools({ db: home.db, clock, manifests, lake, catalogue: content.catalogue });
  expect(await loadFoundApp(home.db, 'otter-ai')).toMatchObject({ state: 'new', name: 'Otter.ai' });
  expect(await loadFoundApp(home.db, 'client-helpful-ci-notes')).toMatchObject({ state: 'new', company: null });
  expect(await listUses(home.db, 'otter-ai')).toMatchObject([{ evidence: 'grant', source: 'okta-main' }]);
  const ports = {
    block: (tx: Transaction, hosts: readonly string[], at: number) => estate.proxy.block(tx, hosts, at),
    tellAsked: async () => undefined,
  };
  const apps = createAppCommands({ db: home.db, clock, catalogue: content.catalogue, workflows, ports });
  await apps.decide(ADA, 'otter-ai', { state: 'forbidden', reason: 'records meetings' });
  await drain();
  const [run] = await apps.runs('otter-ai');
  expect(run?.acts.map(({ kind, state }) => [kind, state])).toEqual([
    ['proxy', 'done'],
    ['grant', 'done'],
  ]);
  const { baseUrl, credential } = tools.app('okta');
  const headers = { authorization: `SSWS ${credential.secret}`, accept: 'application/json' };
  const found = (await (await fetch(new URL('/api/v1/apps', baseUrl), { headers })).json()) as {
    label: string;
    status: string;
  }[]; // the emulator's own shape
  expect(found.find(({ label }) => label === 'Otter.ai')?.status).toBe('INACTIVE');
  expect(found.find(({ label }) => label === 'Payroll')?.status).toBe('ACTIVE');
  expect((await estate.proxy.get()).blocked).toEqual(['otter.ai']);
  await apps.decide(ADA, 'client-helpful-ci-notes', { state: 'forbidden', reason: 'nobody knows it' });
  await drain();
  expect((await apps.runs('client-helpful-ci-notes'))[0]?.acts).toMatchObject([{ kind: 'grant', state: 'task' }]);
});

test('the old key is found by its age, explained, and removed in the tool', async () => {
  const keys = createKeyCommands({ db: home.db, clock, workflows, keys: () => readKeys(home.db, manifests) });
  const old = (await keys.list(ADA)).find(({ name }) => name === 'deploy from the old build machine');
  expect(old).toMatchObject({ age: 'very_old', ageDays: 1_100, canRemove: true, canRotate: false });
  await keys.act(ADA, old?.ref ?? '', 'rotate', 'too old');
  await drain();
  const [task] = (await keys.runs())[0]?.acts ?? [];
  expect(task).toMatchObject({ state: 'task' });
  expect(task?.detail).toContain('1. Make a new pair where the key deploy from the old build machine is used');
  await keys.act(ADA, old?.ref ?? '', 'remove', 'too old');
  await drain();
  const acts = (await keys.runs()).find(({ subject }) => subject.id.startsWith('remove:'))?.acts;
  expect(acts).toMatchObject([{ act: 'Remove a deploy key', state: 'done' }]);
});

test('an over-scoped integration is reviewed on what it used, and its grant ends', async () => {
  const app = await estate.apps.create(ADA, { name: 'notes', upstream: 'https://notes.example' });
  const integration = await estate.integrations.create(ADA, {
    name: 'over-scoped',
    purpose: 'reads',
    kind: 'service',
    assurance: 'm0',
    owner: { id: ADA.id, name: ADA.name },
  });
  const select = [{ kind: 'access' as const, access: 'write' as const }];
  await estate.grants.put(ADA, {
    integrationId: integration.id,
    appId: app.id,
    name: 'default',
    select,
    resourceScope: [],
    expiresAt: null,
  });
  const calls = { d30: 0, d90: 0, d180: 0 };
  const base = { appId: app.id, grants: ['default'], refused: 0, lastAt: null, days: 0 };
  const access = {
    used: async () => ({
      operations: [
        { ...base, operation: 'notes.get', access: 'read' as const, calls: { ...calls, d90: 12 } },
        ...['a', 'b', 'c', 'd'].map((name) => ({
          ...base,
          operation: `notes.${name}`,
          access: 'write' as const,
          calls,
        })),
      ],
      granted: 5,
      used: 1,
      observedSince: 1,
      observedDays: 90,
    }),
  };
  const gather = () => gatherCandidates({ db: home.db, clock, manifests, access, people: async () => [ada] });
  const reviews = createReviewCommands({
    db: home.db,
    clock,
    workflows,
    ports: { gather, mail: async () => undefined },
  });
  const { id } = await reviews.create(ADA, {
    name: 'Quarterly',
    scope: { kind: 'risk', value: 30 },
    dueAt: clock.now() + 14 * DAY_MS,
    onUndecided: 'revoke',
    fallback: ada,
  });
  const { items } = await reviews.show(ADA, id);
  const item = items.find(({ kind }) => kind === 'grant');
  expect(item).toMatchObject({
    holder: 'over-scoped',
    reviewer: ada,
    evidence: { used: ['notes.get'], calls: 12, why: ['4 of 5 operations were not used', '4 of them change data'] },
  });
  expect(items.some(({ name }) => name.startsWith('helpful-ci-notes in github-main'))).toBe(true);
  await reviews.decide(ADA, id, { items: [item?.id ?? ''], decision: 'revoke', reason: 'it never writes' });
  await drain();
  expect(await listGrants(home.db, { integrationId: integration.id })).toEqual([]);
  expect((await reviews.show(ADA, id)).items.find((one) => one.id === item?.id)).toMatchObject({ state: 'done' });
});
