import type { Selectable } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { NotFound } from '../errors.ts';
import type { Grant } from '../grant.ts';
import { type EstateTables, tablesOf } from '../tables.ts';
import type { AccessProposal } from './proposal.ts';

/** A proposal that was applied, with what it takes to undo it. */
export interface AccessChange {
  readonly id: string;
  readonly integrationId: string;
  readonly proposal: AccessProposal;
  readonly before: readonly Grant[];
  readonly after: readonly Grant[];
  readonly createdAt: number;
  readonly createdBy: string;
  readonly undoneAt: number | null;
  readonly undoneBy: string | null;
}

const CHANGES_MAX = 50;

function toChange(row: Selectable<EstateTables['access_changes']>): AccessChange {
  return {
    id: row.id,
    integrationId: row.integration_id,
    // Written by insertChange, and by nothing else.
    proposal: row.proposal as AccessProposal,
    before: row.before_grants as readonly Grant[],
    after: row.after_grants as readonly Grant[],
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    undoneAt: row.undone_at?.getTime() ?? null,
    undoneBy: row.undone_by,
  };
}

export async function insertChange(
  tx: Transaction,
  change: Omit<AccessChange, 'undoneAt' | 'undoneBy'>,
): Promise<AccessChange> {
  const row = await tablesOf(tx)
    .insertInto('access_changes')
    .values({
      id: change.id,
      integration_id: change.integrationId,
      proposal: JSON.stringify(change.proposal),
      before_grants: JSON.stringify(change.before),
      after_grants: JSON.stringify(change.after),
      created_at: new Date(change.createdAt),
      created_by: change.createdBy,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toChange(row);
}

export async function loadChange(db: Queryable, id: string): Promise<AccessChange> {
  const row = await tablesOf(db).selectFrom('access_changes').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such change of access.', { change: id });
  return toChange(row);
}

export async function markUndone(tx: Transaction, id: string, by: string, at: number): Promise<AccessChange> {
  const row = await tablesOf(tx)
    .updateTable('access_changes')
    .set({ undone_at: new Date(at), undone_by: by })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toChange(row);
}

/** The newest first. */
export async function listAccessChanges(db: Queryable, integrationId: string): Promise<AccessChange[]> {
  const rows = await tablesOf(db)
    .selectFrom('access_changes')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .orderBy('created_at', 'desc')
    .limit(CHANGES_MAX)
    .execute();
  return rows.map(toChange);
}
