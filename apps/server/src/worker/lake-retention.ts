import { appendAudit, type Clock, type Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';

const DAY_MS = 86_400_000;
export const RETENTION_EVERY_MS = 3_600_000;

/** Deletes events older than the configured days and puts what went into the audit trail. */
export async function keepLakeShort(deps: {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly days: number;
}): Promise<void> {
  const at = deps.clock.now();
  const dropped = await deps.lake.dropDaysBefore(at - deps.days * DAY_MS);
  if (dropped.length === 0) return;
  await deps.db.transaction((tx) =>
    appendAudit(tx, {
      actor: { kind: 'system', name: 'retention' },
      action: 'lake.days_deleted',
      target: { type: 'lake', name: 'events' },
      detail: { olderThanDays: deps.days, days: dropped },
      at,
    }),
  );
}
