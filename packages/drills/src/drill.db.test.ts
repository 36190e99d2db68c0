import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Actor,
  createSecretEnvelope,
  kernelMigrations,
  migrate,
  PERMISSIONS,
  readAudit,
  type Role,
  ROLES,
} from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTagCheck } from './check-tags.ts';
import { createDrillCommands } from './drill-commands.ts';
import { addObject, listDrills, listEntries, listScored, loadDrill } from './drill-store.ts';
import { keyContext } from './firing.ts';
import { loadScenarios } from './load-scenarios.ts';
import { createScheduleCommands, listSchedules, nextDate } from './schedule.ts';
import { drillsMigrations } from './tables.ts';
import { tagAgent, tagRecord } from './tag.ts';

const SCENARIOS = join(fileURLToPath(new URL('../../../content/', import.meta.url)), 'scenarios');
const DAY_MS = 86_400_000;
const person = (id: string, ...roles: Role[]): Actor => ({ kind: 'person', id, name: id, roles });
const ADA = person('01a209db-743e-7000-a1f8-5ae5721c1801', 'owner');
const BOB = person('01a209db-743e-7000-a1f8-5ae5721c1802', 'responder');
const clock = createFakeClock();
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 7)] });

let made: TestDatabase;
let commands: ReturnType<typeof createDrillCommands>;
let schedules: ReturnType<typeof createScheduleCommands>;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, drillsMigrations]);
  const scenarios = await loadScenarios(SCENARIOS);
  const workflows = { enqueue: () => Promise.resolve() };
  commands = createDrillCommands({ db: made.db, clock, envelope, workflows, scenarios });
  schedules = createScheduleCommands({ db: made.db, clock, scenarios, drills: commands });
});
afterAll(() => made.drop());

const TABLE = { scenario: 'snowflake-2024', mode: 'tabletop' as const };

async function table(
  more: {
    pace?: 'clock';
    stretch?: number;
    participants?: { role: 'commander' | 'legal'; name: string; personId?: string }[];
  } = {},
) {
  const { id } = await commands.create(ADA, { ...TABLE, ...more });
  await commands.start(ADA, id);
  return id;
}
const kinds = async (id: string): Promise<string[]> => (await listEntries(made.db, id)).map(({ kind }) => kind);

describe('a tabletop', () => {
  test('goes from plan to score, and its trail names each decision', async () => {
    const bob = { role: 'commander' as const, name: 'Bob', personId: BOB.kind === 'person' ? BOB.id : '' };
    const id = await table({ participants: [bob, { role: 'legal', name: 'Carol' }] });
    await expect(commands.respond(BOB, id, { inject: 'sign-in', text: 'too early' })).rejects.toThrow('not been told');
    await commands.release(ADA, id, 'sign-in');
    await commands.release(ADA, id, 'sign-in');
    clock.advance(30_000);
    await commands.respond(BOB, id, { inject: 'sign-in', text: 'We lock it.' });
    await expect(commands.respond(ADA, id, { inject: 'sign-in', text: 'I too', role: 'commander' })).rejects.toThrow(
      'Somebody else has the role',
    );
    await commands.judge(ADA, id, { action: 'others', met: true });
    const ended = await commands.stop(ADA, id, { abort: false, reason: 'enough' });
    expect(ended.status).toBe('ended');
    expect(ended.score?.missing).toContain('Carol (legal) did not take part');
    expect(ended.score?.checks.find(({ key }) => key === 'action:others')).toMatchObject({ met: true, tookMs: 30_000 });
    expect((await kinds(id)).filter((kind) => kind === 'inject')).toHaveLength(1);
    const trail = await readAudit(made.db, { target: { type: 'drill', id }, limit: 50 });
    expect(trail.map(({ action }) => action).toReversed()).toEqual([
      'drill.planned',
      'drill.started',
      'drill.inject_released',
      'drill.inject_released',
      'drill.responded',
      'drill.judged',
      'drill.finish_asked',
      'drill.ended',
    ]);
    await expect(commands.judge(ADA, id, { action: 'others', met: false })).rejects.toThrow('The drill is ended.');
  });

  test('by the clock tells what is due, stands while it is paused, and ends by itself', async () => {
    const id = await table({ pace: 'clock', stretch: 0.1 });
    expect(await commands.advance()).toBe(1);
    clock.advance(1_000);
    expect(await commands.advance()).toBe(1);
    await commands.pause(ADA, id, true);
    clock.advance(DAY_MS);
    expect(await commands.advance()).toBe(0);
    await commands.pause(ADA, id, false);
    clock.advance(6 * 60_000);
    expect(await commands.advance()).toBe(1);
    clock.advance(6 * 60_000);
    await commands.advance();
    const drill = await loadDrill(made.db, id);
    expect([drill.status, drill.pausedMs]).toEqual(['ended', DAY_MS]);
  });

  test('that was aborted counts in no trend', async () => {
    const id = await table();
    const before = (await listScored(made.db, 0)).length;
    await commands.stop(BOB, id, { abort: true, reason: 'a real incident' });
    expect((await loadDrill(made.db, id)).status).toBe('aborted');
    expect(await listScored(made.db, 0)).toHaveLength(before);
  });
});

describe('who may do what', () => {
  const runners: readonly Role[] = PERMISSIONS['drill.run'];
  const enders: readonly Role[] = PERMISSIONS['drill.abort'];
  test.each(ROLES.map((role) => [role, runners.includes(role), enders.includes(role)] as const))(
    'a %s leads: %s, aborts: %s',
    async (role, leads, ends) => {
      const outcome = (work: Promise<unknown>): Promise<boolean> =>
        work.then(
          () => true,
          () => false,
        );
      const somebody = person('01a209db-743e-7000-a1f8-5ae5721c1899', role);
      expect(await outcome(commands.create(somebody, TABLE))).toBe(leads);
      const id = await table();
      await commands.release(ADA, id, 'sign-in');
      expect(await outcome(commands.judge(somebody, id, { action: 'others', met: true }))).toBe(leads);
      expect(await outcome(commands.release(somebody, id, 'export'))).toBe(leads);
      expect(await outcome(commands.respond(somebody, id, { inject: 'sign-in', text: 'hm' }))).toBe(true);
      expect(await outcome(commands.stop(somebody, id, { abort: false, reason: 'enough' }))).toBe(leads);
      const other = await table();
      expect(await outcome(commands.stop(somebody, other, { abort: true, reason: 'enough' }))).toBe(ends);
    },
  );

  test.each([
    [{ ...TABLE, scenario: 'nothing' }, 'no scenario nothing'],
    [{ ...TABLE, stretch: 0 }, 'stretch'],
    [{ ...TABLE, mode: 'live' as 'tabletop' }, 'mode'],
  ])('a drill of %o is refused', async (input, message) => {
    await expect(commands.create(ADA, input)).rejects.toThrow(message);
  });
});

describe('a tag is believed', () => {
  const check = () => createTagCheck({ db: made.db, envelope, clock });
  const record = { user: 'eve' };
  const keyOf = async (id: string) => envelope.open((await loadDrill(made.db, id)).sealedKey, keyContext(id));

  test('where the drill’s own key made it, and nowhere else', async () => {
    const [one, two] = [await table(), await table()];
    const [key, other] = [await keyOf(one), await keyOf(two)];
    await addObject(made.db, one, { kind: 'integration', ref: 'i1', name: 'i', sealed: null, madeAt: 1 });
    const say = check();
    expect(await say({ kind: 'record', record: tagRecord(key, one, 1, record) })).toBe(one);
    expect(await say({ kind: 'record', record: tagRecord(other, one, 1, record) })).toBeNull();
    expect(await say({ kind: 'record', record: { ...tagRecord(key, one, 1, record), user: 'ada' } })).toBeNull();
    expect(await say({ kind: 'record', record })).toBeNull();
    const userAgent = tagAgent(key, one, 1, 'i1');
    expect(await say({ kind: 'call', userAgent, integrationId: 'i1' })).toBe(one);
    expect(await say({ kind: 'call', userAgent, integrationId: null })).toBe(one);
    expect(await say({ kind: 'call', userAgent, integrationId: 'i2' })).toBeNull();
    expect(await say({ kind: 'call', userAgent: tagAgent(other, one, 1, 'i1'), integrationId: 'i1' })).toBeNull();
    expect(
      await say({
        kind: 'call',
        userAgent: tagAgent(key, '01a209db-743e-7000-a1f8-5ae5721c1811', 1, 'i1'),
        integrationId: 'i1',
      }),
    ).toBeNull();
  });

  test('not long after the drill is over', async () => {
    const id = await table();
    const tagged = tagRecord(await keyOf(id), id, 1, record);
    await commands.stop(ADA, id, { abort: true, reason: 'enough' });
    expect(await check()({ kind: 'record', record: tagged })).toBe(id);
    clock.advance(11 * 60_000);
    expect(await check()({ kind: 'record', record: tagged })).toBeNull();
  });
});

describe('a schedule', () => {
  test('reminds once for each day that was asked for, plans when due, and goes on', async () => {
    const sent: string[] = [];
    const remind = (_tx: unknown, { key }: { key: string }): Promise<void> => {
      sent.push(key);
      return Promise.resolve();
    };
    const nextAt = clock.now() + 10 * DAY_MS;
    const input = { name: 'Quarterly', ...TABLE, everyDays: 91, channel: 'incidents', nextAt };
    const { id } = await schedules.add(ADA, input);
    await expect(schedules.add(ADA, input)).rejects.toThrow('The name is taken.');
    await expect(schedules.add(BOB, { ...input, name: 'Other' })).rejects.toThrow('drill.run');
    await schedules.tend(remind);
    expect(sent).toEqual([]);
    clock.advance(3 * DAY_MS);
    await schedules.tend(remind);
    await schedules.tend(remind);
    clock.advance(6 * DAY_MS);
    await schedules.tend(remind);
    expect(sent.map((key) => key.split(':').at(-1))).toEqual(['7', '1']);
    clock.advance(DAY_MS);
    await schedules.tend(remind);
    await schedules.tend(remind);
    const planned = (await listDrills(made.db, { limit: 200 })).filter(({ scheduleId }) => scheduleId === id);
    expect(planned.map(({ status, mode }) => [status, mode])).toEqual([['planned', 'tabletop']]);
    expect((await listSchedules(made.db))[0]?.nextAt).toBe(nextAt + 91 * DAY_MS);
    await schedules.remove(ADA, id);
    expect(await listSchedules(made.db)).toEqual([]);
  });

  test.each([
    [0, 10, 5, 10],
    [0, 10, 10, 20],
    [0, 10, 35, 40],
    [100, 10, 5, 110],
  ])('from day %i every %i days is next, on day %i, on day %i', (from, every, now, next) => {
    expect(nextDate(from * DAY_MS, every, now * DAY_MS)).toBe(next * DAY_MS);
  });
});
