import type { Selectable } from 'kysely';
import { grantEntry } from '@cordon/policy';
import type { Queryable, Transaction } from '@cordon/kernel';
import { NotFound } from './errors.ts';
import type { Grant } from './grant.ts';
import { LIST_MAX } from './page.ts';
import { type EstateTables, tablesOf } from './tables.ts';

function toGrant(row: Selectable<EstateTables['grants']>): Grant {
  return {
    id: row.id,
    name: row.name,
    integrationId: row.integration_id,
    appId: row.app_id,
    select: grantEntry.shape.select.parse(row.selectors),
    resourceScope: grantEntry.shape.resourceScope.parse(row.resource_scope),
    expiresAt: row.expires_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
  };
}

export async function listGrants(
  db: Queryable,
  by: { integrationId?: string | undefined; appId?: string | undefined } = {},
): Promise<Grant[]> {
  let query = tablesOf(db).selectFrom('grants').selectAll().orderBy('created_at').limit(LIST_MAX);
  if (by.integrationId !== undefined) query = query.where('integration_id', '=', by.integrationId);
  if (by.appId !== undefined) query = query.where('app_id', '=', by.appId);
  return (await query.execute()).map(toGrant);
}

export async function loadGrant(db: Queryable, id: string): Promise<Grant> {
  const row = await tablesOf(db).selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such grant.', { grant: id });
  return toGrant(row);
}

/** Inserts, or replaces the grant of the same integration, app and name. Returns the id that the row has. */
export async function saveGrant(tx: Transaction, grant: Grant): Promise<string> {
  const values = {
    selectors: JSON.stringify(grant.select),
    resource_scope: JSON.stringify(grant.resourceScope),
    expires_at: grant.expiresAt === null ? null : new Date(grant.expiresAt),
    created_at: new Date(grant.createdAt),
    created_by: grant.createdBy,
  };
  const row = await tablesOf(tx)
    .insertInto('grants')
    .values({ id: grant.id, name: grant.name, integration_id: grant.integrationId, app_id: grant.appId, ...values })
    .onConflict((conflict) => conflict.columns(['integration_id', 'app_id', 'name']).doUpdateSet(values))
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function deleteGrant(tx: Transaction, id: string): Promise<void> {
  await tablesOf(tx).deleteFrom('grants').where('id', '=', id).execute();
}
