import type { Queryable } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { Level } from '../sigma/ast.ts';
import { AlertUnknown } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { type Alert, type AlertComment, type AlertStatus, LEVELS } from './alert.ts';

export const ALERT_PAGE_MAX = 200;
const SIGNALS_SHOWN_MAX = 200;
const COMMENTS_SHOWN_MAX = 500;

function toAlert(row: Selectable<WatchTables['alert']>): Alert {
  return {
    id: row.id,
    ruleId: row.rule_id,
    ruleKind: row.rule_kind,
    title: row.title,
    level: row.level,
    entity: row.entity,
    product: row.product,
    status: row.status,
    statusReason: row.status_reason,
    statusAt: row.status_at,
    statusBy: row.status_by,
    assignee: row.assignee,
    signals: row.signals,
    firstAt: row.first_at,
    lastAt: row.last_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    delayMs: row.delay_ms,
    drill: row.drill,
  };
}

export interface AlertQuery {
  readonly status?: readonly AlertStatus[] | undefined;
  readonly levelMin?: Level | undefined;
  readonly ruleId?: string | undefined;
  readonly entity?: string | undefined;
  readonly assignee?: string | undefined;
  /** `without` exercises, `with` them, or of one exercise alone. */
  readonly drill?: 'without' | 'with' | { readonly id: string } | undefined;
  readonly limit: number;
  /** Where the page before ended. */
  readonly before?: { readonly updatedAt: number; readonly id: string } | undefined;
}

/** The one that changed last comes first. */
export async function listAlerts(db: Queryable, query: AlertQuery): Promise<Alert[]> {
  let select = db.tables<WatchTables>().selectFrom('alert').selectAll();
  if (query.status) select = select.where('status', 'in', [...query.status]);
  if (query.levelMin) select = select.where('level', 'in', LEVELS.slice(LEVELS.indexOf(query.levelMin)));
  if (query.ruleId !== undefined) select = select.where('rule_id', '=', query.ruleId);
  if (query.entity !== undefined) select = select.where('entity_key', '=', query.entity.toLowerCase());
  if (query.assignee !== undefined) select = select.where('assignee', '=', query.assignee);
  if ((query.drill ?? 'without') === 'without') select = select.where('drill', 'is', null);
  if (typeof query.drill === 'object') select = select.where('drill', '=', query.drill.id);
  const { before } = query;
  if (before) {
    select = select.where((row) =>
      row.or([
        row.eb('updated_at', '<', before.updatedAt),
        row.and([row.eb('updated_at', '=', before.updatedAt), row.eb('id', '>', before.id)]),
      ]),
    );
  }
  const limit = Math.min(query.limit, ALERT_PAGE_MAX);
  const rows = await select.orderBy('updated_at', 'desc').orderBy('id').limit(limit).execute();
  return rows.map(toAlert);
}

export async function loadAlert(db: Queryable, id: string): Promise<Alert> {
  const row = await db.tables<WatchTables>().selectFrom('alert').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new AlertUnknown('There is no such alert.');
  return toAlert(row);
}

export interface AlertSignal {
  readonly id: string;
  readonly at: number;
  readonly eventIds: readonly string[];
}

/** Newest first. */
export async function listSignals(db: Queryable, id: string): Promise<AlertSignal[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('alert_signal')
    .select(['signal_id', 'at', 'event_ids'])
    .where('alert_id', '=', id)
    .orderBy('at', 'desc')
    .orderBy('signal_id')
    .limit(SIGNALS_SHOWN_MAX)
    .execute();
  return rows.map((row) => ({ id: row.signal_id, at: row.at, eventIds: row.event_ids }));
}

export async function listComments(db: Queryable, id: string): Promise<AlertComment[]> {
  return db
    .tables<WatchTables>()
    .selectFrom('alert_comment')
    .select(['id', 'at', 'author', 'text'])
    .where('alert_id', '=', id)
    .orderBy('at')
    .limit(COMMENTS_SHOWN_MAX)
    .execute();
}

export interface AlertCounts {
  readonly open: number;
  readonly acknowledged: number;
}

export async function countAlerts(db: Queryable): Promise<AlertCounts> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('alert')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .where('status', '<>', 'closed')
    .where('drill', 'is', null)
    .groupBy('status')
    .execute();
  const of = (status: AlertStatus): number => rows.find((row) => row.status === status)?.count ?? 0;
  return { open: of('open'), acknowledged: of('acknowledged') };
}
