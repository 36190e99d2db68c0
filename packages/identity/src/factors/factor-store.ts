import { PersonId } from '@cordon/kernel';
import type { IdentityDb } from '../context.ts';

export interface Passkey {
  readonly id: string;
  readonly personId: PersonId;
  readonly name: string;
  readonly credentialId: string;
  readonly publicKey: Buffer;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly deviceType: string;
  readonly backedUp: boolean;
  readonly aaguid: string;
  readonly attestationFormat: string;
  readonly attestationObject: Buffer;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export async function insertPasskey(db: IdentityDb, passkey: Passkey): Promise<boolean> {
  const result = await db
    .insertInto('passkeys')
    .values({
      id: passkey.id,
      person_id: passkey.personId,
      name: passkey.name,
      credential_id: passkey.credentialId,
      public_key: passkey.publicKey,
      sign_count: passkey.signCount,
      transports: [...passkey.transports],
      device_type: passkey.deviceType,
      backed_up: passkey.backedUp,
      aaguid: passkey.aaguid,
      attestation_format: passkey.attestationFormat,
      attestation_object: passkey.attestationObject,
      created_at: new Date(passkey.createdAt),
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function listPasskeys(db: IdentityDb, personId: PersonId): Promise<Passkey[]> {
  const rows = await db
    .selectFrom('passkeys')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('id')
    .limit(PASSKEYS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    personId: PersonId.parse(row.person_id),
    name: row.name,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    signCount: row.sign_count,
    transports: row.transports,
    deviceType: row.device_type,
    backedUp: row.backed_up,
    aaguid: row.aaguid,
    attestationFormat: row.attestation_format,
    attestationObject: row.attestation_object,
    createdAt: row.created_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  }));
}

/** Keys that one person can have. */
export const PASSKEYS_MAX = 20;

export async function findPasskeyOwner(db: IdentityDb, credentialId: string): Promise<PersonId | undefined> {
  const row = await db
    .selectFrom('passkeys')
    .select('person_id')
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  return row && PersonId.parse(row.person_id);
}

/** Keeps the signature counter and use. False when another sign-in moved the counter past this one meanwhile. */
export async function usePasskey(
  db: IdentityDb,
  id: string,
  use: { readonly signCount: number; readonly backedUp: boolean; readonly at: number },
): Promise<boolean> {
  const result = await db
    .updateTable('passkeys')
    .set({ sign_count: use.signCount, backed_up: use.backedUp, last_used_at: new Date(use.at) })
    .where('id', '=', id)
    // Authenticators that don't count always say 0 (WebAuthn, section 6.1.1).
    .where((or) => or.or([or('sign_count', '<', use.signCount), or('sign_count', '=', 0)]))
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function deletePasskey(db: IdentityDb, personId: PersonId, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('passkeys')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export async function findPasswordHash(db: IdentityDb, personId: PersonId): Promise<string | undefined> {
  const row = await db.selectFrom('passwords').select('hash').where('person_id', '=', personId).executeTakeFirst();
  return row?.hash;
}

export async function putPassword(db: IdentityDb, personId: PersonId, hash: string, at: number): Promise<void> {
  const values = { hash, updated_at: new Date(at) };
  await db
    .insertInto('passwords')
    .values({ person_id: personId, ...values })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet(values))
    .execute();
}

export async function deletePassword(db: IdentityDb, personId: PersonId): Promise<boolean> {
  const result = await db.deleteFrom('passwords').where('person_id', '=', personId).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export interface TotpFactor {
  readonly id: string;
  readonly sealedSecret: string;
  readonly lastStep: number;
  readonly confirmedAt: number | null;
}

export async function insertTotp(
  db: IdentityDb,
  factor: { readonly id: string; readonly personId: PersonId; readonly sealedSecret: string; readonly at: number },
): Promise<void> {
  await db
    .deleteFrom('totp_factors')
    .where('person_id', '=', factor.personId)
    .where('confirmed_at', 'is', null)
    .execute();
  await db
    .insertInto('totp_factors')
    .values({
      id: factor.id,
      person_id: factor.personId,
      sealed_secret: factor.sealedSecret,
      confirmed_at: null,
      created_at: new Date(factor.at),
      last_used_at: null,
    })
    .execute();
}

/** The confirmed factor, or the one that waits for its first code. */
export async function findTotp(
  db: IdentityDb,
  personId: PersonId,
  which: 'confirmed' | 'waiting',
): Promise<TotpFactor | undefined> {
  const row = await db
    .selectFrom('totp_factors')
    .selectAll()
    .where('person_id', '=', personId)
    .where('confirmed_at', which === 'confirmed' ? 'is not' : 'is', null)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      sealedSecret: row.sealed_secret,
      lastStep: row.last_step,
      confirmedAt: row.confirmed_at?.getTime() ?? null,
    }
  );
}

/** Uses up one time step; false when it, or a later one, was used before (two requests with one code). */
export async function useTotp(db: IdentityDb, id: string, step: number, at: number): Promise<boolean> {
  const result = await db
    .updateTable('totp_factors')
    .set({ last_step: step, last_used_at: new Date(at) })
    .where('id', '=', id)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Makes the waiting factor the person's factor in place of any earlier one. */
export async function confirmTotp(
  db: IdentityDb,
  personId: PersonId,
  id: string,
  step: number,
  at: number,
): Promise<void> {
  await db.deleteFrom('totp_factors').where('person_id', '=', personId).where('id', '!=', id).execute();
  await db
    .updateTable('totp_factors')
    .set({ confirmed_at: new Date(at), last_step: step })
    .where('id', '=', id)
    .execute();
}

export async function deleteTotp(db: IdentityDb, personId: PersonId): Promise<boolean> {
  const result = await db.deleteFrom('totp_factors').where('person_id', '=', personId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function putRecoveryCodes(
  db: IdentityDb,
  personId: PersonId,
  hashes: readonly Buffer[],
  at: number,
): Promise<void> {
  await db.deleteFrom('recovery_codes').where('person_id', '=', personId).execute();
  const rows = hashes.map((hash) => ({ person_id: personId, hash, created_at: new Date(at), used_at: null }));
  await db.insertInto('recovery_codes').values(rows).execute();
}

/** Uses up one code; false when it is unknown or was used. */
export async function useRecoveryCode(db: IdentityDb, personId: PersonId, hash: Buffer, at: number): Promise<boolean> {
  const result = await db
    .updateTable('recovery_codes')
    .set({ used_at: new Date(at) })
    .where('person_id', '=', personId)
    .where('hash', '=', hash)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function countRecoveryCodes(db: IdentityDb, personId: PersonId): Promise<number> {
  const row = await db
    .selectFrom('recovery_codes')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('person_id', '=', personId)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow();
  return row.count;
}

export async function deleteFactors(db: IdentityDb, personId: PersonId): Promise<void> {
  await db.deleteFrom('passkeys').where('person_id', '=', personId).execute();
  await db.deleteFrom('passwords').where('person_id', '=', personId).execute();
  await db.deleteFrom('totp_factors').where('person_id', '=', personId).execute();
  await db.deleteFrom('recovery_codes').where('person_id', '=', personId).execute();
}

/** Whether the person can sign in at all: a passkey, or a password with a confirmed authenticator app. */
export async function hasFactors(db: IdentityDb, personId: PersonId): Promise<boolean> {
  if ((await listPasskeys(db, personId)).length > 0) return true;
  if ((await findPasswordHash(db, personId)) === undefined) return false;
  return (await findTotp(db, personId, 'confirmed')) !== undefined;
}
