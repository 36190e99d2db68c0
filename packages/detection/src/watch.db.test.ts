import { type Actor, createSecretEnvelope, kernelMigrations, migrate, readAudit } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type FakeClock, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAlertCommands } from './alert/alert-commands.ts';
import { raiseAlerts, type RaisedSignal, withdrawSignal } from './alert/alert-raise.ts';
import { listAlerts, listSignals, loadAlert } from './alert/alert-store.ts';
import { createTargetCommands, dueDeliveries, settleDelivery, sealTargets, targetInput } from './notification.ts';
import { createRuleCommands, listExceptions, listSettings } from './rule-setting.ts';
import { credentialHash } from './source/source.ts';
import { createSourceCommands } from './source/source-commands.ts';
import {
  findSourceByCredential,
  firstTimes,
  listDeadLetters,
  loadSource,
  recordDelivery,
  settleReplay,
  takeReplays,
} from './source/source-store.ts';
import { stableId } from './stable-id.ts';
import { detectionMigrations, type WatchTables } from './watch-tables.ts';

let data: TestDatabase;
let clock: FakeClock;
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const dev: Actor = { kind: 'person', id: 'p2', name: 'Dev', roles: ['developer'] };

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
/** A signal of a rule of its own for each test, so that tests share nothing. */
function signal(rule: string, over: Partial<RaisedSignal> = {}): RaisedSignal {
  number += 1;
  return {
    id: stableId(rule, number),
    ruleId: rule,
    ruleKind: 'rule',
    title: `Rule ${rule}`,
    level: 'high',
    entity: { type: 'person', id: 'Bob@example.com', name: 'Bob' },
    product: 'okta',
    at: clock.now(),
    eventIds: [`event-${number}`],
    receivedAt: clock.now() - 250,
    ...over,
  };
}

const raise = (...signals: RaisedSignal[]) => data.db.transaction((tx) => raiseAlerts(tx, signals, clock.now()));

describe('alerts', () => {
  test('signals of one rule about one entity are one alert, and the same signal counts once', async () => {
    const first = signal('group');
    expect((await raise(first)).raised).toMatchObject([{ delayMs: 250 }]);
    clock.advance(1_000);
    const second = signal('group', { entity: { type: 'person', id: 'bob@example.com', name: 'Bob' } });
    expect((await raise(first, second, second)).raised).toEqual([]);
    const [alert, ...others] = await listAlerts(data.db, { ruleId: 'group', limit: 10 });
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ signals: 2, firstAt: first.at, lastAt: second.at, status: 'open' });
    expect(await listSignals(data.db, alert?.id ?? '')).toHaveLength(2);
  });

  test('another entity or rule is another alert', async () => {
    const other = { type: 'person', id: 'eve@example.com', name: 'Eve' } as const;
    const { raised } = await raise(signal('split'), signal('split', { entity: other }), signal('split-2'));
    expect(new Set(raised.map(({ id }) => id)).size).toBe(3);
  });

  test('two at once raise one', async () => {
    await Promise.all(Array.from({ length: 4 }, () => raise(signal('race'))));
    expect(await listAlerts(data.db, { ruleId: 'race', limit: 10 })).toMatchObject([{ signals: 4 }]);
  });

  test('after closing, a new signal opens a new one, and a late second delivery none', async () => {
    const commands = createAlertCommands({ db: data.db, clock });
    const first = signal('again');
    const [{ id } = { id: '' }] = (await raise(first)).raised;
    await commands.close(ada, id, { reason: 'resolved' });
    expect((await raise(first)).raised).toEqual([]);
    const [{ id: next } = { id: '' }] = (await raise(signal('again'))).raised;
    expect(next).not.toBe(id);
    await expect(commands.update(ada, id, { status: 'open' })).rejects.toMatchObject({
      code: 'detection.alert_status',
    });
    await expect(commands.close(ada, id, { reason: 'test' })).rejects.toMatchObject({ code: 'detection.alert_status' });
  });

  test('every change is on record, with who and what', async () => {
    const commands = createAlertCommands({ db: data.db, clock });
    const [{ id } = { id: '' }] = (await raise(signal('record'))).raised;
    await commands.update(ada, id, { status: 'acknowledged', assignee: 'Ada' });
    await commands.comment(ada, id, 'looking');
    await commands.close(ada, id, { reason: 'false-positive', comment: 'a test' });
    const records = await readAudit(data.db, { target: { type: 'alert', id }, limit: 10 });
    expect(records.map(({ action }) => action)).toEqual(['alert.closed', 'alert.commented', 'alert.updated']);
    expect(await loadAlert(data.db, id)).toMatchObject({ status: 'closed', statusBy: 'Ada', assignee: 'Ada' });
  });

  test('who may not, can not', async () => {
    const commands = createAlertCommands({ db: data.db, clock });
    const [{ id } = { id: '' }] = (await raise(signal('denied'))).raised;
    await expect(async () => commands.close(dev, id, { reason: 'test' })).rejects.toMatchObject({
      code: 'kernel.access_denied',
    });
    // A responder works on alerts, but does not silence rules.
    const responder: Actor = { kind: 'person', id: 'p3', name: 'Rea', roles: ['responder'] };
    const input = { reason: 'expected' as const, quietUntil: clock.now() + 1_000 };
    await expect(commands.close(responder, id, input)).rejects.toMatchObject({ code: 'kernel.access_denied' });
    expect(await loadAlert(data.db, id)).toMatchObject({ status: 'open' });
  });

  test('an exception keeps its rule quiet about its entity until it ends', async () => {
    const rules = createRuleCommands({ db: data.db, clock, knows: () => true });
    const expiresAt = clock.now() + 60_000;
    await rules.except(ada, 'quiet', { entity: 'person:bob@example.com', reason: 'known', expiresAt });
    expect(await raise(signal('quiet'))).toEqual({ raised: [], quieted: 1 });
    const other = { type: 'person', id: 'eve@example.com', name: 'Eve' } as const;
    expect((await raise(signal('quiet', { entity: other }))).raised).toHaveLength(1);
    clock.advance(60_000);
    expect((await raise(signal('quiet'))).raised).toHaveLength(1);
    expect((await listExceptions(data.db, clock.now())).filter(({ ruleId }) => ruleId === 'quiet')).toEqual([]);
  });

  test('a correlation that was not true after all closes what nobody touched', async () => {
    const one = signal('withdrawn', { ruleKind: 'correlation' });
    const [{ id } = { id: '' }] = (await raise(one)).raised;
    await data.db.transaction((tx) => withdrawSignal(tx, one.id, clock.now()));
    expect(await loadAlert(data.db, id)).toMatchObject({ status: 'closed', statusReason: 'withdrawn' });
  });

  test('pages follow each other without a gap', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await raise(signal('paged', { entity: { type: 'person', id: name, name } }));
    }
    const seen: string[] = [];
    let before: { updatedAt: number; id: string } | undefined;
    for (;;) {
      const page = await listAlerts(data.db, { ruleId: 'paged', limit: 2, before });
      seen.push(...page.map(({ entity }) => entity.name));
      const last = page.at(-1);
      if (!last) break;
      before = { updatedAt: last.updatedAt, id: last.id };
    }
    expect(seen.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

test('a rule is switched with a reason', async () => {
  const rules = createRuleCommands({ db: data.db, clock, knows: (id) => id === 'known' });
  await rules.set(ada, 'known', { enabled: false, reason: 'too loud' });
  expect(await listSettings(data.db)).toMatchObject([{ ruleId: 'known', enabled: false, changedBy: 'Ada' }]);
  await expect(rules.set(ada, 'other', { enabled: false, reason: 'x' })).rejects.toMatchObject({
    code: 'detection.rule_unknown',
  });
});

test('a notification is due until it is delivered, later each time', async () => {
  const targets = createTargetCommands({ db: data.db, clock, envelope });
  const target = { name: 'hook', url: 'https://example.com/x', levelMin: 'high' as const, privateAddresses: [] };
  const { id } = await targets.add(ada, targetInput.parse(target));
  const [{ id: alert } = { id: '' }] = (await raise(signal('told'), signal('not-told', { level: 'medium' }))).raised;
  const [due, ...others] = await dueDeliveries(data.db, envelope, clock.now());
  expect(others).toEqual([]);
  expect(due).toMatchObject({ attempts: 0, alert: { id: alert } });
  await settleDelivery(data.db, due ?? { id: '', attempts: 0 }, 'refused', clock.now());
  expect(await dueDeliveries(data.db, envelope, clock.now())).toEqual([]);
  clock.advance(1_000);
  const [again] = await dueDeliveries(data.db, envelope, clock.now());
  await settleDelivery(data.db, again ?? { id: '', attempts: 0 }, null, clock.now());
  clock.advance(3_600_000);
  expect(await dueDeliveries(data.db, envelope, clock.now())).toEqual([]);
  await targets.remove(ada, id);
});

describe('sources', () => {
  const commands = () =>
    createSourceCommands({
      db: data.db,
      clock,
      envelope,
      random: (bytes) => Buffer.alloc(bytes, ++number),
      knowsProduct: (product) => product === 'okta',
    });

  test('a credential is found by its hash, and its value is nowhere', async () => {
    const { source, credential } = await commands().create(ada, { name: 'one', product: 'okta', rateMax: 10 });
    const found = await findSourceByCredential(data.db, credentialHash(credential));
    expect(found).toMatchObject({ id: source.id, status: 'active', rateMax: 10 });
    const rotated = await commands().rotate(ada, source.id);
    expect(await findSourceByCredential(data.db, credentialHash(credential))).toBeNull();
    const records = JSON.stringify(await readAudit(data.db, { limit: 50 }));
    expect([records.includes(credential), records.includes(rotated.credential)]).toEqual([false, false]);
  });

  test('names are unique, products known, permissions needed', async () => {
    const input = { name: 'two', product: 'okta', rateMax: 10 };
    await commands().create(ada, input);
    await expect(commands().create(ada, input)).rejects.toMatchObject({ code: 'detection.source_exists' });
    const unknown = { ...input, name: 'three', product: 'nothing' };
    await expect(commands().create(ada, unknown)).rejects.toMatchObject({ code: 'detection.input_invalid' });
    await expect(commands().create(dev, { ...input, name: 'four' })).rejects.toMatchObject({
      code: 'kernel.access_denied',
    });
  });

  test('deliveries are counted, failures kept once, and tried again', async () => {
    const { source } = await commands().create(ada, { name: 'counted', product: 'okta', rateMax: 10 });
    const delivery = {
      sourceId: source.id,
      accepted: 3,
      duplicates: 1,
      failed: [{ record: { text: 'not json\0' }, reason: 'The record is not JSON.' }],
      newestAt: clock.now() - 5_000,
      receivedAt: clock.now(),
    };
    await data.db.transaction((tx) => recordDelivery(tx, delivery));
    await data.db.transaction((tx) => recordDelivery(tx, { ...delivery, accepted: 0, newestAt: null }));
    const counted = await loadSource(data.db, source.id, clock.now());
    expect(counted).toMatchObject({
      accepted: 3,
      duplicates: 2,
      failed: 1,
      deadLetters: 1,
      errorRate: 0.25,
      lagMs: 5_000,
    });
    expect(await commands().replay(ada, source.id)).toBe(1);
    const [letter] = await takeReplays(data.db);
    await settleReplay(data.db, letter?.id ?? '', 'still not', clock.now());
    expect(await listDeadLetters(data.db, source.id, 10)).toMatchObject([{ attempts: 2, reason: 'still not' }]);
    await commands().replay(ada, source.id);
    await settleReplay(data.db, letter?.id ?? '', null, clock.now());
    expect(await listDeadLetters(data.db, source.id, 10)).toEqual([]);
  });

  test('a record without a time keeps that of its first delivery', async () => {
    const { source } = await commands().create(ada, { name: 'timeless', product: 'okta', rateMax: 10 });
    const first = clock.now();
    expect(await firstTimes(data.db, source.id, ['a'], first)).toEqual(new Map([['a', first]]));
    expect(await firstTimes(data.db, source.id, ['a', 'b'], first + 9)).toEqual(
      new Map([
        ['a', first],
        ['b', first + 9],
      ]),
    );
  });
});

test('the address of a webhook and a routing key lie sealed, also those of before', async () => {
  const targets = createTargetCommands({ db: data.db, clock, envelope });
  const address = 'https://hooks.example.com/services/T0/SECRET';
  const key = 'k'.repeat(32);
  const { url } = await targets.add(ada, targetInput.parse({ name: 'sealed-hook', url: address }));
  expect(url).toBe('https://hooks.example.com/…');
  await targets.add(
    ada,
    targetInput.parse({ name: 'sealed-pager', kind: 'pagerduty', routingKey: key, levelMin: 'low' }),
  );
  const tables = data.db.tables<WatchTables>();
  await tables
    .updateTable('notification_target')
    .set({ sealed: null, url: address })
    .where('name', '=', 'sealed-hook')
    .execute();
  expect(await sealTargets(data.db, envelope)).toBe(1);
  expect(await sealTargets(data.db, envelope)).toBe(0);
  const rows = JSON.stringify(await tables.selectFrom('notification_target').selectAll().execute());
  expect([rows.includes('SECRET'), rows.includes(key)]).toEqual([false, false]);
  await raise(signal('sealed', { level: 'critical' }));
  const due = await dueDeliveries(data.db, envelope, clock.now());
  expect(due.map((one) => [one.url, one.routingKey])).toEqual(
    expect.arrayContaining([
      [address, null],
      ['https://events.pagerduty.com/v2/enqueue', key],
    ]),
  );
});
