import { IntegrationId, type Transaction } from '@cordon/kernel';
import { type ApprovedCall, approvedCall } from '@cordon/policy';
import { sql } from 'kysely';
import { z } from 'zod';
import type { ClientAuthMethod } from '../tables.ts';
import { storedJwks } from './client-store.ts';
import { type IdentityDb, type RevokedToken, tablesOf } from '../context.ts';
import { type Assurance, assuranceOf, ClientId } from './client.ts';
import { type ActClaim, actClaim } from './act-claim.ts';

/** A live opaque access token. Its value is not here: only the SHA-256 of it exists. */
export interface LiveToken {
  /** Hex SHA-256 of the token's value. */
  readonly hash: string;
  readonly integrationId: IntegrationId;
  readonly clientId: ClientId;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly cnf: { readonly jkt?: string; readonly 'x5t#S256'?: string } | null;
  readonly scope: readonly string[];
  readonly assurance: Assurance;
  /** Resource indicators (RFC 8707); empty: every app. */
  readonly audience: readonly string[];
  /** The call that a second person approved; null: an ordinary token. */
  readonly approval: { readonly id: string; readonly call: ApprovedCall } | null;
}

export const LIVE_TOKENS_PAGE_MAX = 1_000;

const cnfSchema = z.object({ jkt: z.string().optional(), 'x5t#S256': z.string().optional() }).nullable();

interface LiveRow {
  hash: Buffer;
  integration_id: string | null;
  client_id: string;
  issued_at: Date;
  expires_at: Date;
  cnf: unknown;
  scope: string | null;
  auth_method: ClientAuthMethod;
  jwks: unknown;
  peer_jkt: string | null;
  payload: unknown;
  approval_id: string | null;
  call: unknown;
}

const audienceOf = z.object({ aud: z.union([z.string(), z.array(z.string())]).optional() });

function liveTokenOf(row: LiveRow): LiveToken {
  const found = cnfSchema.parse(row.cnf);
  const cnf = found && {
    ...(found.jkt === undefined ? {} : { jkt: found.jkt }),
    ...(found['x5t#S256'] === undefined ? {} : { 'x5t#S256': found['x5t#S256'] }),
  };
  return {
    hash: row.hash.toString('hex'),
    integrationId: IntegrationId.parse(row.integration_id),
    clientId: ClientId.parse(row.client_id),
    issuedAt: row.issued_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    cnf,
    scope: row.scope === null || row.scope === '' ? [] : row.scope.split(' '),
    assurance: assuranceOf({
      authMethod: row.auth_method,
      jwks: storedJwks.parse(row.jwks),
      cnf,
      peerKey: row.peer_jkt,
    }),
    audience: [audienceOf.parse(row.payload).aud ?? []].flat(),
    approval: row.approval_id === null ? null : { id: row.approval_id, call: approvedCall.parse(row.call) },
  };
}

function selectLive(db: IdentityDb, now: number) {
  return db
    .selectFrom('oauth_tokens as token')
    .innerJoin('oauth_clients as client', 'client.id', 'token.client_id')
    .leftJoin('approvals as approval', 'approval.id', 'token.approval_id')
    .select([
      'token.hash',
      'token.integration_id',
      'token.client_id',
      'token.issued_at',
      'token.expires_at',
      'token.cnf',
      'token.scope',
      'client.auth_method',
      'client.jwks',
      'token.peer_jkt',
      'token.payload',
      'token.approval_id',
      'approval.call',
    ])
    .where('token.kind', '!=', 'RefreshToken')
    .where('token.integration_id', 'is not', null)
    .where('token.expires_at', '>', new Date(now))
    .where('client.status', '=', 'active');
}

/** One live token by the hex SHA-256 of its value: what a gateway asks for a token that its snapshot lacks. */
export async function findToken(db: IdentityDb, hash: string, now: number): Promise<LiveToken | null> {
  if (!/^[0-9a-f]{64}$/.test(hash)) return null;
  const row = await selectLive(db, now).where('token.hash', '=', Buffer.from(hash, 'hex')).executeTakeFirst();
  return row ? liveTokenOf(row) : null;
}

/** Every live token, or those of one integration, in the order of the hash; page on with the last hash. */
export async function listLiveTokens(
  db: IdentityDb,
  query: {
    readonly now: number;
    readonly after?: string | undefined;
    readonly limit: number;
    readonly integrationId?: IntegrationId;
  },
): Promise<LiveToken[]> {
  let select = selectLive(db, query.now).orderBy('token.hash').limit(Math.min(query.limit, LIVE_TOKENS_PAGE_MAX));
  if (query.integrationId !== undefined) select = select.where('token.integration_id', '=', query.integrationId);
  if (query.after !== undefined) select = select.where('token.hash', '>', Buffer.from(query.after, 'hex'));
  return (await select.execute()).map(liveTokenOf);
}

/**
 * Live tokens that were not yet published, marked as published in the caller's transaction: if it rolls back, they are
 * taken again. Rows that a revocation holds are left to it.
 */
export async function takeUnpublishedTokens(tx: Transaction, now: number, limit: number): Promise<LiveToken[]> {
  const db = tablesOf(tx);
  const rows = await selectLive(db, now)
    .where('token.published', '=', false)
    .orderBy('token.issued_at')
    .limit(Math.min(limit, LIVE_TOKENS_PAGE_MAX))
    .forUpdate('token')
    .skipLocked()
    .execute();
  if (rows.length === 0) return [];
  await db
    .updateTable('oauth_tokens')
    .set({ published: true })
    .where(
      'hash',
      'in',
      rows.map((row) => row.hash),
    )
    .execute();
  return rows.map(liveTokenOf);
}

export interface NewToken {
  readonly hash: Buffer;
  readonly kind: string;
  readonly clientId: string;
  readonly grantHash: Buffer | null;
  readonly payload: string;
  readonly cnf: string | null;
  readonly scope: string | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly peerKey: string | null;
  /** The token that is exchanged for this one. */
  readonly sourceHash: Buffer | null;
}

/**
 * Stores a token if its client may still have one, and the token that it comes from still lives. The share locks make
 * this wait for a revocation that is under way and then see it: a token can't slip in behind the deletion. Returns
 * false when it may not be stored.
 */
export async function insertToken(db: IdentityDb, token: NewToken): Promise<boolean> {
  const result = await sql`
    with source as (select hash from oauth_tokens where hash = ${token.sourceHash} for share)
    insert into oauth_tokens
      (hash, kind, client_id, integration_id, grant_hash, payload, cnf, scope, issued_at, expires_at,
       approval_id, peer_jkt, source_hash)
    select ${token.hash}, ${token.kind}, id, integration_id, ${token.grantHash}, ${token.payload}::jsonb,
      ${token.cnf}::jsonb, ${token.scope}, ${token.issuedAt}, ${token.expiresAt},
      (select approvals.id from approvals where approvals.grant_hash = ${token.grantHash}), ${token.peerKey},
      ${token.sourceHash}
    from oauth_clients
    where id = ${token.clientId}::uuid and status = 'active' and (expires_at is null or expires_at > ${token.issuedAt})
      and (${token.sourceHash}::bytea is null or exists (select 1 from source))
    for share
    on conflict (hash) do nothing`.execute(db);
  return result.numAffectedRows === 1n;
}

export async function findTokenPayload(
  db: IdentityDb,
  kind: string,
  hash: Buffer,
): Promise<{ payload: unknown; consumedAt: Date | null } | undefined> {
  const row = await db
    .selectFrom('oauth_tokens as token')
    .innerJoin('oauth_clients as client', 'client.id', 'token.client_id')
    .select(['token.payload', 'token.consumed_at'])
    .where('token.hash', '=', hash)
    .where('token.kind', '=', kind)
    .where('client.status', '=', 'active')
    .executeTakeFirst();
  return row && { payload: row.payload, consumedAt: row.consumed_at };
}

const extraOf = z.object({ extra: z.object({ act: actClaim.optional() }).optional() });

/** Who has acted with a token so far, when it came from an exchange. */
export async function findTokenActor(db: IdentityDb, hash: Buffer): Promise<ActClaim | undefined> {
  const row = await db.selectFrom('oauth_tokens').select('payload').where('hash', '=', hash).executeTakeFirst();
  return row && extraOf.parse(row.payload).extra?.act;
}

export async function consumeToken(db: IdentityDb, hash: Buffer, at: number): Promise<void> {
  await db
    .updateTable('oauth_tokens')
    .set({ consumed_at: new Date(at) })
    .where('hash', '=', hash)
    .execute();
}

/** What to delete: one token, or all of a client, an integration or a grant. */
export type TokenScope =
  | { readonly hash: Buffer }
  | { readonly clientId: string }
  | { readonly integrationId: string }
  | { readonly grantHash: Buffer }
  /** Those of one integration that came from another's by exchange. */
  | { readonly crossedFrom: string; readonly to: string };

export interface DeletedToken extends RevokedToken {
  readonly clientId: ClientId;
  readonly integrationId: IntegrationId | null;
}

/** The hashes of a scope, held against exchanges that are under way. */
async function lockTokens(
  db: IdentityDb,
  scope: TokenScope | { readonly sources: readonly Buffer[] },
): Promise<Buffer[]> {
  let query = db.selectFrom('oauth_tokens').select('hash').orderBy('hash').forUpdate();
  if ('sources' in scope) query = query.where('source_hash', 'in', scope.sources);
  else if ('hash' in scope) query = query.where('hash', '=', scope.hash);
  else if ('clientId' in scope) query = query.where('client_id', '=', scope.clientId);
  else if ('crossedFrom' in scope) {
    const sources = db.selectFrom('oauth_tokens').select('hash').where('integration_id', '=', scope.crossedFrom);
    query = query.where('integration_id', '=', scope.to).where('source_hash', 'in', sources);
  } else if ('integrationId' in scope) query = query.where('integration_id', '=', scope.integrationId);
  else query = query.where('grant_hash', '=', scope.grantHash);
  return (await query.execute()).map(({ hash }) => hash);
}

/**
 * Deletes the tokens of a scope with all that came from them by exchange, in whoever's hands those are. Each generation
 * is read by a statement of its own, which sees what an exchange stored while the one before was waited for.
 */
export async function deleteTokens(db: IdentityDb, scope: TokenScope): Promise<DeletedToken[]> {
  const gone: Buffer[] = [];
  for (let found = await lockTokens(db, scope); found.length > 0;) {
    gone.push(...found);
    found = await lockTokens(db, { sources: found });
  }
  if (gone.length === 0) return [];
  const rows = await db
    .deleteFrom('oauth_tokens')
    .where('hash', 'in', gone)
    .returning(['hash', 'client_id', 'integration_id', 'expires_at'])
    .execute();
  return rows.map((row) => ({
    hash: row.hash.toString('hex'),
    expiresAt: row.expires_at.getTime(),
    clientId: ClientId.parse(row.client_id),
    integrationId: row.integration_id === null ? null : IntegrationId.parse(row.integration_id),
  }));
}

export async function deleteExpiredTokens(db: IdentityDb, now: number): Promise<void> {
  const at = new Date(now);
  await db.deleteFrom('oauth_tokens').where('expires_at', '<=', at).execute();
  await db.deleteFrom('oauth_artifacts').where('expires_at', '<=', at).execute();
  await db.deleteFrom('oauth_replays').where('expires_at', '<=', at).execute();
}

/** Remembers a `jti` until it expires; false when it was seen before. One statement, so that two at once can't both win. */
export async function rememberJti(db: IdentityDb, id: string, expiresAt: Date): Promise<boolean> {
  const result = await db
    .insertInto('oauth_replays')
    .values({ id, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}
