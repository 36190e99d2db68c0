import { stableId } from '@cordon/detection';
import { AuditBroken, type Clock, type Database, verifyAudit } from '@cordon/kernel';
import { entityManagement } from '@cordon/lake';
import { ownEvent } from './observed-event.ts';
import type { Watch } from './watch.ts';

/** Walks the whole audit trail; a break becomes an event, and by its detection an alert. */
export async function checkAudit(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly watch: Watch;
}): Promise<void> {
  try {
    await verifyAudit(deps.db);
  } catch (error) {
    if (!(error instanceof AuditBroken)) throw error;
    const now = deps.clock.now();
    // One event a day for the same break: it stays broken, and nobody needs to be told each hour.
    const id = stableId('audit broken', error.message, Math.floor(now / DAY_MS));
    const event = entityManagement({
      id,
      time: Math.floor(now / DAY_MS) * DAY_MS,
      role: 'worker',
      success: false,
      severity: 'critical',
      activity: 'update',
      entity: { type: 'audit-trail', id: 'one', name: 'audit trail' },
      actor: { name: 'cordon' },
      reason: 'audit.broken',
      reasonText: error.message,
      message: error.message,
    });
    await deps.watch.ingest(`audit-broken-${id}`, [{ ...ownEvent(event), receivedAt: now }]);
  }
}

const DAY_MS = 86_400_000;
