import {
  createSecretEnvelope,
  type Actor,
  kernelMigrations,
  migrate,
  readAudit,
  type WorkflowSteps,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { createCatalogue } from '@cordon/posture';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createActionRunner } from './action-run.ts';
import { createConnectionCommands } from './connection-commands.ts';
import { loadConnection, listStreamStates } from './connection-store.ts';
import { createPostureCommands, judgeConnection, readPosture } from './connection-posture.ts';
import { createConnectors } from './connectors.ts';
import { listChanges, listEntities } from './entity-store.ts';
import { ConnectionNameTaken, ConnectorBusy, ConnectorInputInvalid } from './errors.ts';
import { parseManifest } from './load-manifest.ts';
import { connectorsMigrations } from './migrations.ts';
import { createSyncCommands, createSyncWorkflow, type SyncDeps } from './sync.ts';
import { listPostureChanges } from './posture-store.ts';
import { listSyncs, takeDue } from './sync-store.ts';
import { tablesOf } from './tables.ts';
import { createTestTool, type TestTool, TOOL_MANIFEST, toolManifest } from './testing.ts';

const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const auditor: Actor = { kind: 'person', id: 'p2', name: 'Aud', roles: ['auditor'] };
const loaded = toolManifest();
const manifests = { all: [loaded], problems: [], find: (app: string) => (app === 'tool' ? loaded : undefined) };
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });

let data: TestDatabase;
let tool: TestTool;
const clock = createFakeClock();
let number = 0;

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, connectorsMigrations]);
});
afterAll(() => data.drop());
beforeEach(() => {
  tool = createTestTool();
  clock.advance(1_000);
});

const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };
const noWorkflows = {
  enqueue: async () => undefined,
  find: async () => null,
  result: async () => null,
  close: async () => undefined,
};

function parts(taken: string[] = []) {
  const deps: SyncDeps = {
    db: data.db,
    clock,
    envelope,
    manifests,
    httpFor: () => tool,
    pause: async () => undefined,
    logger: createTestLogger(),
    takeEvents: async (_connection, _parser, events) => {
      taken.push(...events.map(({ id }) => id));
      return events.length;
    },
  };
  const sources = { create: async () => null, remove: async () => undefined };
  return {
    deps,
    commands: createConnectionCommands({ db: data.db, clock, envelope, manifests, sources }),
    syncs: createSyncCommands({ db: data.db, clock, manifests, workflows: noWorkflows }),
    workflow: createSyncWorkflow(deps),
    runner: createActionRunner(deps),
    connectors: createConnectors(deps),
  };
}

const input = (over: object = {}) => ({
  app: 'tool',
  name: `tool-${(number += 1)}`,
  config: { site: 'acme' },
  plan: 'full',
  baseUrl: null,
  privateAddresses: [],
  everyMinutes: 60,
  credential: { kind: 'bearer' as const, token: 'secret-token' },
  ...over,
});

async function sync(connectionId: string, streams?: readonly string[], taken: string[] = []) {
  const { syncs, workflow } = parts(taken);
  const started = await syncs.start(ada, connectionId, streams ? { streams } : {});
  await workflow.run({ syncId: started.id, connectionId }, steps);
  const [ended] = await listSyncs(data.db, { id: started.id, limit: 1 });
  return ended;
}

test('a connection keeps its secret sealed, and its address and secret change together', async () => {
  const { commands } = parts();
  const one = await commands.create(ada, input());
  const rows = await tablesOf(data.db)
    .selectFrom('connector_connection')
    .select('sealed')
    .where('id', '=', one.id)
    .execute();
  expect(rows[0]?.sealed).toMatch(/^cse1\./);
  expect(JSON.stringify(await loadConnection(data.db, one.id))).not.toContain('secret-token');
  await expect(commands.update(ada, one.id, { config: { site: 'evil' } })).rejects.toThrow('Give the credential again');
  await expect(commands.create(ada, input({ name: one.name }))).rejects.toThrow(ConnectionNameTaken);
  await expect(commands.create(ada, input({ config: { site: '..' } }))).rejects.toThrow(ConnectorInputInvalid);
  await expect(commands.create(ada, input({ baseUrl: 'http://10.0.0.7' }))).rejects.toThrow('private address');
  await expect(commands.create(auditor, input())).rejects.toThrow('connector.write');
});

test('a sync stores entities, tells events once, and the next one says what changed', async () => {
  const one = await parts().commands.create(ada, input());
  const taken: string[] = [];
  const first = await sync(one.id, undefined, taken);
  expect(first).toMatchObject({ status: 'partial' });
  expect(taken).toEqual(['l1']);
  const { items } = await listEntities(data.db, { connectionId: one.id, kind: 'account', limit: 3 });
  expect(items.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect((await listStreamStates(data.db, one.id)).map(({ stream, status }) => [stream, status])).toEqual([
    ['keys', 'partial'],
    ['log', 'ok'],
    ['users', 'ok'],
  ]);

  tool.users.splice(4, 1);
  const [changed] = tool.users;
  if (changed) changed.name = 'Renamed';
  clock.advance(60_000);
  const second = await sync(one.id, ['users']);
  expect(second?.streams).toMatchObject([
    { stream: 'users', status: 'ok', added: 0, changed: 1, removed: 1, pages: 2 },
  ]);
  const changes = await listChanges(data.db, { connectionId: one.id, syncId: second?.id ?? '' });
  expect(changes.map(({ externalId, change, fields }) => [externalId, change, fields])).toEqual([
    ['e', 'removed', []],
    ['a', 'changed', ['name']],
  ]);
  expect(
    (await listEntities(data.db, { connectionId: one.id, kind: 'account', text: 'e' })).items.map(({ id }) => id),
  ).not.toContain('e');
  const [last] = await readAudit(data.db, { target: { type: 'connection', id: one.id }, limit: 1 });
  expect(last?.action).toBe('connection.sync_done');
});

test('a plan that lacks a stream makes it not visible, without a request', async () => {
  const one = await parts().commands.create(ada, input({ plan: 'basic' }));
  const ended = await sync(one.id, ['log']);
  expect(ended).toMatchObject({
    status: 'done',
    streams: [{ status: 'not_visible', reason: 'The plan Basic lacks it; it needs Full.' }],
  });
  expect(tool.asked).toEqual([]);
});

test.each(['GET /users', 'GET /users?cursor=2', 'GET /users?cursor=4'])(
  'killed at %s, it goes on where it was',
  async (place) => {
    const { syncs, workflow, commands } = parts();
    const one = await commands.create(ada, input());
    const started = await syncs.start(ada, one.id, { streams: ['users'] });
    // A process that dies settles nothing: its request hangs, and no handler of it runs any more.
    const { promise: died, resolve: die } = Promise.withResolvers<void>();
    tool.before = (what) => {
      if (what !== place) return null;
      die();
      return new Promise<never>(() => undefined);
    };
    void workflow.run({ syncId: started.id, connectionId: one.id }, steps);
    await died;
    tool.before = () => null;
    tool.asked.length = 0;
    await workflow.run({ syncId: started.id, connectionId: one.id }, steps);
    expect(tool.asked[0]).toBe(place);
    expect((await listEntities(data.db, { connectionId: one.id })).items.length).toBe(5);
    const [ended] = await listSyncs(data.db, { id: started.id, limit: 1 });
    expect(ended?.streams[0]).toMatchObject({ pages: 3, entities: 5, added: 5 });
  },
);

test('a sync that is running refuses a second and can be cancelled between pages', async () => {
  const { syncs, workflow, commands } = parts();
  const one = await commands.create(ada, input());
  const started = await syncs.start(ada, one.id, { streams: ['users', 'keys'] });
  await expect(syncs.start(ada, one.id)).rejects.toThrow(ConnectorBusy);
  await syncs.cancel(ada, one.id);
  await workflow.run({ syncId: started.id, connectionId: one.id }, steps);
  expect((await listSyncs(data.db, { id: started.id, limit: 1 }))[0]).toMatchObject({ status: 'cancelled' });
  expect(tool.asked).toEqual([]);
});

test('a refused credential stops the connection and its schedule', async () => {
  const { commands } = parts();
  const one = await commands.create(ada, input());
  tool.before = () => ({ status: 401, headers: {}, body: Buffer.alloc(0) });
  expect(await sync(one.id)).toMatchObject({ status: 'failed', error: 'Tool refuses this credential (401).' });
  expect(await loadConnection(data.db, one.id)).toMatchObject({ status: 'refused' });
  clock.advance(7_200_000);
  const due = await data.db.transaction((tx) => takeDue(tx, new Date(clock.now())));
  expect(due.map(({ id }) => id)).not.toContain(one.id);
});

test('records are handed on and never stored', async () => {
  const { commands, connectors } = parts();
  const one = await commands.create(ada, input());
  const read: string[] = [];
  for await (const { entity } of connectors.readStream(ada, one.id, 'notes', { purpose: 'test', sample: 1 }))
    read.push(entity.id);
  expect(read).toEqual(['n1']);
  expect((await listEntities(data.db, { connectionId: one.id })).items).toEqual([]);
  await expect(sync(one.id, ['notes'])).rejects.toThrow('no stream notes');
  await expect(connectors.readStream(auditor, one.id, 'notes', { purpose: 'test' }).next()).rejects.toThrow(
    'connector.records',
  );
});

const act = (connectionId: string, over: object = {}) => ({
  connectionId,
  action: 'suspend',
  input: { user: 'a' },
  mode: 'run' as const,
  idempotencyKey: `key-${(number += 1)}`,
  ...over,
});

test('an action is done once for each key, seen done, and taken back', async () => {
  const { commands, runner } = parts();
  const one = await commands.create(ada, input());
  const wish = act(one.id);
  const run = await runner.run(ada, wish);
  expect(run).toMatchObject({
    status: 'ended',
    outcome: 'done',
    summary: 'Suspend a.',
    state: { status: 'suspended' },
  });
  expect((await runner.run(ada, wish)).id).toBe(run.id);
  expect(tool.asked.filter((what) => what.startsWith('POST'))).toEqual(['POST /users/a/suspend']);
  expect(await runner.run(ada, act(one.id, { mode: 'undo', undoOf: run.id }))).toMatchObject({ outcome: 'undone' });
  expect(tool.users[0]?.status).toBe('active');
  const actions = (await readAudit(data.db, { target: { type: 'connection', id: one.id }, limit: 10 })).map(
    ({ action }) => action,
  );
  expect(actions.filter((action) => action.startsWith('connection.action'))).toHaveLength(4);
});

test('a dry run shows the state and sends nothing that changes', async () => {
  const { commands, runner } = parts();
  const one = await commands.create(ada, input());
  expect(await runner.run(auditor, act(one.id, { mode: 'dry-run' }))).toMatchObject({
    outcome: 'would_run',
    state: { status: 'active' },
  });
  await expect(runner.run(auditor, act(one.id))).rejects.toThrow('connector.act');
  expect(tool.asked).toEqual(['GET /users/a']);
});

test('a crash after the tool acted: the next attempt looks, and does not act again', async () => {
  const { commands, runner } = parts();
  const one = await commands.create(ada, input());
  const wish = act(one.id);
  tool.after = (what) => {
    if (what.startsWith('POST')) throw new Error('the connection broke');
  };
  await expect(runner.run(ada, wish)).rejects.toThrow('broke');
  tool.after = () => undefined;
  expect(await runner.run(ada, wish)).toMatchObject({ outcome: 'done', attempts: 2 });
  expect(tool.asked.filter((what) => what.startsWith('POST'))).toHaveLength(1);
  const again = await runner.run(ada, act(one.id, { mode: 'undo', undoOf: (await runner.run(ada, wish)).id }));
  expect(again.outcome).toBe('undone');
  expect(tool.users[0]?.status).toBe('active');
});

test('what can be neither seen nor repeated is left to a person after a crash', async () => {
  const { commands, runner } = parts();
  const one = await commands.create(ada, input());
  const wish = act(one.id, { action: 'notify' });
  tool.after = () => {
    throw new Error('the connection broke');
  };
  await expect(runner.run(ada, wish)).rejects.toThrow('broke');
  tool.after = () => undefined;
  expect(await runner.run(ada, wish)).toMatchObject({ outcome: 'unclear' });
  expect(tool.asked).toEqual(['POST /users/a/messages']);
});

test('a new secret is sealed at once and shown in no run', async () => {
  const { commands, runner } = parts();
  const one = await commands.create(ada, input());
  const run = await runner.run(ada, act(one.id, { action: 'rotate', input: { key: 'k1' } }));
  expect(run).toMatchObject({ outcome: 'unverified', result: { id: 'k2' }, hasSecret: true });
  expect(JSON.stringify(run)).not.toContain('brand-new-secret');
  expect(await runner.takeSecret(run.id)).toBe('brand-new-secret');
});

test('settings are judged after a sync; a plan that hides them is not visible; drift and exceptions are kept', async () => {
  const check = (id: string, needs: string, pass: string) => ({
    path: `${id}.yaml`,
    text: JSON.stringify({
      id,
      title: `${id} is in order`,
      product: 'tool',
      severity: 'high',
      rationale: 'A password alone is phished, guessed or bought; a second factor makes that worth little.',
      remediation: { steps: ['Open the settings and require it.'] },
      mapping: { nist_csf: ['PR.AA-03'] },
      needs: [needs],
      pass,
      reason: { pass: 'It is.', fail: 'It is not.' },
      samples: [
        { name: 'on', expect: 'pass', settings: {} },
        { name: 'off', expect: 'fail', settings: {} },
      ],
    }),
  });
  const catalogue = createCatalogue([
    check('tool.people', 'people', 'size(settings.people) < 5'),
    check('tool.policy', 'policy', 'settings.policy.on'),
  ]);
  const text = TOOL_MANIFEST.replace('app: tool', 'app: tool\nposture: tool').replace(
    'streams:',
    () => `streams:
  people:
    title: People
    emits: [setting]
    covers: [people]
    request: { path: /users }
    paging: { kind: cursor, from: next, parameter: cursor }
    items: users
    map: '{ "type": "setting", "id": id, "path": "people", "list": true, "value": $ }'
  policy:
    title: Policy
    emits: [setting]
    covers: [policy]
    plans: [full]
    request: { path: /users/a }
    map: '{ "type": "setting", "id": "policy", "path": "policy", "value": { "on": status = "active" } }'`,
  );
  const judged = parseManifest(text, 'tool');
  const own = { all: [judged], problems: [], find: () => judged };
  const deps = { ...parts().deps, manifests: own };
  const one = await parts().commands.create(ada, input({ plan: 'basic' }));
  const run = async () => {
    const started = await createSyncCommands({ db: data.db, clock, manifests: own, workflows: noWorkflows }).start(
      ada,
      one.id,
      { streams: ['people', 'policy'] },
    );
    await createSyncWorkflow(deps).run({ syncId: started.id, connectionId: one.id }, steps);
    await judgeConnection({ db: data.db, clock, manifests: own, catalogue }, await loadConnection(data.db, one.id));
    return readPosture({ db: data.db, clock, manifests: own }, one);
  };
  const first = await run();
  expect(first.items.map(({ check: id, result }) => [id, result])).toEqual([
    ['tool.people', 'fail'],
    ['tool.policy', 'not_visible'],
  ]);
  expect(first.score).toMatchObject({ score: 0, failed: 1, notVisible: 1, visibility: 0.5 });
  const posture = createPostureCommands({ db: data.db, clock });
  await expect(
    posture.except(ada, one.id, { check: 'tool.people', reason: 'no', expiresAt: clock.now() + 1 }),
  ).rejects.toThrow('reason');
  await posture.except(ada, one.id, {
    check: 'tool.people',
    reason: 'Contractors leave this week.',
    expiresAt: clock.now() + 60_000,
  });
  expect((await readPosture({ db: data.db, clock, manifests: own }, one)).items[0]?.exception).toMatchObject({
    state: 'active',
  });

  clock.advance(3_600_000);
  tool.users.splice(0, 5);
  const second = await run();
  expect(second.items[0]).toMatchObject({ result: 'pass', since: clock.now() });
  expect(second.items[1]?.since).toBe(first.items[1]?.since);
  expect(await listPostureChanges(data.db, one.id, 10)).toMatchObject([
    { check: 'tool.people', kind: 'better', before: 'fail', after: 'pass' },
  ]);
});
