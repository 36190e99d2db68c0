import type { Queryable } from '@cordon/kernel';
import { retentionScope, type RetentionScope } from './retention-rule.ts';
import { tablesOf } from './tables.ts';

const LIST_MAX = 500;

export interface RetentionHold {
  readonly id: string;
  readonly name: string;
  readonly scope: RetentionScope;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly releasedBy: string | null;
  readonly releasedAt: Date | null;
}

export interface RetentionException {
  readonly id: string;
  readonly scope: RetentionScope;
  readonly reason: string;
  readonly expiresAt: Date;
  readonly grantedBy: string;
  readonly grantedAt: Date;
}

/** Legal holds, the newest first; those that were released stay as evidence. */
export async function listHolds(db: Queryable): Promise<RetentionHold[]> {
  const rows = await tablesOf(db)
    .selectFrom('retention_hold')
    .selectAll()
    .orderBy('placed_at', 'desc')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    scope: retentionScope.parse(row.scope),
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    releasedBy: row.released_by,
    releasedAt: row.released_at,
  }));
}

/** Exceptions of a rule, the last to expire first; those that expired stay as evidence. */
export async function listExceptions(db: Queryable, ruleId: string): Promise<RetentionException[]> {
  const rows = await tablesOf(db)
    .selectFrom('retention_exception')
    .selectAll()
    .where('rule_id', '=', ruleId)
    .orderBy('expires_at', 'desc')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    scope: retentionScope.parse(row.scope),
    reason: row.reason,
    expiresAt: row.expires_at,
    grantedBy: row.granted_by,
    grantedAt: row.granted_at,
  }));
}
