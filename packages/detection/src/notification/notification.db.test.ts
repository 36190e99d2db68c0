import { type Actor, createSecretEnvelope, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type FakeClock, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAlertCommands } from '../alert/alert-commands.ts';
import { raiseAlerts, type RaisedSignal } from '../alert/alert-raise.ts';
import { liftAlerts, resolveAlerts } from '../alert/alert-settle.ts';
import { listAlerts, listComments, loadAlert } from '../alert/alert-store.ts';
import { createSloCommands, listSlos, saveSloState } from '../monitor/slo-store.ts';
import { evaluateSlo, sloInput } from '../monitor/slo.ts';
import { createTargetCommands, dueDeliveries, listTargets, settleDelivery, targetInput } from '../notification.ts';
import { clearWatch } from '../watch-retention.ts';
import { detectionMigrations, type WatchTables } from '../watch-tables.ts';
import { listDeliveries, retryDeliveries } from './delivery-store.ts';

const DAY = 86_400_000;
let data: TestDatabase;
let clock: FakeClock;
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
});
afterAll(() => data.drop());
beforeEach(() => {
  clock = createFakeClock();
});

const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 9)] });
let number = 0;
async function raise(ruleId: string, over: Partial<RaisedSignal> = {}): Promise<string> {
  number += 1;
  const signal: RaisedSignal = {
    id: `signal-${number}`,
    ruleId,
    ruleKind: 'rule',
    title: ruleId,
    level: 'medium',
    entity: { type: 'person', id: 'bob', name: 'Bob' },
    product: 'okta',
    at: clock.now(),
    eventIds: [],
    receivedAt: clock.now(),
    ...over,
  };
  const { raised } = await data.db.transaction((tx) => raiseAlerts(tx, [signal], clock.now()));
  return raised[0]?.id ?? '';
}

test('each kind is told of what it asked for, at the time it may be told, and of the end once', async () => {
  const targets = createTargetCommands({ db: data.db, clock, envelope });
  const posted = { url: 'https://hooks.example.com/x', privateAddresses: [] };
  const add = (input: object) => targets.add(ada, targetInput.parse(input));
  await add({ name: 'plain', ...posted });
  await add({ name: 'pager', kind: 'pagerduty', routingKey: 'a'.repeat(32), levelMin: 'high' });
  await add({ name: 'mails', kind: 'mail', to: ['soc@example.com'], tellClosed: true });
  const hour = new Date(clock.now()).getUTCHours();
  const at = (shift: number) => `${String((hour + shift + 24) % 24).padStart(2, '0')}:00`;
  await add({ name: 'night', kind: 'slack', ...posted, quiet: { zone: 'UTC', from: at(-1), to: at(2) } });
  expect((await listTargets(data.db)).map(({ name, kind, tellClosed }) => [name, kind, tellClosed])).toEqual([
    ['mails', 'mail', true],
    ['night', 'slack', false],
    ['pager', 'pagerduty', true],
    ['plain', 'webhook', false],
  ]);
  const id = await raise('formats');
  const due = async () =>
    (await dueDeliveries(data.db, envelope, clock.now()))
      .map(({ kind, event }) => `${kind} ${event}`)
      .toSorted((a, b) => (a < b ? -1 : 1));
  expect(await due()).toEqual(['mail raised', 'webhook raised']);
  // It gets worse: the pager, which was not told yet, is; the others are not told twice.
  await data.db.transaction((tx) => liftAlerts(tx, 'formats', 'high', 'worse', clock.now()));
  expect(await due()).toEqual(['mail raised', 'pagerduty raised', 'webhook raised']);
  expect(await loadAlert(data.db, id)).toMatchObject({ level: 'high', title: 'worse' });
  await data.db.transaction((tx) => resolveAlerts(tx, 'formats', 'It ended.', clock.now()));
  expect(await due()).toEqual(['mail closed', 'mail raised', 'pagerduty closed', 'pagerduty raised', 'webhook raised']);
  expect(await loadAlert(data.db, id)).toMatchObject({ status: 'closed', statusReason: 'resolved' });
  expect(await listComments(data.db, id)).toMatchObject([{ author: 'cordon', text: 'It ended.' }]);
  clock.advance(3 * 3_600_000);
  expect(await due()).toContain('slack raised');
});

test('what can not be delivered becomes a dead letter, is seen, and is sent again', async () => {
  for (const delivery of await dueDeliveries(data.db, envelope, clock.now())) {
    await settleDelivery(data.db, delivery, 'refused', clock.now(), 'final');
  }
  const failed = await listDeliveries(data.db, { state: 'failed', limit: 10 });
  expect(failed.length).toBeGreaterThan(3);
  expect(failed[0]).toMatchObject({ lastError: 'refused', attempts: 1 });
  const mine = failed.filter(({ target }) => target === 'plain');
  expect(await retryDeliveries({ db: data.db, clock }, ada, mine[0]?.targetId)).toBe(mine.length);
  expect((await dueDeliveries(data.db, envelope, clock.now())).map(({ kind }) => kind)).toEqual(
    mine.map(() => 'webhook'),
  );
});

test('old closed alerts go with all that is theirs, open ones stay, and ids never come twice', async () => {
  const commands = createAlertCommands({ db: data.db, clock });
  const old = await raise('keep');
  await commands.close(ada, old, { reason: 'resolved', comment: 'done' });
  const open = await raise('open');
  clock.advance(200 * DAY);
  const newer = await raise('keep');
  await commands.close(ada, newer, { reason: 'resolved' });
  clock.advance(250 * DAY);
  const cleared = await clearWatch(data.db, clock.now());
  expect(cleared.alerts).toBeGreaterThan(0);
  expect(await listAlerts(data.db, { ruleId: 'keep', limit: 5 })).toMatchObject([{ id: newer }]);
  expect(await listAlerts(data.db, { ruleId: 'open', limit: 5 })).toMatchObject([{ id: open }]);
  expect([old, newer]).not.toContain(await raise('keep'));
  expect(await clearWatch(data.db, clock.now())).toMatchObject({ alerts: 0 });
});

test('first times of records are forgotten after a month', async () => {
  const tables = data.db.tables<WatchTables>();
  const source = {
    id: 's1',
    name: 's1',
    product: 'okta',
    credential_hash: 'h',
    credential_hint: 'h',
    status: 'active' as const,
    rate_max: 1,
    created_at: 0,
    created_by: 'x',
    updated_at: 0,
  };
  await tables
    .insertInto('event_source')
    .values({ ...source, last_received_at: null, watermark: null, lag_ms: null, collect: null, collect_error: null })
    .execute();
  const now = clock.now();
  const times = [
    { source_id: 's1', event_id: 'old', first_at: now - 40 * DAY },
    { source_id: 's1', event_id: 'new', first_at: now - DAY },
  ];
  await tables.insertInto('event_source_time').values(times).execute();
  expect((await clearWatch(data.db, now)).times).toBe(1);
  const left = await tables.selectFrom('event_source_time').select('event_id').execute();
  expect(left).toEqual([{ event_id: 'new' }]);
});

test('an SLO is made, measured and removed, each on record', async () => {
  const commands = createSloCommands({ db: data.db, clock });
  const slo = await commands.add(
    ada,
    sloInput.parse({ name: 'notes', kind: 'availability', appId: 'a', objective: 0.99 }),
  );
  const again = commands.add(ada, sloInput.parse({ name: 'notes', kind: 'availability', appId: 'a', objective: 0.99 }));
  await expect(again).rejects.toMatchObject({ code: 'detection.input_invalid' });
  const state = evaluateSlo(slo, { period: { windowMs: DAY, total: 10, bad: 1 }, counts: [], at: clock.now() });
  await saveSloState(data.db, slo.id, state);
  expect(await listSlos(data.db)).toMatchObject([{ name: 'notes', state: { total: 10, bad: 1 } }]);
  await commands.remove(ada, slo.id);
  expect(await listSlos(data.db)).toEqual([]);
  await expect(commands.remove(ada, slo.id)).rejects.toMatchObject({ code: 'detection.slo_unknown' });
});
