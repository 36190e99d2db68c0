import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { scimRoutes } from '@cordon/identity';
import { createFakeIdentity, type FakeIdentity } from '@cordon/identity/testing';
import {
  type Actor,
  createSecretEnvelope,
  migrate,
  openWorkflowClient,
  readAudit,
  startWorkflows,
  type WorkflowClient,
  type WorkflowSteps,
} from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import {
  createDateCommands,
  createProvisionCommands,
  createProvisionLeaver,
  createProvisionWorkflow,
  endDue,
  lifecycleMigrations,
  listItems,
  listProvisionTargets,
  loadProvisionRun,
  type ProvisionDeps,
  type ScimPort,
  startDue,
} from '@cordon/lifecycle';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createConnectorHttp } from '../worker/connector-http.ts';
import { createPeopleSource } from './people-source.ts';

const OWNER: Actor = { kind: 'person', id: crypto.randomUUID(), name: 'Olga', roles: ['owner'] };
const DEV: Actor = { kind: 'person', id: crypto.randomUUID(), name: 'Dev', roles: ['developer'] };
const SYSTEM: Actor = { kind: 'system', name: 'test' };
const HOUR_MS = 3_600_000;
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };

/** Cordon, with its people, and the tool they are pushed to: another Cordon's SCIM server, over real HTTP. */
let here: FakeIdentity;
let tool: FakeIdentity;
let server: FastifyInstance;
let hereServer: FastifyInstance;
let hereToken: string;
let token: string;
let baseUrl: string;
let deps: ProvisionDeps;
let commands: ReturnType<typeof createProvisionCommands>;
let enqueued: string[];
let sent: string[];
let waits: number[];
/** What the network does to a request before the tool sees it, or after it did. */
let trouble: (method: string, when: 'before' | 'after') => { status: number; retryAfter: string } | null;
let groupId: string;

const workflows: WorkflowClient = {
  enqueue: async (_tx, _definition, id) => void enqueued.push(id.split(':')[1] ?? ''),
  find: async () => null,
  result: async () => null,
  close: async () => undefined,
};

function troubled(port: ScimPort): ScimPort {
  return {
    async send(request) {
      sent.push(`${request.method} ${new URL(request.url).pathname.replace('/scim/v2', '')}`);
      const before = trouble(request.method, 'before');
      if (before) {
        return { status: before.status, headers: { 'retry-after': before.retryAfter }, body: Buffer.alloc(0) };
      }
      const answer = await port.send(request);
      trouble(request.method, 'after');
      return answer;
    },
  };
}

beforeEach(async () => {
  [here, tool] = await Promise.all([createFakeIdentity(), createFakeIdentity()]);
  await migrate(here.db, [lifecycleMigrations]);
  hereServer = fastify();
  await hereServer.register(scimRoutes(here.identity));
  hereToken = (await here.identity.scimTokens.create(SYSTEM, { name: 'Directory', days: 30 })).value;
  server = fastify();
  await server.register(scimRoutes(tool.identity));
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo; // listening on TCP
  baseUrl = `http://127.0.0.1:${port}/scim/v2`;
  token = (await tool.identity.scimTokens.create(SYSTEM, { name: 'Cordon', days: 30 })).value;
  [enqueued, sent, waits, trouble] = [[], [], [], () => null];
  const envelope = createSecretEnvelope({ keys: [randomBytes(32)] });
  const common = { db: here.db, clock: here.clock, envelope };
  deps = {
    ...common,
    logger: createTestLogger(),
    people: createPeopleSource(here.identity),
    portFor: (privateAddresses) => troubled(createConnectorHttp(privateAddresses)),
    pause: async (ms) => void waits.push(ms),
  };
  commands = createProvisionCommands({ ...common, workflows });
  const group = await here.identity.directory.create(SYSTEM, 'Group', { displayName: 'Sales' });
  groupId = String(group.resource['id']);
});
afterEach(async () => {
  await server.close();
  await hereServer.close();
  await here.test.drop();
  await tool.test.drop();
});

async function hire(login: string, more: Record<string, unknown> = {}): Promise<string> {
  const names = { displayName: login.split('@')[0], name: { givenName: login.split('@')[0], familyName: 'Doe' } };
  const { resource } = await here.identity.directory.create(SYSTEM, 'User', { userName: login, ...names, ...more });
  const id = String(resource['id']);
  await patchHere('Group', groupId, { op: 'add', path: 'members', value: [{ value: id }] });
  return id;
}
async function patchHere(kind: 'User' | 'Group', id: string, ...Operations: object[]): Promise<void> {
  const headers = { authorization: `Bearer ${hereToken}`, 'content-type': 'application/scim+json' };
  const url = `/scim/v2/${kind}s/${id}`;
  const answer = await hereServer.inject({ method: 'PATCH', url, headers, payload: JSON.stringify({ Operations }) });
  if (answer.statusCode > 299) throw new Error(answer.body);
}

const addTool = (more: object = {}) =>
  commands.addTarget(OWNER, {
    kind: 'scim',
    name: 'Tool',
    baseUrl,
    token,
    privateAddresses: ['127.0.0.1'],
    groups: [groupId],
    requestsPerS: 100,
    ...more,
  });
async function run(targetId: string, mode: 'preview' | 'push', leaversAllowed?: number) {
  const more = leaversAllowed === undefined ? {} : { leaversAllowed };
  const { runId } = await commands.start(OWNER, { targetId, mode, reason: 'test', ...more });
  return finish(runId);
}
async function finish(runId: string) {
  await createProvisionWorkflow(deps).run({ runId }, steps);
  return { run: await loadProvisionRun(here.db, runId), items: await listItems(here.db, runId) };
}

interface ToolUser {
  readonly id: string;
  readonly userName: string;
  readonly [name: string]: unknown;
}
async function call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
  const body = payload === undefined ? {} : { payload: JSON.stringify(payload) };
  const answer = await server.inject({ method, url: `/scim/v2${path}`, headers, ...body });
  return answer.body === '' ? null : answer.json();
}
async function there(): Promise<Record<string, ToolUser>> {
  const { Resources } = (await call('GET', '/Users')) as { Resources: ToolUser[] }; // the tool's own answer
  return Object.fromEntries(Resources.map((user) => [user.userName, user]));
}
const changeThere = (id: string, value: object) =>
  call('PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', value }] });

test('a preview sends nothing that changes; the push makes what it showed, with evidence of each', async () => {
  const ada = await hire('ada@example.com', { title: 'Lead', [ENTERPRISE]: { department: 'Sales' } });
  const target = await addTool();
  const preview = await run(target.id, 'preview');
  expect(preview.items).toMatchObject([{ personId: ada, act: 'create', state: 'planned' }]);
  expect(sent).toEqual(['GET /Users']);
  expect(await there()).toEqual({});

  const pushed = await run(target.id, 'push');
  expect(pushed.run).toMatchObject({ error: null, counts: { done: 1, failed: 0 } });
  expect(pushed.items[0]?.detail).toMatch(/^POST answered 201; .* read back as wanted, version W\//);
  expect((await there())['ada@example.com']).toMatchObject({
    externalId: ada,
    active: true,
    title: 'Lead',
    name: { givenName: 'ada', familyName: 'Doe' },
    emails: [{ type: 'work', value: 'ada@example.com', primary: true }],
    [ENTERPRISE]: { department: 'Sales' },
  });
  // Nothing left to do, and a second push sends nothing.
  sent.length = 0;
  expect((await run(target.id, 'push')).items).toEqual([]);
  expect(sent).toEqual(['GET /Users']);
  const audit = (await readAudit(here.db, { limit: 200, after: 0 })).map(({ action }) => action);
  expect(audit).toContain('provision.done');
});

test('an account that is there already is taken over by its name, not made twice', async () => {
  await call('POST', '/Users', { userName: 'ADA@example.com', title: 'Old', nickName: 'kept' });
  await call('POST', '/Users', { userName: 'admin@tool.example' });
  const ada = await hire('ada@example.com', { title: 'Lead' });
  const { run: pushed, items } = await run((await addTool()).id, 'push');
  expect(items).toMatchObject([{ act: 'link', state: 'done' }]);
  expect(pushed.unmanaged).toBe(1);
  const users = await there();
  expect(Object.keys(users).length).toBe(2);
  expect(users['ADA@example.com']).toMatchObject({ externalId: ada, title: 'Lead', nickName: 'kept' });
  // Whom Cordon never linked it leaves as they are.
  expect(users['admin@tool.example']).toMatchObject({ meta: { version: 'W/"1"' } });
});

test('drift is told from a change here, and repaired', async () => {
  const [ada, bob] = [await hire('ada@example.com', { title: 'Lead' }), await hire('bob@example.com')];
  const target = await addTool();
  await run(target.id, 'push');
  const before = await there();
  await changeThere(before['ada@example.com']?.id ?? '', { title: 'CEO' });
  await changeThere(before['bob@example.com']?.id ?? '', { active: false });
  await patchHere('User', ada, { op: 'replace', path: 'name.familyName', value: 'Roe' });
  const { items } = await run(target.id, 'preview');
  expect(items).toMatchObject([
    {
      personId: ada,
      act: 'update',
      differences: [
        { path: 'name.familyName', wanted: 'Roe', found: 'Doe', changed: 'here' },
        { path: 'title', wanted: 'Lead', found: 'CEO', changed: 'there' },
      ],
    },
    { personId: bob, act: 'update', differences: [{ path: 'active', wanted: true, found: false, changed: 'there' }] },
  ]);
  expect((await run(target.id, 'push')).run.counts).toMatchObject({ done: 2, failed: 0 });
  const after = await there();
  expect(after['ada@example.com']).toMatchObject({ title: 'Lead', name: { familyName: 'Roe' } });
  expect(after['bob@example.com']).toMatchObject({ active: true });
});

test('who leaves the group loses the account; a group that empties at once is asked about', async () => {
  const ids = [await hire('ada@example.com'), await hire('bob@example.com'), await hire('cat@example.com')];
  const target = await addTool({ leaversMax: 1 });
  await run(target.id, 'push');
  await patchHere('Group', groupId, { op: 'remove', path: `members[value eq "${ids[0]}"]` });
  expect((await run(target.id, 'push')).items).toMatchObject([{ act: 'deactivate', state: 'done' }]);
  expect((await there())['ada@example.com']).toMatchObject({ active: false });
  await patchHere('Group', groupId, { op: 'remove', path: 'members' });
  const refused = await run(target.id, 'push');
  expect(refused.run.error).toMatch(/would take away 2 accounts at once; 1 are allowed/);
  expect((await there())['bob@example.com']).toMatchObject({ active: true });
  expect((await run(target.id, 'push', 2)).run.counts.done).toBe(2);
  // Back in the group: the same account, on again.
  await patchHere('Group', groupId, { op: 'add', path: 'members', value: [{ value: ids[0] }] });
  expect((await run(target.id, 'push')).items).toMatchObject([{ act: 'link', state: 'done' }]);
  expect((await there())['ada@example.com']).toMatchObject({ active: true });
});

test('an answer that was lost makes no second account', async () => {
  await hire('ada@example.com');
  let lost = 0;
  trouble = (method, when) => {
    if (method === 'POST' && when === 'after' && (lost += 1) === 1) throw new Error('socket hang up');
    return null;
  };
  const { items } = await run((await addTool()).id, 'push');
  expect(items).toMatchObject([{ state: 'done', attempts: 2, detail: expect.stringContaining('There already') }]);
  expect(Object.keys(await there())).toEqual(['ada@example.com']);
});

test('a target that is busy is waited for as it asks, and one that stays away fails the run, not the worker', async () => {
  await hire('ada@example.com');
  const target = await addTool();
  let busy = 2;
  trouble = (method, when) =>
    when === 'before' && method === 'POST' && busy-- > 0 ? { status: 429, retryAfter: '7' } : null;
  expect((await run(target.id, 'push')).run.counts.done).toBe(1);
  expect(waits.filter((ms) => ms === 7_000).length).toBe(2);
  trouble = (_method, when) => (when === 'before' ? { status: 503, retryAfter: '1' } : null);
  const away = await run(target.id, 'push');
  expect(away.run).toMatchObject({ error: 'The target stayed busy (503).', endedAt: here.clock.now() });
});

test('after a crash the push goes on with what waits, and records nobody twice', async () => {
  await hire('ada@example.com');
  await hire('bob@example.com');
  const { id: targetId } = await addTool();
  const { runId } = await commands.start(OWNER, { targetId, mode: 'push', reason: 'test' });
  await expect(commands.start(OWNER, { targetId, mode: 'push', reason: 'again' })).rejects.toMatchObject({
    code: 'lifecycle.push_under_way',
  });
  const dying = {
    ...steps,
    step: async (name: string, work: () => Promise<never>) =>
      name === 'close' ? Promise.reject(new Error('killed')) : work(),
  };
  await expect(createProvisionWorkflow(deps).run({ runId }, dying)).rejects.toThrow('killed');
  sent.length = 0;
  const { run: ended } = await finish(runId);
  expect(sent).toEqual([]);
  expect(ended).toMatchObject({ error: null, counts: { done: 2 } });
  const audit = await readAudit(here.db, { limit: 200, after: 0 });
  expect(audit.filter(({ action }) => action === 'provision.done').length).toBe(2);
});

test('a wrong token is said; the token itself is nowhere to be read', async () => {
  await hire('ada@example.com');
  const target = await addTool({ token: 'cordon_scim_wrong' });
  expect((await run(target.id, 'preview')).run.error).toMatch(/answered 401/);
  const text = JSON.stringify([
    await listProvisionTargets(here.db),
    await readAudit(here.db, { limit: 200, after: 0 }),
  ]);
  expect(text).not.toContain('cordon_scim_wrong');
});

test('a tool without an interface gets tasks, which nothing but a person closes', async () => {
  const ada = await hire('ada@example.com');
  const target = await commands.addTarget(OWNER, { kind: 'task', name: 'Figma', groups: [groupId] });
  const { run: first } = await run(target.id, 'push');
  expect(first.counts).toMatchObject({ task: 1, done: 0 });
  // Planned again, the old task is replaced and the new one is open.
  const { run: second } = await run(target.id, 'push');
  expect((await listItems(here.db, first.id))[0]).toMatchObject({ state: 'nothing' });
  await expect(commands.closeTask(DEV, second.id, ada, 'invited')).rejects.toMatchObject({
    code: 'kernel.access_denied',
  });
  await expect(commands.closeTask(OWNER, second.id, ada, ' ')).rejects.toMatchObject({ code: 'lifecycle.note_needed' });
  await commands.closeTask(OWNER, second.id, ada, 'Invited by hand');
  expect((await run(target.id, 'push')).items).toEqual([]);
  await patchHere('User', ada, { op: 'replace', path: 'displayName', value: 'Ada L.' });
  expect((await run(target.id, 'push')).items).toMatchObject([{ act: 'update', state: 'task' }]);
  const leaver = createProvisionLeaver(deps);
  expect(await leaver.find({ id: ada, name: 'Ada' })).toMatchObject([{ task: expect.stringContaining('Figma') }]);
});

test('a leaver’s account is turned off at once, and read back', async () => {
  const ada = await hire('ada@example.com');
  await run((await addTool()).id, 'push');
  const leaver = createProvisionLeaver(deps);
  const [one] = await leaver.find({ id: ada, name: 'Ada' });
  expect(one).toMatchObject({ kind: 'provisioned account', act: 'Turn the account off' });
  const outcome = await leaver.carryOut({ id: ada, name: 'Ada' }, one!);
  expect(outcome).toMatchObject({ state: 'done', detail: expect.stringContaining('read back is off') });
  expect((await there())['ada@example.com']).toMatchObject({ active: false });
  expect(await leaver.find({ id: ada, name: 'Ada' })).toEqual([]);
});

test('joiner and mover: a change of a group begins a push by itself, a start waits for its day, an end comes', async () => {
  const dates = createDateCommands(deps);
  const target = await addTool();
  const ask = () => startDue({ ...deps, workflows }, 6 * HOUR_MS);
  expect(await ask()).toEqual({ pushes: 0, previews: 0 });
  await run(target.id, 'push');
  const ada = await hire('ada@example.com');
  const [startsAt, endsAt] = [here.clock.now() + HOUR_MS, here.clock.now() + 3 * HOUR_MS];
  await dates.set(OWNER, { id: ada, name: 'Ada' }, { startsAt, endsAt });
  expect(await ask()).toEqual({ pushes: 0, previews: 0 });
  here.clock.advance(2 * HOUR_MS);
  expect(await ask()).toEqual({ pushes: 1, previews: 0 });
  await finish(enqueued.at(-1) ?? '');
  expect((await there())['ada@example.com']).toMatchObject({ active: true });
  expect(await ask()).toEqual({ pushes: 0, previews: 0 });
  here.clock.advance(2 * HOUR_MS);
  const ended: string[] = [];
  expect(await endDue(deps, async (id) => void ended.push(id))).toBe(1);
  expect(await endDue(deps, async (id) => void ended.push(id))).toBe(0);
  expect(ended).toEqual([ada]);
  expect(await ask()).toEqual({ pushes: 1, previews: 0 });
  await finish(enqueued.at(-1) ?? '');
  expect((await there())['ada@example.com']).toMatchObject({ active: false });
  here.clock.advance(7 * HOUR_MS);
  expect(await ask()).toEqual({ pushes: 0, previews: 1 });
});

test('on the real workflow engine: begun in the transaction of the command, ended by the worker', async () => {
  await hire('ada@example.com');
  const options = { databaseUrl: here.test.url, logger: createTestLogger() };
  const definitions = [createProvisionWorkflow(deps)];
  const runner = await startWorkflows({ ...options, executorId: 'worker', definitions });
  const client = await openWorkflowClient(options);
  try {
    const { db, clock, envelope } = deps;
    const real = createProvisionCommands({ db, clock, envelope, workflows: client });
    const target = await addTool();
    const { runId } = await real.start(OWNER, { targetId: target.id, mode: 'push', reason: 'first push' });
    await client.result(`provision:${runId}`);
    expect(await loadProvisionRun(here.db, runId)).toMatchObject({ error: null, counts: { done: 1 } });
    expect((await there())['ada@example.com']).toMatchObject({ active: true });
  } finally {
    await client.close();
    await runner.stop();
  }
});
