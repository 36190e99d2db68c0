import type { Selectable } from 'kysely';
import { assurance } from '@cordon/policy';
import type { Queryable, Transaction } from '@cordon/kernel';
import { NotFound } from './errors.ts';
import type { Integration } from './integration.ts';
import { LIST_MAX } from './page.ts';
import { type EstateTables, tablesOf } from './tables.ts';

function toIntegration(row: Selectable<EstateTables['integrations']>): Integration {
  return {
    id: row.id,
    name: row.name,
    owner: { id: row.owner_id, name: row.owner_name },
    backupOwner:
      row.backup_owner_id === null
        ? null
        : { id: row.backup_owner_id, name: row.backup_owner_name ?? row.backup_owner_id },
    orphanedUntil: row.orphaned_until?.getTime() ?? null,
    purpose: row.purpose,
    kind: row.kind,
    status: row.status,
    statusReason: row.status_reason,
    statusAt: row.status_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
    assurance: assurance.parse(row.assurance),
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function listIntegrations(db: Queryable): Promise<Integration[]> {
  const rows = await tablesOf(db).selectFrom('integrations').selectAll().orderBy('name').limit(LIST_MAX).execute();
  return rows.map(toIntegration);
}

export async function findIntegration(
  db: Queryable,
  by: { id: string } | { name: string },
): Promise<Integration | null> {
  const query = tablesOf(db).selectFrom('integrations').selectAll();
  const row = await ('id' in by ? query.where('id', '=', by.id) : query.where('name', '=', by.name)).executeTakeFirst();
  return row ? toIntegration(row) : null;
}

export async function loadIntegration(db: Queryable, id: string): Promise<Integration> {
  const integration = await findIntegration(db, { id });
  if (!integration) throw new NotFound('There is no such integration.', { integration: id });
  return integration;
}

export async function insertIntegration(tx: Transaction, integration: Integration): Promise<void> {
  await tablesOf(tx).insertInto('integrations').values(toRow(integration)).execute();
}

/** Replaces the whole row: commands read, change and write under the row's lock. */
export async function saveIntegration(tx: Transaction, integration: Integration): Promise<void> {
  const { id, ...row } = toRow(integration);
  await tablesOf(tx).updateTable('integrations').set(row).where('id', '=', id).execute();
}

export async function lockIntegration(tx: Transaction, id: string): Promise<Integration> {
  const row = await tablesOf(tx)
    .selectFrom('integrations')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new NotFound('There is no such integration.', { integration: id });
  return toIntegration(row);
}

function toRow(integration: Integration) {
  return {
    id: integration.id,
    name: integration.name,
    owner_id: integration.owner.id,
    owner_name: integration.owner.name,
    backup_owner_id: integration.backupOwner?.id ?? null,
    backup_owner_name: integration.backupOwner?.name ?? null,
    orphaned_until: integration.orphanedUntil === null ? null : new Date(integration.orphanedUntil),
    purpose: integration.purpose,
    kind: integration.kind,
    status: integration.status,
    status_reason: integration.statusReason,
    status_at: new Date(integration.statusAt),
    expires_at: integration.expiresAt === null ? null : new Date(integration.expiresAt),
    assurance: integration.assurance,
    created_at: new Date(integration.createdAt),
    updated_at: new Date(integration.updatedAt),
  };
}
