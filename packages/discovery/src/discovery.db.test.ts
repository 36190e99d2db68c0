import { type Actor, kernelMigrations, migrate, readAudit, type Transaction, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Act, ActOutcome } from './act.ts';
import { createActWorkflow } from './act-workflow.ts';
import { type AppCommands, createAppCommands } from './app-commands.ts';
import { listDecisions, listFoundApps, listUses, loadFoundApp } from './app-store.ts';
import { loadCatalogue } from './catalogue.ts';
import { type GrantFact, usesOfGrants } from './grants.ts';
import { discoveryMigrations } from './index.ts';
import type { KeyFact } from './keys/key.ts';
import { createKeyCommands } from './keys/key-commands.ts';
import { createReadCommands, listReads, type ReadCommands } from './read-commands.ts';
import { recordEvidence } from './record-evidence.ts';

const NOW = Date.UTC(2026, 10, 24);
const DAY_MS = 86_400_000;
const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const DEV: Actor = { kind: 'person', id: 'p2', name: 'Dev', roles: ['developer'] };
const catalogue = loadCatalogue(fileURLToPath(new URL('../../../content/catalogue/', import.meta.url)));
const steps: WorkflowSteps = { step: (_name, work) => work(), sleep: async () => undefined, workflowId: 'w' };
const LOG = [
  '1763892000.123 9 10.1.2.3 TCP_TUNNEL/200 1000 CONNECT otter.ai:443 ada@meridian.example HIER_DIRECT/1.2.3.4 -',
  '1763892001.123 9 10.1.2.3 TCP_TUNNEL/200 1000 CONNECT otter.ai:443 bob@meridian.example HIER_DIRECT/1.2.3.4 -',
  '1763892002.123 9 10.1.2.4 TCP_TUNNEL/200 1000 CONNECT otter.ai:443 - HIER_DIRECT/1.2.3.4 -',
  '1763892003.123 9 10.1.2.3 TCP_TUNNEL/200 1000 CONNECT slack.com:443 ada@meridian.example HIER_DIRECT/1.2.3.4 -',
  'not a line of squid',
].join('\n');

let home: TestDatabase;
let clock: ReturnType<typeof createFakeClock>;
let apps: AppCommands;
let reads: ReadCommands;
let enqueued: unknown[];
let blocked: readonly string[];
let asked: string[];
let plan: Act[];
let done: string[];
let answer: () => ActOutcome;

beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, discoveryMigrations]);
  clock = createFakeClock(NOW);
  [enqueued, blocked, asked, plan, done] = [[], [], [], [], []];
  answer = () => ({ state: 'done', detail: 'revoked' });
  const workflows = {
    enqueue: async (_tx: Transaction, _definition: unknown, _id: string, input: unknown) => void enqueued.push(input),
  };
  const ports = {
    block: async (_tx: Transaction, hosts: readonly string[]) => {
      blocked = hosts;
    },
    tellAsked: async (_tx: Transaction, app: { name: string; owner: { name: string } | null }) =>
      void asked.push(`${app.owner?.name}: ${app.name}`),
  };
  apps = createAppCommands({ db: home.db, clock, catalogue, workflows, ports });
  const served = async () => [{ title: 'Slack', hosts: ['slack.com'] }];
  reads = createReadCommands({ db: home.db, clock, catalogue, served });
});
afterEach(() => home.drop());

const read = (text = LOG, actor = ADA) =>
  reads.read(
    actor,
    { name: 'access.log', format: 'squid' },
    (async function* () {
      yield Buffer.from(text);
    })(),
  );
const workflow = () =>
  createActWorkflow({
    db: home.db,
    clock,
    logger: createTestLogger(),
    pause: async () => undefined,
    ports: {
      plan: async () => plan,
      async carryOut(_subject, _act, key) {
        done.push(key);
        return answer();
      },
    },
  });
const grant = (key: string, task?: string): Act => ({
  key,
  kind: 'grant',
  name: key,
  act: 'Revoke',
  input: {},
  ...(task ? { task } : {}),
});

test('a file tells who uses what, since when and how much; read again it counts nothing twice', async () => {
  expect(await read()).toMatchObject({
    lines: 5,
    bad: 1,
    badLines: [{ line: 5 }],
    apps: 2,
    found: ['otter-ai', 'slack'],
  });
  await read();
  expect(await loadFoundApp(home.db, 'otter-ai')).toMatchObject({
    state: 'new',
    users: 2,
    addresses: 1,
    events: 3,
    bytes: 3000,
    firstAt: 1_763_892_000_123,
  });
  expect(await loadFoundApp(home.db, 'slack')).toMatchObject({ state: 'sanctioned', decidedBy: 'Cordon' });
  expect(
    (await listUses(home.db, 'otter-ai')).map(({ who, evidence, source }) => [who, evidence, source]),
  ).toContainEqual(['ada@meridian.example', 'proxy_log', 'access.log']);
  expect(await listReads(home.db)).toMatchObject([{ name: 'access.log', bad: 1 }]);
  expect((await listFoundApps(home.db, { who: 'ADA@meridian.example', state: 'new' })).map(({ key }) => key)).toEqual([
    'otter-ai',
  ]);
  await expect(read(LOG, DEV)).rejects.toMatchObject({ code: 'kernel.access_denied' });
});

test('what a place no longer tells of is not counted any more, and its decision stays', async () => {
  const tell = (uses: Parameters<typeof recordEvidence>[2]['uses']) =>
    recordEvidence(home.db, { catalogue, served: [], now: NOW }, { evidence: 'grant', bucket: 'c1', uses });
  const use = {
    app: 'otter-ai',
    evidence: 'grant',
    bucket: 'c1',
    who: 'ada',
    source: 'okta',
    detail: null,
    firstAt: NOW,
    lastAt: NOW,
    events: 1,
    bytes: 0,
  } as const;
  expect(await tell([use])).toEqual(['otter-ai']);
  expect(await tell([])).toEqual([]);
  expect(await loadFoundApp(home.db, 'otter-ai')).toMatchObject({ state: 'new', users: 0, events: 0 });
});

test('each new app is told once', async () => {
  await read();
  const told: string[] = [];
  const tell = async (_tx: Transaction, app: { key: string }) => void told.push(app.key);
  expect(await apps.tellNew(tell)).toBe(1);
  expect(await apps.tellNew(tell)).toBe(0);
  expect(told).toEqual(['otter-ai']);
});

test('asked, answered, decided: each with its reason on record', async () => {
  await read();
  await apps.ask(ADA, 'otter-ai', { owner: { id: 'p2', name: 'Dev' }, dueAt: NOW + DAY_MS, note: 'Why?' });
  expect(asked).toEqual(['Dev: Otter.ai']);
  await expect(apps.answer(ADA, 'otter-ai', 'for notes')).rejects.toMatchObject({ code: 'discovery.app_unknown' });
  await apps.answer(DEV, 'otter-ai', 'for notes');
  await expect(apps.decide(DEV, 'otter-ai', { state: 'sanctioned', reason: 'fine' })).rejects.toMatchObject({
    code: 'kernel.access_denied',
  });
  await expect(
    apps.decide(ADA, 'otter-ai', { state: 'tolerated', reason: 'until we have our own' }),
  ).rejects.toMatchObject({ code: 'discovery.input_invalid' });
  await apps.decide(ADA, 'otter-ai', {
    state: 'tolerated',
    reason: 'until we have our own',
    expiresAt: NOW + 30 * DAY_MS,
  });
  expect((await listDecisions(home.db, 'otter-ai')).map(({ to, by }) => `${to}: ${by}`).toSorted()).toEqual([
    'tolerated: Ada',
    'under_review: Ada',
    'under_review: Dev',
  ]);
  clock.advance(31 * DAY_MS);
  expect(await apps.expire()).toBe(1);
  expect(await loadFoundApp(home.db, 'otter-ai')).toMatchObject({ state: 'under_review', expiresAt: null });
  expect(await apps.expire()).toBe(0);
});

test('forbidden: refused at the proxy with the decision, its grants revoked once, whatever is killed', async () => {
  await read();
  const { runId } = await apps.decide(ADA, 'otter-ai', { state: 'forbidden', reason: 'records meetings' });
  expect(blocked).toEqual(['otter.ai']);
  expect(enqueued).toEqual([{ runId }]);
  plan = [grant('okta/app'), grant('github/app', 'Uninstall it there.')];
  let isAlive = true;
  answer = () => {
    if (!isAlive) return { state: 'nothing', detail: 'was revoked already' };
    isAlive = false;
    throw new Error('killed between the act and its record');
  };
  const run = { runId: runId ?? '' };
  await workflow().run(run, steps);
  await workflow().run(run, steps);
  expect(done).toEqual([`discovery:${runId}:okta/app`, `discovery:${runId}:okta/app`]);
  const [shown] = await apps.runs('otter-ai');
  expect(shown).toMatchObject({
    endedAt: null,
    acts: [{ state: 'nothing' }, { state: 'task', detail: 'Uninstall it there.' }],
  });
  await apps.closeTask(ADA, run.runId, 'github/app', 'Uninstalled');
  expect((await apps.runs('otter-ai'))[0]?.endedAt).not.toBeNull();
  const trail = (await readAudit(home.db, { limit: 100, after: 0 })).map(({ action }) => action);
  expect(trail.filter((action) => action === 'discovery.act_nothing').length).toBe(1);
  expect(trail).toContain('found-app.forbidden');
  await expect(apps.decide(ADA, 'otter-ai', { state: 'forbidden', reason: 'again' })).rejects.toMatchObject({
    code: 'discovery.decision_refused',
  });
  await apps.decide(ADA, 'otter-ai', { state: 'sanctioned', reason: 'we have a contract' });
  expect(blocked).toEqual([]);
});

test('grants of tools tell of software, known or not, and of nothing that is their own', () => {
  const oauth = (more: Partial<GrantFact>): GrantFact => ({
    id: 'g',
    kind: 'oauth',
    status: 'active',
    subject: { kind: 'account', id: 'u1' },
    ...more,
  });
  const facts = [
    oauth({ client: { name: 'Otter.ai' }, scopes: ['calendar.read'] }),
    oauth({ client: { name: 'Otter.ai' }, scopes: ['mail.read'] }),
    oauth({
      client: { name: 'Helpful CI Notes', url: 'https://github.com/apps/helpful' },
      subject: { kind: 'app', id: 'a1' },
      kind: 'installed_app',
    }),
    oauth({ client: { name: 'Own tool', own: true } }),
    oauth({ client: { name: 'Gone' }, status: 'revoked' }),
    oauth({ kind: 'membership' }),
    oauth({
      kind: 'webhook',
      endpoint: { url: 'https://hooks.zapier.com/x' },
      subject: { kind: 'integration', id: 'h' },
    }),
  ];
  const { uses, names } = usesOfGrants(
    catalogue,
    { id: 'c1', name: 'okta' },
    facts,
    new Map([['u1', 'Ada@Meridian.example']]),
    NOW,
  );
  expect(uses.map(({ app, who, evidence, detail }) => [app, who, evidence, detail])).toEqual([
    ['otter-ai', 'ada@meridian.example', 'grant', 'calendar.read, mail.read'],
    ['client-helpful-ci-notes', '', 'grant', null],
    ['zapier', '', 'webhook', null],
  ]);
  expect(names.get('client-helpful-ci-notes')).toBe('Helpful CI Notes');
});

test('keys: aged, the oldest first; taken away only where the tool can', async () => {
  const key = (ref: string, more: Partial<KeyFact>): KeyFact => ({
    ref,
    connectionId: 'c1',
    tool: 'github',
    toolTitle: 'GitHub',
    externalId: ref,
    kind: 'deploy_key',
    status: 'active',
    name: ref,
    owner: 'ada',
    scopes: [],
    createdAt: NOW - 10 * DAY_MS,
    lastUsedAt: null,
    expiresAt: null,
    firstSeenAt: NOW,
    canRotate: false,
    canRemove: false,
    ...more,
  });
  const facts = [
    key('fresh', {}),
    key('old', { createdAt: NOW - 1_100 * DAY_MS, lastUsedAt: NOW - 200 * DAY_MS, canRemove: true }),
    key('unknown', { createdAt: null, firstSeenAt: NOW - 100 * DAY_MS }),
    key('session', { kind: 'session', createdAt: NOW - 900 * DAY_MS }),
    key('over', { status: 'revoked' }),
  ];
  const workflows = {
    enqueue: async (_tx: Transaction, _definition: unknown, _id: string, input: unknown) => void enqueued.push(input),
  };
  const keys = createKeyCommands({ db: home.db, clock, workflows, keys: async () => facts });
  const list = await keys.list(ADA);
  expect(list.map(({ ref, age, isAgeAtLeast }) => [ref, age, isAgeAtLeast])).toEqual([
    ['old', 'very_old', false],
    ['unknown', 'old', true],
    ['fresh', 'fresh', false],
  ]);
  expect(list[0]?.why).toEqual(['1100 days old; 90 are the most', 'never expires', 'not used for 200 days']);
  await expect(keys.act(DEV, 'old', 'remove', 'too old')).rejects.toMatchObject({ code: 'kernel.access_denied' });
  await expect(keys.act(ADA, 'fresh', 'remove', 'too old')).rejects.toMatchObject({
    code: 'discovery.decision_refused',
  });
  await expect(keys.act(ADA, 'session', 'rotate', 'too old')).rejects.toMatchObject({ code: 'discovery.key_unknown' });
  const { runId } = await keys.act(ADA, 'old', 'remove', 'too old');
  plan = [{ ...grant('remove/old'), kind: 'key' }];
  await workflow().run({ runId }, steps);
  expect((await keys.runs())[0]).toMatchObject({
    subject: { id: 'remove:old' },
    acts: [{ state: 'done', detail: 'revoked' }],
  });
});
