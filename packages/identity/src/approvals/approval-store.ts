import { approvedCall } from '@cordon/policy';
import { type Selectable, sql } from 'kysely';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import type { Approval } from './approval.ts';

const LIST_MAX = 200;
const KEPT_MS = 90 * 86_400_000;

export function approvalOf(row: Selectable<IdentityTables['approvals']>): Approval {
  return {
    id: row.id,
    clientId: row.client_id,
    integration: { id: row.integration_id, name: row.integration_name, ownerId: row.owner_id },
    asked: row.asked,
    call: approvedCall.parse(row.call),
    message: row.message,
    status: row.status,
    decidedBy: row.decided_by === null ? null : { id: row.decided_by, name: row.decided_by_name ?? '' },
    decidedAt: row.decided_at?.getTime() ?? null,
    reason: row.reason,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    tokenAt: row.token_at?.getTime() ?? null,
    uses: row.uses,
    usesMax: row.uses_max,
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  };
}

export async function insertApproval(db: IdentityDb, approval: Approval, sealedRequest: string): Promise<void> {
  await db
    .insertInto('approvals')
    .values({
      id: approval.id,
      client_id: approval.clientId,
      integration_id: approval.integration.id,
      integration_name: approval.integration.name,
      owner_id: approval.integration.ownerId,
      asked: approval.asked,
      call: JSON.stringify(approval.call),
      message: approval.message,
      sealed_request: sealedRequest,
      grant_hash: null,
      status: 'pending',
      decided_by: null,
      decided_by_name: null,
      decided_at: null,
      reason: null,
      created_at: new Date(approval.createdAt),
      expires_at: new Date(approval.expiresAt),
      token_at: null,
      uses_max: approval.usesMax,
      last_used_at: null,
    })
    .execute();
}

/** Newest first. */
export async function listApprovals(
  db: IdentityDb,
  scope: { readonly ownerId?: string; readonly before?: string | undefined } = {},
): Promise<Approval[]> {
  let query = db.selectFrom('approvals').selectAll().orderBy('id', 'desc').limit(LIST_MAX);
  if (scope.ownerId !== undefined) query = query.where('owner_id', '=', scope.ownerId);
  if (scope.before !== undefined) query = query.where('id', '<', scope.before);
  return (await query.execute()).map(approvalOf);
}

export async function countWaiting(db: IdentityDb, clientId: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('approvals')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('client_id', '=', clientId)
    .where('status', '=', 'pending')
    .where('expires_at', '>', new Date(now))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function findApproval(db: IdentityDb, id: string): Promise<Approval | undefined> {
  const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst();
  return row && approvalOf(row);
}

/** The approval under its row's lock, with the sealed name under which the authorization server knows it. */
export async function lockApproval(
  db: IdentityDb,
  id: string,
): Promise<{ approval: Approval; sealedRequest: string } | undefined> {
  const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row && { approval: approvalOf(row), sealedRequest: row.sealed_request };
}

export async function saveDecision(
  db: IdentityDb,
  id: string,
  decision: {
    readonly status: 'approved' | 'denied';
    readonly by: { readonly id: string; readonly name: string };
    readonly reason: string;
    readonly at: number;
    readonly grantHash: Buffer | null;
  },
): Promise<void> {
  await db
    .updateTable('approvals')
    .set({
      status: decision.status,
      decided_by: decision.by.id,
      decided_by_name: decision.by.name,
      decided_at: new Date(decision.at),
      reason: decision.reason,
      grant_hash: decision.grantHash,
    })
    .where('id', '=', id)
    .execute();
}

/** True for exactly one caller of each approval. */
export async function claimApprovalToken(db: IdentityDb, grantHash: Buffer, at: number): Promise<boolean> {
  const result = await db
    .updateTable('approvals')
    .set({ token_at: new Date(at) })
    .where('grant_hash', '=', grantHash)
    .where('status', '=', 'approved')
    .where('token_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Takes one use of the approval that a token carries. One statement decides, whatever number of gateways ask at once:
 * each use is given out once.
 */
export async function takeUse(db: IdentityDb, tokenHash: Buffer, now: number): Promise<Approval | undefined> {
  const at = new Date(now);
  const result = await sql<Selectable<IdentityTables['approvals']>>`
    update approvals set uses = uses + 1, last_used_at = ${at}
    from oauth_tokens token join oauth_clients client on client.id = token.client_id
    where token.hash = ${tokenHash} and token.approval_id = approvals.id and token.expires_at > ${at}
      and client.status = 'active' and approvals.status = 'approved' and approvals.uses < approvals.uses_max
    returning approvals.*`.execute(db);
  const row = result.rows[0];
  return row && approvalOf(row);
}

export async function deleteOldApprovals(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('approvals')
    .where('created_at', '<', new Date(now - KEPT_MS))
    .execute();
}
