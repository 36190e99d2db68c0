import type { Transaction } from '@cordon/kernel';
import { type Kysely, sql } from 'kysely';
import type { Level } from '../sigma/ast.ts';
import { stableId } from '../stable-id.ts';
import type { WatchTables } from '../watch-tables.ts';
import { alertId, type Entity, entityKey, isAtLeast } from './alert.ts';

/** A signal on its way to an alert. */
export interface RaisedSignal {
  /** Stable: a signal that comes again changes nothing. */
  readonly id: string;
  readonly ruleId: string;
  readonly ruleKind: 'rule' | 'correlation';
  readonly title: string;
  readonly level: Level;
  readonly entity: Entity;
  readonly product: string;
  readonly at: number;
  readonly eventIds: readonly string[];
  /** When Cordon had the event. */
  readonly receivedAt: number;
}

export interface RaiseResult {
  /** Alerts that were not there before. */
  readonly raised: { readonly id: string; readonly delayMs: number }[];
  readonly quieted: number;
}

const EVENTS_PER_SIGNAL_MAX = 100;
/** Held by one transaction at a time: two workers must not open two alerts for one cause. */
const RAISE_LOCK_KEY = 7_226_014;

/** Groups signals into alerts and queues a notification for each new one, all in the caller's transaction. */
export async function raiseAlerts(
  tx: Transaction,
  signals: readonly RaisedSignal[],
  now: number,
): Promise<RaiseResult> {
  const tables = tx.tables<WatchTables>();
  await sql`select pg_advisory_xact_lock(${sql.lit(RAISE_LOCK_KEY)})`.execute(tables);
  const exceptions = await loadExceptions(tables, signals, now);
  const raised: { id: string; delayMs: number }[] = [];
  let quieted = 0;
  for (const signal of signals) {
    const key = entityKey(signal.entity);
    const exception = exceptions.find(
      (one) => one.rule_id === signal.ruleId && (one.entity_key === null || one.entity_key === key),
    );
    const isNew = await insertSignal(tables, signal, exception?.id ?? null);
    if (exception) quieted += isNew ? 1 : 0;
    if (!isNew || exception) continue;
    const { id, created, delayMs } = await openOrExtend(tables, signal, key, now);
    await tables.updateTable('alert_signal').set({ alert_id: id }).where('signal_id', '=', signal.id).execute();
    if (!created) continue;
    raised.push({ id, delayMs });
    await queueNotifications(tables, id, signal.level, now);
  }
  return { raised, quieted };
}

async function loadExceptions(tables: Kysely<WatchTables>, signals: readonly RaisedSignal[], now: number) {
  const rules = [...new Set(signals.map(({ ruleId }) => ruleId))];
  if (rules.length === 0) return [];
  return tables
    .selectFrom('detection_exception')
    .select(['id', 'rule_id', 'entity_key'])
    .where('rule_id', 'in', rules)
    .where('expires_at', '>', now)
    .execute();
}

async function insertSignal(
  tables: Kysely<WatchTables>,
  signal: RaisedSignal,
  exceptionId: string | null,
): Promise<boolean> {
  const inserted = await tables
    .insertInto('alert_signal')
    .values({
      signal_id: signal.id,
      alert_id: null,
      exception_id: exceptionId,
      at: signal.at,
      event_ids: signal.eventIds.slice(0, EVENTS_PER_SIGNAL_MAX),
    })
    .onConflict((conflict) => conflict.column('signal_id').doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

async function openOrExtend(
  tables: Kysely<WatchTables>,
  signal: RaisedSignal,
  key: string,
  now: number,
): Promise<{ id: string; created: boolean; delayMs: number }> {
  const open = await tables
    .updateTable('alert')
    .set((row) => ({
      signals: row('signals', '+', 1),
      first_at: sql<number>`least(first_at, ${signal.at})`,
      last_at: sql<number>`greatest(last_at, ${signal.at})`,
      updated_at: now,
    }))
    .where('rule_id', '=', signal.ruleId)
    .where('entity_key', '=', key)
    .where('status', '<>', 'closed')
    .returning(['id', 'delay_ms'])
    .executeTakeFirst();
  if (open) return { id: open.id, created: false, delayMs: open.delay_ms };
  const { closed } = await tables
    .selectFrom('alert')
    .select(({ fn }) => fn.countAll<number>().as('closed'))
    .where('rule_id', '=', signal.ruleId)
    .where('entity_key', '=', key)
    .executeTakeFirstOrThrow();
  const id = alertId(signal.ruleId, key, closed);
  const delayMs = Math.max(0, now - signal.receivedAt);
  await tables
    .insertInto('alert')
    .values({
      id,
      rule_id: signal.ruleId,
      rule_kind: signal.ruleKind,
      title: signal.title,
      level: signal.level,
      entity_key: key,
      entity: JSON.stringify(signal.entity),
      product: signal.product,
      generation: closed,
      status: 'open',
      status_reason: null,
      status_at: now,
      status_by: 'cordon',
      assignee: null,
      signals: 1,
      first_at: signal.at,
      last_at: signal.at,
      created_at: now,
      updated_at: now,
      delay_ms: delayMs,
    })
    .execute();
  return { id, created: true, delayMs };
}

async function queueNotifications(tables: Kysely<WatchTables>, alert: string, level: Level, now: number) {
  const targets = await tables.selectFrom('notification_target').select(['id', 'level_min']).execute();
  for (const target of targets) {
    if (!isAtLeast(level, target.level_min)) continue;
    await tables
      .insertInto('notification_delivery')
      .values({ id: stableId('delivery', target.id, alert), target_id: target.id, alert_id: alert, next_at: now })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

/** A correlation that a late event showed not to be true: an alert nobody has touched is closed again. */
export async function withdrawSignal(tx: Transaction, signal: string, now: number): Promise<void> {
  const tables = tx.tables<WatchTables>();
  await tables
    .updateTable('alert')
    .set({ status: 'closed', status_reason: 'withdrawn', status_at: now, status_by: 'cordon', updated_at: now })
    .where('status', '=', 'open')
    .where('signals', '=', 1)
    .where('id', 'in', tables.selectFrom('alert_signal').select('alert_id').where('signal_id', '=', signal))
    .execute();
}

/** Moves the events of a correlation's signal to what they are now. */
export async function updateSignalEvents(tx: Transaction, signal: string, eventIds: readonly string[], to: number) {
  const tables = tx.tables<WatchTables>();
  const row = await tables
    .updateTable('alert_signal')
    .set({ event_ids: eventIds.slice(0, EVENTS_PER_SIGNAL_MAX), at: to })
    .where('signal_id', '=', signal)
    .returning('alert_id')
    .executeTakeFirst();
  if (row?.alert_id == null) return;
  await tables
    .updateTable('alert')
    .set({ last_at: sql<number>`greatest(last_at, ${to})` })
    .where('id', '=', row.alert_id)
    .execute();
}
