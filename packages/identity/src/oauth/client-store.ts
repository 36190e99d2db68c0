import { IntegrationId } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import { readFederation } from './federation.ts';
import { ClientId, type ClientStatus, type OauthClient, type PublicJwk } from './client.ts';

export const CLIENTS_PAGE_MAX = 500;

/** Stored by parsePublicKeys, so only the outer shape is checked again. */
export const storedJwks = z
  .object({ keys: z.array(z.custom<PublicJwk>((value) => typeof value === 'object')) })
  .nullable();

function clientOf(row: Selectable<IdentityTables['oauth_clients']>): OauthClient {
  return {
    id: ClientId.parse(row.id),
    integrationId: row.integration_id === null ? null : IntegrationId.parse(row.integration_id),
    name: row.name,
    authMethod: row.auth_method,
    jwks: storedJwks.parse(row.jwks),
    federation: row.federation === null ? null : readFederation(row.federation),
    tlsSubject: row.tls_subject,
    tlsUri: row.tls_uri,
    dpopNonce: row.dpop_nonce,
    deliveryMode: row.delivery_mode,
    notificationEndpoint: row.notification_endpoint,
    binding: row.binding,
    tokenTtlS: row.token_ttl_s,
    introspects: row.introspects,
    status: row.status,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
    lastTokenAt: row.last_token_at?.getTime() ?? null,
  };
}

export async function insertClient(db: IdentityDb, client: OauthClient): Promise<void> {
  await db
    .insertInto('oauth_clients')
    .values({
      id: client.id,
      integration_id: client.integrationId,
      name: client.name,
      auth_method: client.authMethod,
      jwks: client.jwks === null ? null : JSON.stringify(client.jwks),
      federation: client.federation === null ? null : JSON.stringify(client.federation),
      tls_subject: client.tlsSubject,
      tls_uri: client.tlsUri,
      dpop_nonce: client.dpopNonce,
      delivery_mode: client.deliveryMode,
      notification_endpoint: client.notificationEndpoint,
      binding: client.binding,
      token_ttl_s: client.tokenTtlS,
      introspects: client.introspects,
      status: client.status,
      created_at: new Date(client.createdAt),
      updated_at: new Date(client.updatedAt),
      expires_at: client.expiresAt === null ? null : new Date(client.expiresAt),
      last_token_at: null,
    })
    .execute();
}

export async function findClient(db: IdentityDb, id: ClientId): Promise<OauthClient | undefined> {
  const row = await db.selectFrom('oauth_clients').selectAll().where('id', '=', id).executeTakeFirst();
  return row && clientOf(row);
}

export async function lockClient(db: IdentityDb, id: ClientId): Promise<OauthClient | undefined> {
  const row = await db.selectFrom('oauth_clients').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row && clientOf(row);
}

export async function listClients(db: IdentityDb, integrationId?: IntegrationId): Promise<OauthClient[]> {
  let query = db.selectFrom('oauth_clients').selectAll().orderBy('id').limit(CLIENTS_PAGE_MAX);
  if (integrationId !== undefined) query = query.where('integration_id', '=', integrationId);
  return (await query.execute()).map(clientOf);
}

/** Ids of the active clients that are known by a certificate's URI name or subject; two are as good as many. */
export async function findClientsByCertificate(
  db: IdentityDb,
  { uri, subject }: { readonly uri: string | null; readonly subject: string | null },
): Promise<string[]> {
  if (uri === null && subject === null) return [];
  const rows = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('auth_method', '=', 'tls_client_auth')
    .where('status', '=', 'active')
    .where((eb) =>
      eb.or([
        ...(uri === null ? [] : [eb('tls_uri', '=', uri)]),
        ...(subject === null ? [] : [eb.and([eb('tls_uri', 'is', null), eb('tls_subject', '=', subject)])]),
      ]),
    )
    .limit(2)
    .execute();
  return rows.map(({ id }) => id);
}

export async function updateClientKeys(
  db: IdentityDb,
  id: ClientId,
  jwks: NonNullable<OauthClient['jwks']>,
  at: number,
): Promise<void> {
  await db
    .updateTable('oauth_clients')
    .set({ jwks: JSON.stringify(jwks), updated_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

export async function setClientStatus(db: IdentityDb, id: ClientId, status: ClientStatus, at: number): Promise<void> {
  await db
    .updateTable('oauth_clients')
    .set({ status, updated_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

/** Moves every client of an integration from one status to another; their rows stay locked until the commit. */
export async function moveClients(
  db: IdentityDb,
  integrationId: string,
  from: ClientStatus,
  to: ClientStatus,
  at: number,
): Promise<ClientId[]> {
  const rows = await db
    .updateTable('oauth_clients')
    .set({ status: to, updated_at: new Date(at) })
    .where('integration_id', '=', integrationId)
    .where('status', '=', from)
    .returning('id')
    .execute();
  return rows.map((row) => ClientId.parse(row.id));
}

export async function touchClient(db: IdentityDb, id: string, at: number): Promise<void> {
  await db
    .updateTable('oauth_clients')
    .set({ last_token_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

export interface ClientSecret {
  readonly id: string;
  readonly hash: Buffer;
  readonly hint: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export async function insertClientSecret(db: IdentityDb, clientId: ClientId, secret: ClientSecret): Promise<void> {
  await db
    .insertInto('oauth_client_secrets')
    .values({
      id: secret.id,
      client_id: clientId,
      hash: secret.hash,
      hint: secret.hint,
      created_at: new Date(secret.createdAt),
      expires_at: secret.expiresAt === null ? null : new Date(secret.expiresAt),
    })
    .execute();
}

/** Secrets that work now, newest first. */
export async function listClientSecrets(db: IdentityDb, clientId: ClientId, now: number): Promise<ClientSecret[]> {
  const rows = await db
    .selectFrom('oauth_client_secrets')
    .selectAll()
    .where('client_id', '=', clientId)
    .where((or) => or.or([or('expires_at', 'is', null), or('expires_at', '>', new Date(now))]))
    .orderBy('created_at', 'desc')
    .limit(SECRETS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    hash: row.hash,
    hint: row.hint,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
  }));
}

/** A secret and the one that replaces it. */
export const SECRETS_MAX = 2;

/** Lets the newest secret run on until a time, and drops every older one. */
export async function retireClientSecrets(
  db: IdentityDb,
  clientId: ClientId,
  until: number,
  now: number,
): Promise<void> {
  const [newest] = await listClientSecrets(db, clientId, now);
  let drop = db.deleteFrom('oauth_client_secrets').where('client_id', '=', clientId);
  if (newest && until > now) {
    drop = drop.where('id', '!=', newest.id);
    await db
      .updateTable('oauth_client_secrets')
      .set({ expires_at: new Date(until) })
      .where('id', '=', newest.id)
      .execute();
  }
  await drop.execute();
}
