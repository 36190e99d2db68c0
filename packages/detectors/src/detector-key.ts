import { randomBytes } from 'node:crypto';
import type { Queryable, SecretEnvelope } from '@cordon/kernel';
import { tablesOf } from './tables.ts';

const KEY_BYTES = 32;
const ID_BYTES = 6;

/** What a sealed key is bound to, here and at gateways. */
export const detectorKeyContext = (id: string): string => `own-detector-key:${id}`;

/** A sealed key; who opens it can find out by guessing what hashed lists hold. */
export interface SealedKey {
  readonly id: string;
  readonly sealed: string;
}

/** The key that hashes are made with; made with the first detector. */
export async function currentKey(db: Queryable, envelope: SecretEnvelope, at: number): Promise<SealedKey> {
  const known = await tablesOf(db)
    .selectFrom('own_detector_key')
    .select(['id', 'sealed'])
    .orderBy('created_at', 'desc')
    .executeTakeFirst();
  if (known) return known;
  const id = randomBytes(ID_BYTES).toString('hex');
  const sealed = envelope.seal(randomBytes(KEY_BYTES), detectorKeyContext(id));
  await tablesOf(db)
    .insertInto('own_detector_key')
    .values({ id, sealed, created_at: new Date(at) })
    .execute();
  return { id, sealed };
}

/** Keys by id, opened. */
export async function openKeys(db: Queryable, envelope: SecretEnvelope): Promise<ReadonlyMap<string, Uint8Array>> {
  const rows = await tablesOf(db).selectFrom('own_detector_key').select(['id', 'sealed']).execute();
  return new Map(rows.map(({ id, sealed }) => [id, envelope.open(sealed, detectorKeyContext(id))]));
}
