import type { Kysely } from 'kysely';
import { isAtLeast } from '../alert/alert.ts';
import type { Level } from '../sigma/ast.ts';
import { stableId } from '../stable-id.ts';
import type { WatchTables } from '../watch-tables.ts';
import { quietHours, tellAt } from './quiet-hours.ts';

export type AlertEvent = 'raised' | 'closed';

/**
 * Writes what targets are to be told, in the caller's transaction. A target hears of each event of an alert once; of
 * an end only when it wants to, and only where it was told of the beginning.
 */
export async function queueNotifications(
  tables: Kysely<WatchTables>,
  { alert, level, event }: { readonly alert: string; readonly level: Level; readonly event: AlertEvent },
  now: number,
): Promise<void> {
  const targets = await tables
    .selectFrom('notification_target')
    .select(['id', 'level_min', 'quiet', 'tell_closed'])
    .execute();
  const told =
    event === 'closed'
      ? await tables.selectFrom('notification_delivery').select('target_id').where('alert_id', '=', alert).execute()
      : [];
  for (const target of targets) {
    const isWanted =
      event === 'closed'
        ? target.tell_closed && told.some((one) => one.target_id === target.id)
        : isAtLeast(level, target.level_min);
    if (!isWanted) continue;
    const quiet = quietHours.safeParse(target.quiet);
    const id =
      event === 'raised' ? stableId('delivery', target.id, alert) : stableId('delivery', target.id, alert, event);
    const next = tellAt(quiet.success ? quiet.data : null, level, now);
    await tables
      .insertInto('notification_delivery')
      .values({ id, target_id: target.id, alert_id: alert, event, next_at: next })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}
