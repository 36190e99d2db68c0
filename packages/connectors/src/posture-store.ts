import { z } from 'zod';
import type { ColumnType, Generated } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { type Drift, type PostureException, type PostureResult, results, severities } from '@cordon/posture';
import { NHI_PRODUCT } from './nhi-settings.ts';

const CHECKS_MAX = 2_000;
const EXCEPTIONS_MAX = 2_000;

interface PostureTables {
  connector_posture: {
    connection_id: string;
    check_id: string;
    title: string;
    severity: string;
    result: string;
    reason: string;
    evidence: ColumnType<unknown, string, string>;
    since: Date;
    evaluated_at: Date;
  };
  connector_posture_change: {
    id: Generated<number>;
    connection_id: string;
    check_id: string;
    kind: string;
    before: string | null;
    after: string | null;
    reason: string;
    at: Date;
  };
  connector_posture_exception: {
    id: string;
    connection_id: string;
    check_id: string;
    reason: string;
    approved_by: string;
    approved_at: Date;
    expires_at: Date;
  };
}

const evidenceShape = z.array(z.object({ path: z.string(), value: z.string().optional() }));

export interface StoredResult extends PostureResult {
  /** Since when it has this result, milliseconds. */
  readonly since: number;
}

export interface PostureChange {
  readonly id: number;
  readonly check: string;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly reason: string;
  readonly at: number;
}

export async function loadResults(db: Queryable, connectionId: string, product: string): Promise<StoredResult[]> {
  const rows = await db
    .tables<PostureTables>()
    .selectFrom('connector_posture')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('check_id')
    .limit(CHECKS_MAX)
    .execute();
  return rows.map((row) => ({
    check: row.check_id,
    title: row.title,
    product: row.check_id.startsWith(`${NHI_PRODUCT}.`) ? NHI_PRODUCT : product,
    severity: z.enum(severities).parse(row.severity),
    result: z.enum(results).parse(row.result),
    reason: row.reason,
    evidence: evidenceShape
      .parse(row.evidence)
      .map(({ path, value }) => (value === undefined ? { path } : { path, value })),
    since: row.since.getTime(),
    evaluatedAt: row.evaluated_at.getTime(),
  }));
}

/** Replaces what was known; what changed is kept for good. */
export async function saveResults(
  tx: Transaction,
  connectionId: string,
  current: readonly StoredResult[],
  drifts: readonly Drift[],
  at: Date,
): Promise<void> {
  const tables = tx.tables<PostureTables>();
  await tables.deleteFrom('connector_posture').where('connection_id', '=', connectionId).execute();
  if (current.length > 0) {
    await tables
      .insertInto('connector_posture')
      .values(
        current.map((one) => ({
          connection_id: connectionId,
          check_id: one.check,
          title: one.title,
          severity: one.severity,
          result: one.result,
          reason: one.reason,
          evidence: JSON.stringify(one.evidence),
          since: new Date(one.since),
          evaluated_at: at,
        })),
      )
      .execute();
  }
  if (drifts.length > 0) {
    await tables
      .insertInto('connector_posture_change')
      .values(
        drifts.map(({ check, kind, before, after, reason }) => ({
          connection_id: connectionId,
          check_id: check,
          kind,
          before,
          after,
          reason,
          at,
        })),
      )
      .execute();
  }
}

export async function listPostureChanges(db: Queryable, connectionId: string, limit: number): Promise<PostureChange[]> {
  const rows = await db
    .tables<PostureTables>()
    .selectFrom('connector_posture_change')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('id', 'desc')
    .limit(Math.min(limit, 500))
    .execute();
  return rows.map(({ check_id: check, connection_id: _connection, at, ...row }) => ({
    ...row,
    check,
    at: at.getTime(),
  }));
}

export async function listExceptions(db: Queryable, connectionId: string): Promise<PostureException[]> {
  const rows = await db
    .tables<PostureTables>()
    .selectFrom('connector_posture_exception')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('approved_at', 'desc')
    .limit(EXCEPTIONS_MAX)
    .execute();
  return rows.map((row) => ({
    check: row.check_id,
    reason: row.reason,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at.getTime(),
    expiresAt: row.expires_at.getTime(),
  }));
}

export async function insertException(
  tx: Transaction,
  exception: PostureException & { readonly id: string; readonly connectionId: string },
): Promise<void> {
  await tx
    .tables<PostureTables>()
    .insertInto('connector_posture_exception')
    .values({
      id: exception.id,
      connection_id: exception.connectionId,
      check_id: exception.check,
      reason: exception.reason,
      approved_by: exception.approvedBy,
      approved_at: new Date(exception.approvedAt),
      expires_at: new Date(exception.expiresAt),
    })
    .execute();
}
