import { PersonId, SessionId } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { IdentityDb } from '../context.ts';
import type { IdentityTables } from '../tables.ts';
import type { Session } from './session.ts';

export const SESSIONS_PAGE_MAX = 200;

export function sessionOf(row: Selectable<IdentityTables['sessions']>): Session {
  return {
    id: SessionId.parse(row.id),
    personId: PersonId.parse(row.person_id),
    stage: row.stage,
    amr: row.amr,
    strongAuthAt: row.strong_auth_at?.getTime() ?? null,
    agent: row.agent,
    ip: row.ip,
    createdAt: row.created_at.getTime(),
    seenAt: row.seen_at.getTime(),
    expiresAt: row.expires_at.getTime(),
  };
}

export async function insertSession(
  db: IdentityDb,
  session: Session,
  secret: { readonly hash: Buffer; readonly agentKey: Buffer },
): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      id: session.id,
      hash: secret.hash,
      person_id: session.personId,
      stage: session.stage,
      amr: [...session.amr],
      strong_auth_at: session.strongAuthAt === null ? null : new Date(session.strongAuthAt),
      agent: session.agent,
      agent_key: secret.agentKey,
      ip: session.ip,
      created_at: new Date(session.createdAt),
      seen_at: new Date(session.seenAt),
      expires_at: new Date(session.expiresAt),
    })
    .execute();
}

/** A session with its person in one query: this runs on every request. */
export async function findSessionByHash(
  db: IdentityDb,
  hash: Buffer,
): Promise<{ session: Session; agentKey: Buffer; person: Selectable<IdentityTables['people']> } | undefined> {
  const row = await db.selectFrom('sessions').selectAll().where('hash', '=', hash).executeTakeFirst();
  if (!row) return undefined;
  const person = await db.selectFrom('people').selectAll().where('id', '=', row.person_id).executeTakeFirstOrThrow();
  return { session: sessionOf(row), agentKey: row.agent_key, person };
}

export async function touchSession(db: IdentityDb, id: SessionId, at: number): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ seen_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

export async function updateSession(
  db: IdentityDb,
  id: SessionId,
  change: { hash?: Buffer; stage?: 'full'; amr?: readonly string[]; strongAuthAt?: number },
): Promise<void> {
  await db
    .updateTable('sessions')
    .set({
      ...(change.hash === undefined ? {} : { hash: change.hash }),
      ...(change.stage === undefined ? {} : { stage: change.stage }),
      ...(change.amr === undefined ? {} : { amr: [...change.amr] }),
      ...(change.strongAuthAt === undefined ? {} : { strong_auth_at: new Date(change.strongAuthAt) }),
    })
    .where('id', '=', id)
    .execute();
}

/** Live sessions, newest first; of one person or of all. */
export async function listSessions(
  db: IdentityDb,
  query: { readonly personId?: PersonId | undefined; readonly now: number; readonly before?: SessionId | undefined },
): Promise<Session[]> {
  let select = db
    .selectFrom('sessions')
    .selectAll()
    .where('expires_at', '>', new Date(query.now))
    .orderBy('id', 'desc')
    .limit(SESSIONS_PAGE_MAX);
  if (query.personId !== undefined) select = select.where('person_id', '=', query.personId);
  if (query.before !== undefined) select = select.where('id', '<', query.before);
  return (await select.execute()).map(sessionOf);
}

export async function findSession(db: IdentityDb, id: SessionId): Promise<Session | undefined> {
  const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
  return row && sessionOf(row);
}

export async function deleteSession(db: IdentityDb, id: SessionId): Promise<boolean> {
  const result = await db.deleteFrom('sessions').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Ends all sessions of a person, but for one they keep. */
export async function deleteSessionsOf(db: IdentityDb, personId: PersonId, keep?: SessionId): Promise<number> {
  let query = db.deleteFrom('sessions').where('person_id', '=', personId);
  if (keep !== undefined) query = query.where('id', '!=', keep);
  return Number((await query.executeTakeFirst()).numDeletedRows);
}

export async function deleteExpiredSessions(db: IdentityDb, now: number, idleMs: number): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where((or) => or.or([or('expires_at', '<=', new Date(now)), or('seen_at', '<=', new Date(now - idleMs))]))
    .execute();
}
