import type { Queryable } from '@cordon/kernel';
import { sql } from 'kysely';
import type { WatchTables } from './watch-tables.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What a case or a permalink may still speak of; an auditor's year, and a month to ask. */
export const ALERT_DAYS = 400;
/** A vendor that sends a record again after this long sends it as a new one. */
export const FIRST_TIME_DAYS = 35;
/** Rows in one statement, so that no lock is held for long. */
const ROWS_MAX = 5_000;
const ROUNDS_MAX = 20;

export interface Cleared {
  readonly alerts: number;
  readonly signals: number;
  readonly times: number;
  readonly hours: number;
  readonly deadLetters: number;
}

/**
 * Clears what the watch keeps in PostgreSQL: closed alerts with all that belongs to them, signals that an exception
 * kept quiet, first times of vendors' records, sums of hours, settled dead letters. An open alert stays, however old.
 */
export async function clearWatch(db: Queryable, now: number): Promise<Cleared> {
  const tables = db.tables<WatchTables>();
  const [alertsBefore, timesBefore] = [now - ALERT_DAYS * DAY_MS, now - FIRST_TIME_DAYS * DAY_MS];
  const rounds = async (clear: () => Promise<{ readonly numAffectedRows?: bigint | undefined }>): Promise<number> => {
    let count = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const cleared = Number((await clear()).numAffectedRows ?? 0n);
      count += cleared;
      if (cleared < ROWS_MAX) break;
    }
    return count;
  };
  const run = (statement: ReturnType<typeof sql>) => rounds(() => statement.execute(tables));
  return {
    alerts: await run(
      sql`delete from alert where id in (select id from alert where status = 'closed' and status_at < ${alertsBefore} limit ${ROWS_MAX})`,
    ),
    signals: await run(
      sql`delete from alert_signal where signal_id in (select signal_id from alert_signal where alert_id is null and at < ${alertsBefore} limit ${ROWS_MAX})`,
    ),
    times: await run(
      sql`delete from event_source_time where (source_id, event_id) in (select source_id, event_id from event_source_time where first_at < ${timesBefore} limit ${ROWS_MAX})`,
    ),
    hours: await run(
      sql`delete from event_source_hour where (source_id, hour) in (select source_id, hour from event_source_hour where hour < ${Math.floor(timesBefore / HOUR_MS)} limit ${ROWS_MAX})`,
    ),
    deadLetters: await run(
      sql`delete from dead_letter where id in (select id from dead_letter where status in ('replayed', 'discarded') and updated_at < ${timesBefore} limit ${ROWS_MAX})`,
    ),
  };
}
