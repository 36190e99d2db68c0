import { sql } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { NotFound } from '../errors.ts';
import { LIST_MAX } from '../page.ts';
import { type CredentialState, type Stage, tablesOf } from '../tables.ts';
import { type CredentialRow, type CredentialStatus, toStatus } from './credential-status.ts';
import type { VaultSource } from './vault-source.ts';

/** Of one app, and of one integration or (null) of the app itself. */
export interface CredentialPlace {
  readonly appId: string;
  readonly integrationId: string | null;
}

/** A credential ready to be stored: everything that needed the vendor has happened. */
export interface NewCredential extends CredentialPlace {
  readonly id: string;
  readonly stage: Stage;
  readonly shape: object;
  readonly sealed: string;
  readonly source: VaultSource | null;
  readonly sealedSource: string | null;
  readonly state: CredentialState;
  readonly generation: number;
  readonly expiresAt: Date | null;
  readonly refreshAt: Date | null;
  readonly refreshedAt: Date | null;
  readonly verifyPath: string | null;
  readonly verifiedAt: Date | null;
  readonly switchAt: Date | null;
  /** How long what it replaces is kept. */
  readonly overlapMs: number | null;
  readonly at: Date;
  readonly by: string;
}

function inUse(db: Queryable, { appId, integrationId }: CredentialPlace) {
  return tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('app_id', '=', appId)
    .where('integration_id', 'is not distinct from', integrationId)
    .where('retired_at', 'is', null);
}

/** Every credential of an app that isn't erased, the app's own first. */
export async function listCredentials(db: Queryable, appId: string): Promise<CredentialStatus[]> {
  const rows = await tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('app_id', '=', appId)
    .where('retired_at', 'is', null)
    .orderBy(sql`integration_id nulls first`)
    .orderBy('created_at', 'desc')
    .limit(LIST_MAX)
    .execute();
  return rows.map(toStatus);
}

export async function findInStage(
  db: Queryable,
  place: CredentialPlace,
  stage: Stage,
): Promise<CredentialRow | undefined> {
  return inUse(db, place).where('stage', '=', stage).executeTakeFirst();
}

export async function loadCredential(db: Queryable, id: string): Promise<CredentialRow> {
  const row = await tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('id', '=', id)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new NotFound('There is no such credential.', { credential: id });
  return row;
}

export async function insertCredential(tx: Transaction, credential: NewCredential): Promise<void> {
  await tablesOf(tx)
    .insertInto('credentials')
    .values({
      id: credential.id,
      app_id: credential.appId,
      integration_id: credential.integrationId,
      stage: credential.stage,
      shape: JSON.stringify(credential.shape),
      sealed: credential.sealed,
      source: credential.source === null ? null : JSON.stringify(credential.source),
      sealed_source: credential.sealedSource,
      state: credential.state,
      generation: credential.generation,
      expires_at: credential.expiresAt,
      refresh_at: credential.refreshAt,
      refreshed_at: credential.refreshedAt,
      verify_path: credential.verifyPath,
      verified_at: credential.verifiedAt,
      switch_at: credential.switchAt,
      overlap_ms: credential.overlapMs,
      created_at: credential.at,
      created_by: credential.by,
    })
    .execute();
}

/** Erases what is in a stage of a place: nobody should be able to dig it out of the database later. */
export async function eraseStage(tx: Transaction, place: CredentialPlace, stage: Stage, at: Date): Promise<boolean> {
  const erased = await tablesOf(tx)
    .updateTable('credentials')
    .set({ retired_at: at, sealed: '', sealed_source: null, lease_id: null })
    .where('app_id', '=', place.appId)
    .where('integration_id', 'is not distinct from', place.integrationId)
    .where('stage', '=', stage)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return erased.numUpdatedRows > 0n;
}

/** Erases every credential of an app; returns the integrations that had their own. */
export async function eraseAll(
  tx: Transaction,
  appId: string,
  at: Date,
): Promise<{ integrationIds: string[]; count: number }> {
  const erased = await tablesOf(tx)
    .updateTable('credentials')
    .set({ retired_at: at, sealed: '', sealed_source: null, lease_id: null })
    .where('app_id', '=', appId)
    .where('retired_at', 'is', null)
    .returning('integration_id')
    .execute();
  const own = new Set(erased.flatMap(({ integration_id: id }) => (id === null ? [] : [id])));
  return { integrationIds: [...own], count: erased.length };
}

export async function moveStage(
  tx: Transaction,
  id: string,
  stage: Stage,
  change: { readonly overlapUntil: Date | null; readonly verifiedAt?: Date },
): Promise<void> {
  await tablesOf(tx)
    .updateTable('credentials')
    .set({
      stage,
      switch_at: null,
      overlap_until: change.overlapUntil,
      ...(change.verifiedAt ? { verified_at: change.verifiedAt, problem: null } : {}),
    })
    .where('id', '=', id)
    .execute();
}

export async function noteVerified(tx: Transaction, id: string, at: Date, problem: string | null): Promise<void> {
  await tablesOf(tx)
    .updateTable('credentials')
    .set(problem === null ? { verified_at: at, problem: null } : { problem })
    .where('id', '=', id)
    .where('retired_at', 'is', null)
    .execute();
}

/** Takes a staged credential off the calendar, with the reason. */
export async function failStaged(tx: Transaction, id: string, problem: string): Promise<void> {
  await tablesOf(tx)
    .updateTable('credentials')
    .set({ switch_at: null, problem, state: 'failing' })
    .where('id', '=', id)
    .where('retired_at', 'is', null)
    .execute();
}

export async function listDueSwitches(db: Queryable, now: Date, max: number): Promise<CredentialRow[]> {
  return tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('stage', '=', 'staged')
    .where('retired_at', 'is', null)
    .where('switch_at', '<=', now)
    .limit(max)
    .execute();
}

/** Erases what was kept for a while after a switch. */
export async function eraseOverlaps(db: Queryable, now: Date): Promise<void> {
  await tablesOf(db)
    .updateTable('credentials')
    .set({ retired_at: now, sealed: '', sealed_source: null })
    .where('stage', '=', 'overlap')
    .where('retired_at', 'is', null)
    .where('overlap_until', '<=', now)
    .execute();
}

export async function listExpired(db: Queryable, now: Date, max: number): Promise<CredentialRow[]> {
  return tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('stage', '=', 'current')
    .where('retired_at', 'is', null)
    .where('expires_at', '<=', now)
    .where('state', 'in', ['ready', 'failing'])
    .limit(max)
    .execute();
}

export async function markExpired(tx: Transaction, id: string, now: Date): Promise<boolean> {
  const marked = await tablesOf(tx)
    .updateTable('credentials')
    .set({ state: 'expired' })
    .where('id', '=', id)
    .where('expires_at', '<=', now)
    .where('state', 'in', ['ready', 'failing'])
    .executeTakeFirst();
  return marked.numUpdatedRows > 0n;
}
