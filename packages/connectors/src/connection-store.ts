import { z } from 'zod';
import type { Queryable, SecretEnvelope, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { Connection, StreamState } from './connection.ts';
import { ConnectionUnknown } from './errors.ts';
import { credentialSecret, type CredentialSecret } from './manifest-auth.ts';
import { type ConnectorTables, tablesOf } from './tables.ts';

export const CONNECTIONS_MAX = 500;
const STREAMS_MAX = 200;
const configShape = z.record(z.string(), z.string());
const addressesShape = z.array(z.string());

export const sealContext = (connectionId: string): string => `connector:${connectionId}`;

function toConnection(row: Selectable<ConnectorTables['connector_connection']>): Connection {
  return {
    id: row.id,
    app: row.app,
    name: row.name,
    config: configShape.parse(row.config),
    plan: row.plan,
    baseUrl: row.base_url,
    privateAddresses: addressesShape.parse(row.private_addresses),
    credential: { kind: row.auth_kind, createdAt: row.credential_at.getTime() },
    status: row.status,
    statusReason: row.status_reason,
    everyMinutes: row.every_minutes,
    nextSyncAt: row.next_sync_at?.getTime() ?? null,
    sourceId: row.source_id,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    updatedAt: row.updated_at.getTime(),
  };
}

export async function listConnections(db: Queryable): Promise<Connection[]> {
  const rows = await tablesOf(db)
    .selectFrom('connector_connection')
    .selectAll()
    .orderBy('name')
    .limit(CONNECTIONS_MAX)
    .execute();
  return rows.map(toConnection);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function loadConnection(db: Queryable, id: string): Promise<Connection> {
  const row = UUID.test(id)
    ? await tablesOf(db).selectFrom('connector_connection').selectAll().where('id', '=', id).executeTakeFirst()
    : undefined;
  if (!row) throw new ConnectionUnknown('There is no such connection.', { connection: id });
  return toConnection(row);
}

/** As `loadConnection`, under the row's lock. */
export async function lockConnection(tx: Transaction, id: string): Promise<Connection> {
  if (UUID.test(id)) {
    await tablesOf(tx).selectFrom('connector_connection').select('id').where('id', '=', id).forUpdate().execute();
  }
  return loadConnection(tx, id);
}

/** Opens the sealed credential; for the worker, which calls tools. */
export async function openCredential(db: Queryable, envelope: SecretEnvelope, id: string): Promise<CredentialSecret> {
  const { sealed } = await tablesOf(db)
    .selectFrom('connector_connection')
    .select('sealed')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return credentialSecret.parse(JSON.parse(envelope.open(sealed, sealContext(id)).toString('utf8')));
}

export async function storeCredential(
  db: Queryable,
  envelope: SecretEnvelope,
  id: string,
  secret: CredentialSecret,
): Promise<void> {
  const sealed = envelope.seal(JSON.stringify(secret), sealContext(id));
  await tablesOf(db).updateTable('connector_connection').set({ sealed }).where('id', '=', id).execute();
}

export async function listStreamStates(db: Queryable, connectionId: string): Promise<StreamState[]> {
  const rows = await tablesOf(db)
    .selectFrom('connector_stream')
    .select(['stream', 'status', 'reason', 'read_at', 'ok_at'])
    .where('connection_id', '=', connectionId)
    .orderBy('stream')
    .limit(STREAMS_MAX)
    .execute();
  return rows.map((row) => ({
    stream: row.stream,
    status: row.status,
    reason: row.reason,
    readAt: row.read_at?.getTime() ?? null,
    okAt: row.ok_at?.getTime() ?? null,
  }));
}

/** Brings sealed credentials under the newest key; returns how many were rewrapped. */
export async function rewrapConnectorSecrets(deps: {
  readonly db: { transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R> };
  readonly envelope: SecretEnvelope;
}): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const current = `cse1.${deps.envelope.currentKeyId}.%`;
    const rows = await tables
      .selectFrom('connector_connection')
      .select(['id', 'sealed'])
      .where('sealed', 'not like', current)
      .limit(CONNECTIONS_MAX)
      .forUpdate()
      .execute();
    for (const row of rows) {
      const sealed = deps.envelope.rewrap(row.sealed, sealContext(row.id));
      if (sealed !== null) {
        await tables.updateTable('connector_connection').set({ sealed }).where('id', '=', row.id).execute();
      }
    }
    return rows.length;
  });
}
