import { PersonId, type Role } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';

export interface ApiToken {
  readonly id: string;
  /** null: a service token, made by the system. */
  readonly personId: PersonId | null;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | null;
}

export const API_TOKENS_PAGE_MAX = 200;

function apiTokenOf(row: Selectable<IdentityTables['api_tokens']>): ApiToken {
  return {
    id: row.id,
    personId: row.person_id === null ? null : PersonId.parse(row.person_id),
    name: row.name,
    roles: row.roles,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  };
}

export async function insertApiToken(db: IdentityDb, token: ApiToken, hash: Buffer): Promise<void> {
  await db
    .insertInto('api_tokens')
    .values({
      id: token.id,
      hash,
      person_id: token.personId,
      name: token.name,
      roles: [...token.roles],
      created_at: new Date(token.createdAt),
      expires_at: new Date(token.expiresAt),
      last_used_at: null,
    })
    .execute();
}

export async function findApiTokenByHash(db: IdentityDb, hash: Buffer, now: number): Promise<ApiToken | undefined> {
  const row = await db
    .selectFrom('api_tokens')
    .selectAll()
    .where('hash', '=', hash)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst();
  return row && apiTokenOf(row);
}

export async function findApiToken(db: IdentityDb, id: string): Promise<ApiToken | undefined> {
  const row = await db.selectFrom('api_tokens').selectAll().where('id', '=', id).executeTakeFirst();
  return row && apiTokenOf(row);
}

export async function touchApiToken(db: IdentityDb, id: string, at: number): Promise<void> {
  await db
    .updateTable('api_tokens')
    .set({ last_used_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

export async function listApiTokens(db: IdentityDb, personId?: PersonId): Promise<ApiToken[]> {
  let query = db.selectFrom('api_tokens').selectAll().orderBy('created_at', 'desc').limit(API_TOKENS_PAGE_MAX);
  if (personId !== undefined) query = query.where('person_id', '=', personId);
  return (await query.execute()).map(apiTokenOf);
}

export async function deleteApiToken(db: IdentityDb, id: string): Promise<boolean> {
  const result = await db.deleteFrom('api_tokens').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export async function deleteApiTokensOf(db: IdentityDb, personId: PersonId): Promise<number> {
  const result = await db.deleteFrom('api_tokens').where('person_id', '=', personId).executeTakeFirst();
  return Number(result.numDeletedRows);
}

export async function deleteExpiredApiTokens(db: IdentityDb, now: number): Promise<void> {
  await db.deleteFrom('api_tokens').where('expires_at', '<=', new Date(now)).execute();
}
