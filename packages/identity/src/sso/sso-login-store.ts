import { SessionId, uuidv7 } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { deleteArtifactsOfGrant } from '../oauth/artifact-store.ts';
import type { IdentityTables, SsoNotice } from '../tables.ts';
import { SsoAppId } from './sso-app.ts';
import { deleteRemovedApps } from './sso-app-store.ts';

/** Told whenever sessions end, by a trigger of the table. */
export const SESSIONS_CHANNEL = 'cordon_sessions_ended';
const PAGE_MAX = 100;
const BATCH_MAX = 20;
/** One who tells an app holds the row so long; after that another may try. */
const CLAIM_MS = 60_000;

const nameIdSchema = z.object({ value: z.string(), format: z.string() });
export type NameId = z.output<typeof nameIdSchema>;

/** A person's session at an app: what single logout has to end. */
export interface SsoLogin {
  readonly id: string;
  readonly appId: SsoAppId;
  readonly personId: string;
  readonly sessionId: SessionId;
  readonly sid: string;
  readonly nameId: NameId | null;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  readonly endedAt: number | null;
  readonly notice: SsoNotice;
  readonly attempts: number;
  readonly outcome: string | null;
}

function loginOf(row: Selectable<IdentityTables['sso_logins']>): SsoLogin {
  return {
    id: row.id,
    appId: SsoAppId.parse(row.app_id),
    personId: row.person_id,
    sessionId: SessionId.parse(row.session_id),
    sid: row.sid,
    nameId: row.name_id === null ? null : nameIdSchema.parse(row.name_id),
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
    count: row.count,
    endedAt: row.ended_at?.getTime() ?? null,
    notice: row.notice,
    attempts: row.attempts,
    outcome: row.outcome,
  };
}

export interface NewLogin {
  readonly appId: SsoAppId;
  readonly personId: string;
  readonly sessionId: SessionId;
  readonly sid: string;
  readonly nameId: NameId | null;
  readonly grantHash: Buffer | null;
  readonly at: number;
}

/** The first sign-on of a session makes the row, later ones count in it. */
export async function saveLogin(db: IdentityDb, login: NewLogin): Promise<void> {
  const at = new Date(login.at);
  const nameId = login.nameId === null ? null : JSON.stringify(login.nameId);
  await db
    .insertInto('sso_logins')
    .values({
      id: uuidv7(login.at),
      app_id: login.appId,
      person_id: login.personId,
      session_id: login.sessionId,
      sid: login.sid,
      name_id: nameId,
      grant_hash: login.grantHash,
      first_at: at,
      last_at: at,
      ended_at: null,
      next_at: null,
      outcome: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['app_id', 'session_id']).doUpdateSet({
        last_at: at,
        sid: login.sid,
        name_id: nameId,
        grant_hash: login.grantHash,
        count: sql<number>`sso_logins.count + 1`,
        ended_at: null,
        notice: 'none',
        outcome: null,
      }),
    )
    .execute();
}

export async function listLogins(db: IdentityDb, appId: SsoAppId): Promise<SsoLogin[]> {
  const rows = await db
    .selectFrom('sso_logins')
    .selectAll()
    .where('app_id', '=', appId)
    .orderBy('last_at', 'desc')
    .limit(PAGE_MAX)
    .execute();
  return rows.map(loginOf);
}

/** Of one session, also when it is over. */
export async function listLoginsOf(db: IdentityDb, sessionId: string): Promise<SsoLogin[]> {
  const rows = await db
    .selectFrom('sso_logins')
    .selectAll()
    .where('session_id', '=', sessionId)
    .limit(PAGE_MAX)
    .execute();
  return rows.map(loginOf);
}

/** Apps that had no other way of being told. */
export async function markTold(db: IdentityDb, ids: readonly string[], outcome: string): Promise<void> {
  await db
    .updateTable('sso_logins')
    .set({ notice: 'told', outcome })
    .where('id', 'in', [...ids])
    .where('notice', 'in', ['none', 'waiting', 'not-possible'])
    .execute();
}

/** By the SessionIndex or `sid` that the app was given. */
export async function findLoginBySid(db: IdentityDb, appId: SsoAppId, sid: string): Promise<SsoLogin | undefined> {
  const row = await db
    .selectFrom('sso_logins')
    .selectAll()
    .where('app_id', '=', appId)
    .where('sid', '=', sid)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row && loginOf(row);
}

/** The app ended this one itself: it needs no telling. */
export async function closeLogin(db: IdentityDb, id: string, now: number, outcome: string): Promise<void> {
  await db
    .updateTable('sso_logins')
    .set({ ended_at: new Date(now), notice: 'told', outcome })
    .where('id', '=', id)
    .execute();
}

/**
 * Ends logins whose session is gone, or all of an app, or one person's there: their tokens are deleted at once, and the
 * app is to be told. Returns how many.
 */
export async function endLogins(
  db: IdentityDb,
  which: { readonly appId?: SsoAppId; readonly personId?: string },
  now: number,
): Promise<number> {
  const at = new Date(now);
  let query = db
    .updateTable('sso_logins')
    .set({ ended_at: at, notice: 'waiting', next_at: at })
    .where('ended_at', 'is', null)
    .returning('grant_hash');
  query =
    which.appId === undefined
      ? query.where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('sessions')
                .select('sessions.id')
                .whereRef('sessions.id', '=', 'sso_logins.session_id')
                .where('sessions.expires_at', '>', at),
            ),
          ),
        )
      : query.where('app_id', '=', which.appId);
  if (which.personId !== undefined) query = query.where('person_id', '=', which.personId);
  const ended = await query.execute();
  for (const { grant_hash } of ended) if (grant_hash) await deleteArtifactsOfGrant(db, grant_hash);
  // Told at the commit: whoever tells the apps looks at once.
  if (ended.length > 0) await sql`select pg_notify(${SESSIONS_CHANNEL}, '')`.execute(db);
  return ended.length;
}

/** Logins whose app has to be told now; nobody else gets them for a minute. */
export async function claimNotices(db: IdentityDb, now: number): Promise<SsoLogin[]> {
  const rows = await db
    .updateTable('sso_logins')
    .set(({ eb }) => ({ next_at: new Date(now + CLAIM_MS), attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('sso_logins')
        .select('id')
        .where('notice', '=', 'waiting')
        .where('next_at', '<=', new Date(now))
        .orderBy('next_at')
        .limit(BATCH_MAX)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
  return rows.map(loginOf);
}

export async function settleNotice(
  db: IdentityDb,
  id: string,
  result: { readonly notice: SsoNotice; readonly outcome: string; readonly nextAt: number | null },
): Promise<void> {
  await db
    .updateTable('sso_logins')
    .set({
      notice: result.notice,
      outcome: result.outcome,
      next_at: result.nextAt === null ? null : new Date(result.nextAt),
    })
    .where('id', '=', id)
    .execute();
}

/** Keeps what is needed for evidence for ninety days. */
export async function deleteOldSsoRows(db: IdentityDb, now: number): Promise<void> {
  const at = new Date(now);
  await db.deleteFrom('sso_seen').where('expires_at', '<=', at).execute();
  await db.deleteFrom('sso_states').where('expires_at', '<=', at).execute();
  await deleteRemovedApps(db);
  await db
    .deleteFrom('sso_logins')
    .where('ended_at', '<', new Date(now - 90 * 86_400_000))
    .execute();
}

/** Whether this id is new; false: it was seen before. One statement decides, so two requests at once can't both pass. */
export async function rememberOnce(db: IdentityDb, kind: string, hash: Buffer, expiresAt: number): Promise<boolean> {
  const result = await db
    .insertInto('sso_seen')
    .values({ kind, hash, expires_at: new Date(expiresAt) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}
