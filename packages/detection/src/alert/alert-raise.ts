import type { Queryable, Transaction } from '@cordon/kernel';
import { type Kysely, sql } from 'kysely';
import type { Level } from '../sigma/ast.ts';
import type { WatchTables } from '../watch-tables.ts';
import { queueNotifications } from '../notification/queue.ts';
import { alertId, type Entity, entityKey } from './alert.ts';

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
  /** The exercise whose signed event it rests on. */
  readonly drill?: string | undefined;
}

export interface RaiseResult {
  /** Alerts that were not there before. */
  readonly raised: { readonly id: string; readonly delayMs: number }[];
  readonly quieted: number;
}

/** An exercise and what is real never share an alert, nor an exception. */
function causeKey({ entity, drill }: RaisedSignal): string {
  return drill === undefined ? entityKey(entity) : `drill:${drill}/${entityKey(entity)}`;
}

const EVENTS_PER_SIGNAL_MAX = 100;
/** Held by one transaction at a time: two workers must not open two alerts for one cause. */
const RAISE_LOCK_KEY = 7_226_014;

/** Signals in one statement; PostgreSQL takes 65,535 parameters. */
const CHUNK_SIGNALS_MAX = 5_000;

/** Groups signals into alerts and queues a notification for each new one, all in the caller's transaction. */
export async function raiseAlerts(
  tx: Transaction,
  signals: readonly RaisedSignal[],
  now: number,
): Promise<RaiseResult> {
  const tables = tx.tables<WatchTables>();
  await sql`select pg_advisory_xact_lock(${sql.lit(RAISE_LOCK_KEY)})`.execute(tables);
  const raised: { id: string; delayMs: number }[] = [];
  let quieted = 0;
  for (let at = 0; at < signals.length; at += CHUNK_SIGNALS_MAX) {
    const fresh = await insertSignals(tables, signals.slice(at, at + CHUNK_SIGNALS_MAX), now);
    quieted += fresh.quieted;
    for (const group of groupByCause(fresh.signals)) {
      const alert = await openOrExtend(tables, group, now);
      const ids = group.signals.map(({ id }) => id);
      await tables.updateTable('alert_signal').set({ alert_id: alert.id }).where('signal_id', 'in', ids).execute();
      if (!alert.created) continue;
      raised.push({ id: alert.id, delayMs: alert.delayMs });
      await queueNotifications(tables, { alert: alert.id, level: group.first.level, event: 'raised' }, now);
    }
  }
  return { raised, quieted };
}

/** Writes what is not known yet; gives those of them that no exception keeps quiet. */
async function insertSignals(
  tables: Kysely<WatchTables>,
  signals: readonly RaisedSignal[],
  now: number,
): Promise<{ signals: RaisedSignal[]; quieted: number }> {
  if (signals.length === 0) return { signals: [], quieted: 0 };
  const exceptions = await tables
    .selectFrom('detection_exception')
    .select(['id', 'rule_id', 'entity_key'])
    .where('rule_id', 'in', [...new Set(signals.map(({ ruleId }) => ruleId))])
    .where('expires_at', '>', now)
    .execute();
  const exceptionOf = (signal: RaisedSignal): string | null =>
    exceptions.find(
      (one) =>
        signal.drill === undefined &&
        one.rule_id === signal.ruleId &&
        (one.entity_key === null || one.entity_key === causeKey(signal)),
    )?.id ?? null;
  const byId = new Map(signals.map((signal) => [signal.id, signal]));
  const rows = [...byId.values()].map((signal) => ({
    signal_id: signal.id,
    alert_id: null,
    exception_id: exceptionOf(signal),
    at: signal.at,
    event_ids: signal.eventIds.slice(0, EVENTS_PER_SIGNAL_MAX),
  }));
  const inserted = await tables
    .insertInto('alert_signal')
    .values(rows)
    .onConflict((conflict) => conflict.column('signal_id').doNothing())
    .returning(['signal_id', 'exception_id'])
    .execute();
  const loud = inserted.filter((row) => row.exception_id === null).flatMap((row) => byId.get(row.signal_id) ?? []);
  return { signals: loud, quieted: inserted.length - loud.length };
}

interface Cause {
  readonly first: RaisedSignal;
  readonly key: string;
  readonly signals: RaisedSignal[];
}

function groupByCause(signals: readonly RaisedSignal[]): Cause[] {
  const causes = new Map<string, Cause>();
  for (const signal of signals) {
    const key = causeKey(signal);
    const cause = causes.get(`${signal.ruleId}\0${key}`);
    if (cause) cause.signals.push(signal);
    else causes.set(`${signal.ruleId}\0${key}`, { first: signal, key, signals: [signal] });
  }
  return [...causes.values()];
}

async function openOrExtend(
  tables: Kysely<WatchTables>,
  { first, key, signals }: Cause,
  now: number,
): Promise<{ id: string; created: boolean; delayMs: number }> {
  const times = signals.map(({ at }) => at);
  const [firstAt, lastAt] = [least(times), -least(times.map((at) => -at))];
  const open = await tables
    .updateTable('alert')
    .set((row) => ({
      signals: row('signals', '+', signals.length),
      first_at: sql<number>`least(first_at, ${firstAt})`,
      last_at: sql<number>`greatest(last_at, ${lastAt})`,
      updated_at: now,
    }))
    .where('rule_id', '=', first.ruleId)
    .where('entity_key', '=', key)
    .where('status', '<>', 'closed')
    .returning(['id', 'delay_ms'])
    .executeTakeFirst();
  if (open) return { id: open.id, created: false, delayMs: open.delay_ms };
  // Not their number: the oldest are cleared, and an id must never come twice.
  const { last } = await tables
    .selectFrom('alert')
    .select(({ fn }) => fn.max('generation').as('last'))
    .where('rule_id', '=', first.ruleId)
    .where('entity_key', '=', key)
    .executeTakeFirstOrThrow();
  const generation = (last ?? -1) + 1;
  const id = alertId(first.ruleId, key, generation);
  const delayMs = Math.max(0, now - least(signals.map(({ receivedAt }) => receivedAt)));
  await tables
    .insertInto('alert')
    .values({
      id,
      rule_id: first.ruleId,
      rule_kind: first.ruleKind,
      title: first.title,
      level: first.level,
      entity_key: key,
      entity: JSON.stringify(first.entity),
      product: first.product,
      generation,
      status: 'open',
      status_reason: null,
      status_at: now,
      status_by: 'cordon',
      assignee: null,
      signals: signals.length,
      first_at: firstAt,
      last_at: lastAt,
      created_at: now,
      updated_at: now,
      delay_ms: delayMs,
      drill: first.drill ?? null,
    })
    .execute();
  return { id, created: true, delayMs };
}

function least(values: readonly number[]): number {
  return values.reduce((found, value) => Math.min(found, value), Number.POSITIVE_INFINITY);
}

/** A correlation that a late event showed not to be true: an alert nobody has touched is closed again. */
export async function withdrawSignal(tx: Transaction, signal: string, now: number): Promise<void> {
  const tables = tx.tables<WatchTables>();
  const closed = await tables
    .updateTable('alert')
    .set({ status: 'closed', status_reason: 'withdrawn', status_at: now, status_by: 'cordon', updated_at: now })
    .where('status', '=', 'open')
    .where('signals', '=', 1)
    .where('id', 'in', tables.selectFrom('alert_signal').select('alert_id').where('signal_id', '=', signal))
    .returning(['id', 'level'])
    .execute();
  for (const { id, level } of closed) await queueNotifications(tables, { alert: id, level, event: 'closed' }, now);
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

/** Which of these signals are known already. */
export async function knownSignals(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('alert_signal')
    .select('signal_id')
    .where('signal_id', 'in', [...ids])
    .execute();
  return new Set(rows.map((row) => row.signal_id));
}
