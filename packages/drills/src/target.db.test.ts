import { fileURLToPath } from 'node:url';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, PERMISSIONS, ROLES } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDrillCommands } from './drill-commands.ts';
import { loadDrill } from './drill-store.ts';
import { loadScenarios } from './load-scenarios.ts';
import { createScheduleCommands, listSchedules } from './schedule.ts';
import { drillsMigrations } from './tables.ts';
import { createTargetCommands, firstCall, placedCall, probesOf, type TargetApp } from './target.ts';

/** An app of the estate is a drill's target only where somebody said that it is a test system. */

const ADA: Actor = { kind: 'person', id: '01a209db-743e-7000-a1f8-5ae5721c1801', name: 'ada', roles: ['owner'] };
const DAY_MS = 86_400_000;
const clock = createFakeClock();
const read = (id: string, path: string) => ({ id, method: 'GET', path });
const SHOP: TargetApp = {
  id: 'app-1',
  name: 'shop',
  operations: [
    read('orders.list', '/orders'),
    read('orders.get', '/orders/{id}'),
    read('people.list', '/people'),
    read('keys.list', '/keys'),
    read('hooks.list', '/shops/{shop}/hooks'),
    read('files.list', '/files'),
    { id: 'orders.drop', method: 'DELETE', path: '/orders' },
  ],
};
const MARK = { app: 'shop', operation: 'orders.list', path: '/orders?limit=5', reason: 'an emulator' };
const LIVE = { scenario: 'stolen-oauth-token', mode: 'live-fire' as const, decide: 'drill' as const, target: 'shop' };

let made: TestDatabase;
let drills: ReturnType<typeof createDrillCommands>;
let targets: ReturnType<typeof createTargetCommands>;
let schedules: ReturnType<typeof createScheduleCommands>;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, drillsMigrations]);
  const scenarios = await loadScenarios(fileURLToPath(new URL('../../../content/scenarios', import.meta.url)));
  const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });
  const workflows = { enqueue: () => Promise.resolve() };
  drills = createDrillCommands({ db: made.db, clock, envelope, workflows, scenarios });
  schedules = createScheduleCommands({ db: made.db, clock, scenarios, drills });
  const bare = { id: 'app-2', name: 'bare', operations: SHOP.operations.slice(0, 3) };
  const find = (name: string) => Promise.resolve([SHOP, bare].find((one) => one.name === name) ?? null);
  targets = createTargetCommands({ db: made.db, clock, apps: { find } });
});
afterAll(() => made.drop());

test('an app that nobody marked is no target, and neither is one whose mark was taken away', async () => {
  await expect(drills.create(ADA, LIVE)).rejects.toThrow('Nobody marked "shop"');
  await targets.mark(ADA, MARK);
  const { id } = await drills.create(ADA, LIVE);
  expect((await loadDrill(made.db, id)).target).toEqual({
    appId: 'app-1',
    app: 'shop',
    operation: 'orders.list',
    path: '/orders?limit=5',
  });
  await targets.unmark(ADA, 'shop');
  await expect(drills.create(ADA, LIVE)).rejects.toThrow('Nobody marked "shop"');
  expect(await targets.list()).toEqual([]);
});

test.each([
  [{ ...MARK, app: 'nothing' }, 'There is no app nothing.'],
  [{ ...MARK, operation: 'orders.drop' }, 'is no read'],
  [{ ...MARK, app: 'bare' }, 'fewer than 5 other reads'],
  [{ ...MARK, path: 'https://elsewhere.example/' }, 'a path with its query'],
  [{ ...MARK, reason: ' ' }, 'say why'],
])('a mark of %o is refused', async (input, message) => {
  await expect(targets.mark(ADA, input)).rejects.toThrow(message);
});

test.each([[{ ...LIVE, mode: 'tabletop' as const }], [{ ...LIVE, scenario: 'okta-support-2023' }]])(
  '%o steals no token at an app',
  async (input) => {
    await targets.mark(ADA, MARK);
    await expect(drills.create(ADA, input)).rejects.toThrow('uses no token at an app');
  },
);

test.each(ROLES.map((role) => [role, PERMISSIONS['drill.run'].some((one) => one === role)] as const))(
  'a %s marks: %s',
  async (role, may) => {
    const somebody: Actor = { ...ADA, roles: [role] };
    const outcome = targets.mark(somebody, MARK).then(
      () => true,
      () => false,
    );
    expect(await outcome).toBe(may);
  },
);

test('the thief repeats the granted read, then tries reads alone, each different, whatever the scenario writes', async () => {
  await targets.mark(ADA, MARK);
  const drill = await loadDrill(made.db, (await drills.create(ADA, LIVE)).id);
  const victim = { integrationId: 'i', appName: 'shop', token: 't', probes: probesOf(SHOP, MARK.operation) };
  const calls = drill.document.injects.flatMap((one) => one.calls ?? []).map((one) => placedCall(drill, victim, one));
  expect(firstCall(drill, victim)).toMatchObject({ method: 'GET', path: '/orders?limit=5', times: 2 });
  expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['GET']));
  expect(new Set(calls.slice(1).map(({ path }) => path))).toEqual(
    new Set(['/files', '/keys', '/people', '/orders/drill', '/shops/drill/hooks']),
  );
});

test('a schedule whose app lost its mark plays nothing, and the others go on', async () => {
  await targets.mark(ADA, MARK);
  const input = { ...LIVE, name: 'Quarterly', everyDays: 91, nextAt: clock.now() + DAY_MS };
  await schedules.add(ADA, input);
  await targets.unmark(ADA, 'shop');
  await expect(schedules.add(ADA, { ...input, name: 'Another' })).rejects.toThrow('Nobody marked "shop"');
  clock.advance(2 * DAY_MS);
  await schedules.tend(() => Promise.resolve());
  const [kept] = await listSchedules(made.db);
  expect([kept?.target, kept && kept.nextAt > clock.now()]).toEqual(['shop', true]);
});
