import type { Queryable, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { type Endpoint, endpointSettings } from './endpoint.ts';
import { EndpointUnknown } from './errors.ts';
import { tablesOf } from './tables.ts';

export const ENDPOINTS_MAX = 1_000;

export interface StoredSecret {
  readonly id: string;
  readonly purpose: 'vendor' | 'signing';
  readonly sealed: string;
  readonly notAfter: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** All secrets of an endpoint, newest first, sealed. */
export async function readSecrets(db: Queryable, endpointId: string): Promise<StoredSecret[]> {
  const rows = await tablesOf(db)
    .selectFrom('webhook_secret')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(16)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    purpose: row.purpose,
    sealed: row.sealed,
    notAfter: row.not_after,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

async function toEndpoints(db: Queryable, where: { id: string } | { appId: string } | null): Promise<Endpoint[]> {
  const tables = tablesOf(db);
  let query = tables.selectFrom('webhook_endpoint').selectAll().orderBy('name').limit(ENDPOINTS_MAX);
  if (where && 'id' in where) query = query.where('id', '=', where.id);
  if (where && 'appId' in where) query = query.where('app_id', '=', where.appId);
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const counts = await tables
    .selectFrom('webhook_delivery')
    .select(['endpoint_id', 'status', sql<number>`count(*)::int`.as('count'), sql<number>`max(received_at)`.as('last')])
    .where('endpoint_id', 'in', ids)
    .groupBy(['endpoint_id', 'status'])
    .execute();
  const secrets = await tables
    .selectFrom('webhook_secret')
    .select(['id', 'endpoint_id', 'purpose', 'not_after', 'created_at', 'created_by'])
    .where('endpoint_id', 'in', ids)
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map((row) => {
    const own = counts.filter((count) => count.endpoint_id === row.id);
    const of = (status: string): number => own.find((count) => count.status === status)?.count ?? 0;
    return {
      id: row.id,
      name: row.name,
      appId: row.app_id,
      integrationId: row.integration_id,
      status: row.status,
      settings: endpointSettings.parse(row.settings),
      secrets: secrets
        .filter((secret) => secret.endpoint_id === row.id)
        .map((secret) => ({
          id: secret.id,
          purpose: secret.purpose,
          notAfter: secret.not_after,
          createdAt: secret.created_at,
          createdBy: secret.created_by,
        })),
      counts: { waiting: of('waiting'), delivered: of('delivered'), dead: of('dead'), duplicate: of('duplicate') },
      lastReceivedAt: own.length === 0 ? null : Math.max(...own.map(({ last }) => last)),
      createdAt: row.created_at,
      createdBy: row.created_by,
      updatedAt: row.updated_at,
    };
  });
}

export function listEndpoints(db: Queryable, appId?: string): Promise<Endpoint[]> {
  return toEndpoints(db, appId === undefined ? null : { appId });
}

export async function loadEndpoint(db: Queryable, id: string): Promise<Endpoint> {
  const [endpoint] = await toEndpoints(db, { id });
  if (!endpoint) throw new EndpointUnknown('There is no such webhook endpoint.', { endpoint: id });
  return endpoint;
}

/** As `loadEndpoint`, under the row's lock. */
export async function lockEndpoint(tx: Transaction, id: string): Promise<Endpoint> {
  await tablesOf(tx).selectFrom('webhook_endpoint').select('id').where('id', '=', id).forUpdate().execute();
  return loadEndpoint(tx, id);
}
