import { listEventHolds, listEventRules, readSizeLimit, settleEventRule } from '@cordon/detection';
import { appendAudit, type Clock, type Database } from '@cordon/kernel';
import type { ExpiredDay, Hold, Lake } from '@cordon/lake';

const DAY_MS = 86_400_000;
export const RETENTION_EVERY_MS = 3_600_000;

interface RetentionDeps {
  readonly db: Database;
  readonly lake: Lake;
  readonly clock: Clock;
  /** Of every event, unless a rule says fewer. */
  readonly days: number;
}

export async function eventHolds(db: Database): Promise<Hold[]> {
  return (await listEventHolds(db)).map(({ query, from, to }) => ({
    query,
    from: from ?? undefined,
    to: to ?? undefined,
  }));
}

const total = (days: readonly ExpiredDay[]): number => days.reduce((sum, { events }) => sum + events, 0);

/** Deletes what is too old, what a rule says, and the oldest where the lake is too large; what is held stays. Audited. */
export async function keepLakeShort(deps: RetentionDeps): Promise<void> {
  const { db, lake, clock } = deps;
  const record = async (detail: Record<string, unknown>, days: readonly ExpiredDay[]): Promise<void> => {
    if (total(days) === 0) return;
    await db.transaction((tx) =>
      appendAudit(tx, {
        actor: { kind: 'system', name: 'retention' },
        action: 'lake.days_deleted',
        target: { type: 'lake', name: 'events' },
        detail: { ...detail, events: total(days), days },
        at: clock.now(),
      }),
    );
  };
  // Read again before each step: a hold that was placed meanwhile counts.
  const remove = async (query: string, before: number, detail: Record<string, unknown>): Promise<number> => {
    const days = await lake.expiry.delete({ query, before }, await eventHolds(db));
    await record(detail, days);
    return total(days);
  };
  await remove('', clock.now() - deps.days * DAY_MS, { olderThanDays: deps.days });
  for (const { id, name, query, days } of await listEventRules(db)) {
    const at = clock.now();
    try {
      const deleted = await remove(query, at - days * DAY_MS, { rule: name, query, olderThanDays: days });
      await settleEventRule(db, id, { at, deleted, error: null });
    } catch (error) {
      // One rule that the lake can't run keeps none of the others from running.
      await settleEventRule(db, id, { at, deleted: 0, error: error instanceof Error ? error.message : String(error) });
    }
  }
  const bytesMax = await readSizeLimit(db);
  const before = bytesMax === null ? null : await lake.expiry.momentToFit(bytesMax, clock.now());
  if (before !== null) await remove('', before, { bytesMax });
}
