import { PersonId, type Role, SessionId } from '@cordon/kernel';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { UpstreamProviderId } from './provider.ts';

const SESSIONS_MAX = 1_000;

/** A person's account at a provider. */
export interface UpstreamAccount {
  readonly providerId: UpstreamProviderId;
  readonly subject: string;
  readonly personId: PersonId;
  readonly email: string;
  readonly roles: readonly Role[];
  readonly linkedBy: 'made' | 'invited' | 'proof';
  readonly createdAt: number;
  readonly lastAt: number;
}

function accountOf(row: {
  provider_id: string;
  subject: string;
  person_id: string;
  email: string;
  roles: Role[];
  linked_by: 'made' | 'invited' | 'proof';
  created_at: Date;
  last_at: Date;
}): UpstreamAccount {
  return {
    providerId: UpstreamProviderId.parse(row.provider_id),
    subject: row.subject,
    personId: PersonId.parse(row.person_id),
    email: row.email,
    roles: row.roles,
    linkedBy: row.linked_by,
    createdAt: row.created_at.getTime(),
    lastAt: row.last_at.getTime(),
  };
}

export async function findAccount(
  db: IdentityDb,
  providerId: UpstreamProviderId,
  by: { readonly subject: string } | { readonly personId: string },
): Promise<UpstreamAccount | undefined> {
  const query = db.selectFrom('upstream_accounts').selectAll().where('provider_id', '=', providerId);
  const row = await (
    'subject' in by ? query.where('subject', '=', by.subject) : query.where('person_id', '=', by.personId)
  )
    .forUpdate()
    .executeTakeFirst();
  return row && accountOf(row);
}

export async function listAccounts(
  db: IdentityDb,
  by: { readonly providerId: UpstreamProviderId } | { readonly personId: string },
): Promise<UpstreamAccount[]> {
  const query = db.selectFrom('upstream_accounts').selectAll().orderBy('last_at', 'desc').limit(SESSIONS_MAX);
  const rows = await (
    'providerId' in by ? query.where('provider_id', '=', by.providerId) : query.where('person_id', '=', by.personId)
  ).execute();
  return rows.map(accountOf);
}

export async function insertAccount(db: IdentityDb, account: UpstreamAccount): Promise<boolean> {
  const result = await db
    .insertInto('upstream_accounts')
    .values({
      provider_id: account.providerId,
      subject: account.subject,
      person_id: account.personId,
      email: account.email,
      roles: [...account.roles],
      linked_by: account.linkedBy,
      created_at: new Date(account.createdAt),
      last_at: new Date(account.lastAt),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function touchAccount(
  db: IdentityDb,
  account: Pick<UpstreamAccount, 'providerId' | 'subject'>,
  change: { readonly roles: readonly Role[]; readonly email: string; readonly at: number },
): Promise<void> {
  await db
    .updateTable('upstream_accounts')
    .set({ roles: [...change.roles], email: change.email, last_at: new Date(change.at) })
    .where('provider_id', '=', account.providerId)
    .where('subject', '=', account.subject)
    .execute();
}

export async function deleteAccount(
  db: IdentityDb,
  providerId: UpstreamProviderId,
  personId: string,
): Promise<UpstreamAccount | undefined> {
  const row = await db
    .deleteFrom('upstream_accounts')
    .where('provider_id', '=', providerId)
    .where('person_id', '=', personId)
    .returningAll()
    .executeTakeFirst();
  return row && accountOf(row);
}

/** The groups that the provider put the person in. */
export async function listMemberships(
  db: IdentityDb,
  providerId: UpstreamProviderId,
  personId: string,
): Promise<string[]> {
  const rows = await db
    .selectFrom('upstream_members')
    .select('group_id')
    .where('provider_id', '=', providerId)
    .where('person_id', '=', personId)
    .execute();
  return rows.map((row) => row.group_id);
}

/** Puts the person in exactly these groups on behalf of the provider; groups that are gone are left out. */
export async function setMemberships(
  db: IdentityDb,
  providerId: UpstreamProviderId,
  personId: PersonId,
  groups: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('upstream_members')
    .where('provider_id', '=', providerId)
    .where('person_id', '=', personId)
    .execute();
  if (groups.length === 0) return;
  const known = await db
    .selectFrom('scim_groups')
    .select('id')
    .where('id', 'in', [...groups])
    .execute();
  if (known.length === 0) return;
  await db
    .insertInto('upstream_members')
    .values(known.map(({ id }) => ({ provider_id: providerId, person_id: personId, group_id: id })))
    .execute();
}

const nameIdSchema = z.object({ value: z.string(), format: z.string() });

/** Where a session came from. */
export interface UpstreamSession {
  readonly sessionId: SessionId;
  readonly providerId: UpstreamProviderId;
  readonly subject: string;
  readonly sid: string | null;
  readonly nameId: { readonly value: string; readonly format: string } | null;
  readonly sealedIdToken: string | null;
}

export async function insertUpstreamSession(db: IdentityDb, session: UpstreamSession): Promise<void> {
  const values = {
    session_id: session.sessionId,
    provider_id: session.providerId,
    subject: session.subject,
    sid: session.sid,
    name_id: session.nameId === null ? null : JSON.stringify(session.nameId),
    sealed_id_token: session.sealedIdToken,
  };
  await db
    .insertInto('upstream_sessions')
    .values(values)
    .onConflict((conflict) => conflict.column('session_id').doUpdateSet(values))
    .execute();
}

function sessionRow(row: {
  session_id: string;
  provider_id: string;
  subject: string;
  sid: string | null;
  name_id: unknown;
  sealed_id_token: string | null;
}): UpstreamSession {
  return {
    sessionId: SessionId.parse(row.session_id),
    providerId: UpstreamProviderId.parse(row.provider_id),
    subject: row.subject,
    sid: row.sid,
    nameId: row.name_id === null ? null : nameIdSchema.parse(row.name_id),
    sealedIdToken: row.sealed_id_token,
  };
}

export async function findUpstreamSession(db: IdentityDb, sessionId: SessionId): Promise<UpstreamSession | undefined> {
  const row = await db
    .selectFrom('upstream_sessions')
    .selectAll()
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row && sessionRow(row);
}

/** Sessions that a sign-out at the provider ends: of one sign-in there (`sids`), or all of a person. */
export async function findSessionsOf(
  db: IdentityDb,
  providerId: UpstreamProviderId,
  by: { readonly sids: readonly string[]; readonly subject: string | null },
): Promise<UpstreamSession[]> {
  let query = db.selectFrom('upstream_sessions').selectAll().where('provider_id', '=', providerId).limit(SESSIONS_MAX);
  if (by.sids.length > 0) query = query.where('sid', 'in', [...by.sids]);
  if (by.subject !== null) query = query.where('subject', '=', by.subject);
  if (by.sids.length === 0 && by.subject === null) return [];
  return (await query.execute()).map(sessionRow);
}
