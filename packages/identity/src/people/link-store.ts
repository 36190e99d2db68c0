import { PersonId } from '@cordon/kernel';
import type { IdentityDb } from '../context.ts';
import { hashSecret } from '../token-secret.ts';

export type LinkKind = 'first-owner' | 'invite' | 'recover';

export interface Link {
  readonly kind: LinkKind;
  readonly personId: PersonId | null;
  readonly expiresAt: number;
}

export async function insertLink(
  db: IdentityDb,
  link: Link & { readonly hash: Buffer; readonly createdBy: string; readonly createdAt: number },
): Promise<void> {
  await db
    .insertInto('sign_in_links')
    .values({
      hash: link.hash,
      kind: link.kind,
      person_id: link.personId,
      created_by: link.createdBy,
      created_at: new Date(link.createdAt),
      expires_at: new Date(link.expiresAt),
    })
    .execute();
}

/** Earlier links of the same kind stop working when a new one is made. */
export async function deleteLinks(db: IdentityDb, kind: LinkKind | null, personId: PersonId | null): Promise<void> {
  let query = db.deleteFrom('sign_in_links');
  if (kind !== null) query = query.where('kind', '=', kind);
  query = personId === null ? query.where('person_id', 'is', null) : query.where('person_id', '=', personId);
  await query.execute();
}

export async function findLink(db: IdentityDb, token: string, now: number): Promise<Link | undefined> {
  const row = await db
    .selectFrom('sign_in_links')
    .selectAll()
    .where('hash', '=', hashSecret(token))
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst();
  return row && linkOf(row);
}

/** Takes a link for good; of two requests with one link, one gets it. */
export async function takeLink(db: IdentityDb, token: string, now: number): Promise<Link | undefined> {
  const row = await db
    .deleteFrom('sign_in_links')
    .where('hash', '=', hashSecret(token))
    .where('expires_at', '>', new Date(now))
    .returningAll()
    .executeTakeFirst();
  return row && linkOf(row);
}

function linkOf(row: { kind: LinkKind; person_id: string | null; expires_at: Date }): Link {
  return {
    kind: row.kind,
    personId: row.person_id === null ? null : PersonId.parse(row.person_id),
    expiresAt: row.expires_at.getTime(),
  };
}

export async function deleteExpiredLinks(db: IdentityDb, now: number): Promise<void> {
  await db.deleteFrom('sign_in_links').where('expires_at', '<=', new Date(now)).execute();
}
