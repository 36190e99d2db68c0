import { type Transaction, uuidv7 } from '@cordon/kernel';
import { queueNotifications } from '../notification/queue.ts';
import type { Level } from '../sigma/ast.ts';
import type { WatchTables } from '../watch-tables.ts';
import { isAtLeast } from './alert.ts';

/** Closes what is open of a rule because its condition ended, and says so; gives how many. */
export async function resolveAlerts(tx: Transaction, ruleId: string, comment: string, now: number): Promise<number> {
  const tables = tx.tables<WatchTables>();
  const closed = await tables
    .updateTable('alert')
    .set({ status: 'closed', status_reason: 'resolved', status_at: now, status_by: 'cordon', updated_at: now })
    .where('rule_id', '=', ruleId)
    .where('status', '<>', 'closed')
    .returning(['id', 'level'])
    .execute();
  for (const { id, level } of closed) {
    await tables
      .insertInto('alert_comment')
      .values({ id: uuidv7(now), alert_id: id, at: now, author: 'cordon', text: comment })
      .execute();
    await queueNotifications(tables, { alert: id, level, event: 'closed' }, now);
  }
  return closed.length;
}

/** What got worse while its alert was open: the alert's severity follows, and targets that this reaches are told. */
export async function liftAlerts(
  tx: Transaction,
  ruleId: string,
  level: Level,
  title: string,
  now: number,
): Promise<void> {
  const tables = tx.tables<WatchTables>();
  const open = await tables
    .selectFrom('alert')
    .select(['id', 'level'])
    .where('rule_id', '=', ruleId)
    .where('status', '<>', 'closed')
    .execute();
  for (const one of open) {
    if (isAtLeast(one.level, level)) continue;
    await tables.updateTable('alert').set({ level, title, updated_at: now }).where('id', '=', one.id).execute();
    await queueNotifications(tables, { alert: one.id, level, event: 'raised' }, now);
  }
}
