import { kernelMigrations, migrate, uuidv7 } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActionTable } from '../actions/action-table.ts';
import { parsePlaybook, type Playbook, writePlaybook } from '../cacao/playbook.ts';
import { startVariables } from '../cacao/variables.ts';
import { incidentsMigrations } from '../tables.ts';
import { createFakeOutside, type FakeOutside } from '../testing.ts';
import { driveRun } from './interpreter.ts';
import { insertRun, listActs, openJournal } from './run-store.ts';
import type { RunEngine } from './run-workflow.ts';
import type { Run } from './run.ts';
import { undoRun } from './undo.ts';

/** Every compensation on a run that is stored as in the product: what the run did is gone, what was so before stays. */

const clock = createFakeClock();
const actions = createActionTable();
let made: TestDatabase;
beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
});
afterAll(() => made.drop());

const START = 'start--00000000-0000-4000-8000-000000000001';
const END = 'end--00000000-0000-4000-8000-000000000002';
const stepId = (n: number): string => `action--00000000-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`;
const TARGET = 'http-api--00000000-0000-4000-8000-000000000003';

type Command = Readonly<Record<string, unknown>>;
const act = (command: string, args: Readonly<Record<string, string>>): Command => ({
  type: 'cordon',
  command,
  version: '1',
  arguments: args,
});

/** A playbook of one step after the other; each with its commands. */
function playbookOf(steps: readonly { readonly commands: readonly Command[]; readonly targets?: readonly string[] }[]) {
  const workflow = Object.fromEntries(
    steps.map((step, index) => [
      stepId(index),
      {
        type: 'action',
        name: `Step ${index}`,
        agent: TARGET,
        ...step,
        on_completion: index + 1 < steps.length ? stepId(index + 1) : END,
      },
    ]),
  );
  return parsePlaybook({
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id: `playbook--${uuidv7()}`,
    name: 'Test',
    created_by: 'identity--00000000-0000-4000-8000-000000000009',
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    workflow_start: START,
    workflow: { [START]: { type: 'start', on_completion: stepId(0) }, ...workflow, [END]: { type: 'end' } },
    agent_definitions: { [TARGET]: { type: 'http-api', name: 'API', address: { url: ['https://api.example.com'] } } },
    target_definitions: { [TARGET]: { type: 'http-api', name: 'API', address: { url: ['https://api.example.com'] } } },
  });
}

const outside = (): FakeOutside =>
  createFakeOutside({
    integrations: [
      { id: 'i1', name: 'sync', status: 'active', statusReason: null, assurance: 'm0' },
      { id: 'i2', name: 'ended', status: 'revoked', statusReason: 'cut off by Ada', assurance: 'm0' },
    ],
    people: [
      { id: 'p1', name: 'Eve', email: 'eve@example.com', status: 'active', sessions: 2, factors: 1 },
      { id: 'p2', name: 'Ida', email: 'ida@example.com', status: 'disabled', sessions: 0, factors: 0 },
    ],
  });

async function perform(playbook: Playbook, world: FakeOutside) {
  const at = clock.now();
  const run: Run = {
    id: uuidv7(at),
    playbookId: playbook.id,
    playbookName: playbook.name,
    document: writePlaybook(playbook),
    digest: 'x',
    mode: 'live',
    status: 'undoing',
    caseId: null,
    alertId: null,
    startedBy: { kind: 'person', id: 'ada', name: 'Ada' },
    approval: { by: { kind: 'person', id: 'bob', name: 'Bob' }, at, approved: true, reason: 'go' },
    inputs: {},
    variables: startVariables(playbook, {}),
    error: null,
    wakeAt: null,
    createdAt: at,
    finishedAt: null,
  };
  await made.db.transaction((tx) => insertRun(tx, run, null));
  const engine: RunEngine = {
    db: made.db,
    clock,
    logger: createTestLogger(),
    actions,
    transport: world.transport,
    findPlaybook: async () => null,
  };
  const journal = await openJournal(engine, run.id);
  const outcome = await driveRun(run, playbook, {
    ...engine,
    journal,
    now: () => {
      clock.advance(1);
      return clock.now();
    },
  });
  expect(outcome).toMatchObject({ state: 'ended', ok: true });
  const undone = async () =>
    (await listActs(made.db, run.id))
      .filter(({ kind }) => kind === 'undo')
      .map(({ title, status, attempts }) => ({ title, status, attempts }));
  return { run, engine, undone };
}

const stateOf = ({ integrations, people, rules }: FakeOutside) => ({
  integrations: [...integrations.values()].map(({ id, status, assurance }) => ({ id, status, assurance })),
  people: [...people.values()].map(({ id, status }) => ({ id, status })),
  rules: [...rules],
});

const WITH_WAY_BACK: readonly { readonly command: string; readonly args: Readonly<Record<string, string>> }[] = [
  { command: 'gateway.cut-off', args: { integration: 'sync' } },
  { command: 'gateway.cut-off', args: { integration: '["sync","ended"]' } },
  { command: 'gateway.suspend', args: { integration: 'sync' } },
  { command: 'gateway.read-only', args: { integration: 'sync' } },
  { command: 'gateway.limit', args: { integration: 'sync', count: '10' } },
  { command: 'gateway.step-up', args: { integration: 'sync', assurance: 'm2' } },
  { command: 'identity.disable', args: { person: 'eve@example.com' } },
  { command: 'identity.disable', args: { person: 'ida@example.com' } },
  { command: 'connector.act', args: { app: 'github', action: 'remove-member', user: 'eve' } },
];

describe('each compensation', () => {
  test.each(WITH_WAY_BACK)('$command $args', async ({ command, args }) => {
    const world = outside();
    const before = stateOf(world);
    const { run, engine, undone } = await perform(playbookOf([{ commands: [act(command, args)] }]), world);
    const done = world.log.length;
    expect(await undoRun(engine, run)).toMatchObject({ ok: true });
    expect(stateOf(world)).toEqual(before);
    expect((await undone()).map(({ status }) => status)).toEqual(['done']);
    // Once undone, asking again changes nothing.
    const after = world.log.length;
    expect(await undoRun(engine, run)).toMatchObject({ ok: true });
    expect(world.log.length).toBe(after);
    const hadNothingToChange = args['person'] === 'ida@example.com';
    expect(after > done).toBe(!hadNothingToChange);
  });

  test('every action with a way back is in this table', () => {
    const named = new Set(WITH_WAY_BACK.map(({ command }) => command));
    const all = [...actions.values()].filter(({ compensation }) => compensation).map(({ name }) => name);
    expect(all.filter((name) => !named.has(name))).toEqual([]);
  });

  test('a connector is told which act it takes back', async () => {
    const world = outside();
    const commands = [act('connector.act', { app: 'github', action: 'remove-member', user: 'eve' })];
    const { run, engine } = await perform(playbookOf([{ commands }]), world);
    const key = world.log.find(({ act: what }) => what === 'connector github remove-member')?.detail;
    await undoRun(engine, run);
    const back = world.log.find(({ act: what }) => what.startsWith('connector undo'));
    expect(back?.act).toBe(`connector undo github remove-member ${key}`);
    expect(back?.detail).not.toBe(key);
  });
});

describe('a whole run', () => {
  test('is taken back last act first, and each HTTP call by its own way back', async () => {
    const world = outside();
    const call = (thing: string): Command => ({
      type: 'http-api',
      command: `PUT /${thing} HTTP/1.1`,
      cordon: { verify: `GET /${thing}`, undo: `DELETE /${thing}` },
    });
    const urls: string[] = [];
    const http = world.transport.acts.http.bind(world.transport.acts);
    Object.assign(world.transport.acts, {
      http: (...args: Parameters<typeof http>) => {
        if (args[0].method !== 'GET') urls.push(`${args[0].method} ${args[0].url}`);
        return http(...args);
      },
    });
    const playbook = playbookOf([
      { commands: [call('one'), call('two')], targets: [TARGET] },
      { commands: [act('gateway.read-only', { integration: 'sync' })] },
    ]);
    const { run, engine, undone } = await perform(playbook, world);
    expect(await undoRun(engine, run)).toMatchObject({ ok: true });
    expect(urls).toEqual([
      'PUT https://api.example.com/one',
      'PUT https://api.example.com/two',
      'DELETE https://api.example.com/two',
      'DELETE https://api.example.com/one',
    ]);
    expect((await undone())[0]?.title).toContain('Take the rule away');
    expect(world.rules.size).toBe(0);
  });

  test('stops at what fails, says so, and goes on from there when asked again', async () => {
    const world = outside();
    const playbook = playbookOf([
      { commands: [act('gateway.read-only', { integration: 'sync' })] },
      { commands: [act('identity.disable', { person: 'p1' })] },
      { commands: [act('gateway.cut-off', { integration: 'sync' })] },
    ]);
    const { run, engine, undone } = await perform(playbook, world);
    const real = world.transport.acts.enablePerson.bind(world.transport.acts);
    Object.assign(world.transport.acts, { enablePerson: () => Promise.reject(new Error('the directory is away')) });
    expect(await undoRun(engine, run)).toMatchObject({ ok: false, error: expect.stringContaining('directory') });
    expect(stateOf(world)).toMatchObject({
      integrations: [{ status: 'active' }, {}],
      people: [{ status: 'disabled' }, {}],
    });
    expect(world.rules.size).toBe(1);
    Object.assign(world.transport.acts, { enablePerson: real });
    expect(await undoRun(engine, run)).toMatchObject({ ok: true });
    expect(stateOf(world)).toEqual(stateOf(outside()));
    expect(world.log.filter(({ act: what }) => what === 'restored')).toHaveLength(1);
    expect((await undone()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['done', 1],
      ['done', 2],
      ['done', 1],
    ]);
  });

  test('a compensation that a crash cut short is done once more and ends the same', async () => {
    const world = outside();
    const { run, engine } = await perform(
      playbookOf([{ commands: [act('gateway.cut-off', { integration: 'sync' })] }]),
      world,
    );
    const real = world.transport.acts.restoreIntegration.bind(world.transport.acts);
    const crash = new Promise<never>(() => undefined);
    const arrived = Promise.withResolvers<void>();
    Object.assign(world.transport.acts, {
      restoreIntegration: async (...args: Parameters<typeof real>) => {
        await real(...args);
        arrived.resolve();
        return crash; // the outside did it, and nobody wrote that down
      },
    });
    void undoRun(engine, run);
    await arrived.promise;
    Object.assign(world.transport.acts, { restoreIntegration: real });
    expect(await undoRun(engine, run)).toMatchObject({ ok: true });
    expect(stateOf(world)).toEqual(stateOf(outside()));
    expect(world.log.filter(({ act: what }) => what === 'restored')).toHaveLength(1);
  });
});
