import { randomBytes } from 'node:crypto';
import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Queryable,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { DataUnknown } from './errors.ts';
import { tablesOf } from './tables.ts';

const KEY_BYTES = 32;

export interface FingerprintKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Tells gateways; the composition gives the estate's `publish`. */
export type PublishEntries = (
  tx: Transaction,
  publication: {
    readonly set?: readonly (readonly [key: string, value: unknown])[];
    readonly remove?: readonly string[];
    readonly at: number;
  },
) => Promise<unknown>;

export const keyContext = (id: string): string => `fingerprint-key:${id}`;

export interface KeyDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly publish: PublishEntries;
}

/** The key in force; null before the first. */
export async function loadFingerprintKey(db: Queryable, envelope: SecretEnvelope): Promise<FingerprintKey | null> {
  const row = await tablesOf(db)
    .selectFrom('fingerprint_key')
    .select(['id', 'sealed'])
    .where('status', '=', 'current')
    .executeTakeFirst();
  return row ? { id: row.id, key: envelope.open(row.sealed, keyContext(row.id)) } : null;
}

async function createKey({ clock, envelope, publish }: KeyDeps, tx: Transaction): Promise<string> {
  const at = clock.now();
  const id = uuidv7(at);
  const sealed = envelope.seal(randomBytes(KEY_BYTES), keyContext(id));
  await tablesOf(tx)
    .insertInto('fingerprint_key')
    .values({ id, sealed, status: 'current', created_at: new Date(at) })
    .execute();
  await publish(tx, { set: [[`fingerprint-key:${id}`, { id, sealed }]], at });
  return id;
}

/** Makes the first key. Safe to call at each start. */
export async function ensureFingerprintKey(deps: KeyDeps): Promise<void> {
  if (await loadFingerprintKey(deps.db, deps.envelope)) return;
  await deps.db.transaction((tx) => createKey(deps, tx));
}

/**
 * Forgets: the old key and with it every fingerprint, sketch, signature and link between flows and records are deleted.
 * What was computed with it can't be computed again, by nobody.
 */
export async function rotateFingerprintKey(deps: KeyDeps, actor: Actor): Promise<{ readonly id: string }> {
  authorize(actor, 'data.write');
  const at = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const old = await tablesOf(tx).selectFrom('fingerprint_key').select('id').forUpdate().execute();
    await tablesOf(tx).deleteFrom('fingerprint_key').execute();
    const id = await createKey(deps, tx);
    if (old.length > 0) await deps.publish(tx, { remove: old.map((row) => `fingerprint-key:${row.id}`), at });
    const target = { type: 'fingerprint_key', id, name: 'fingerprints' };
    await appendAudit(tx, { actor, action: 'data.fingerprints_forgotten', target, detail: { keys: old.length }, at });
    return { id };
  });
}

/** Forgets one record: every trace of a fingerprint. Throws `DataUnknown` when there is none. */
export async function forgetPrint(deps: KeyDeps, actor: Actor, print: Buffer): Promise<{ readonly forgotten: number }> {
  authorize(actor, 'data.write');
  const at = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const gone = await tablesOf(tx).deleteFrom('data_print').where('print', '=', print).executeTakeFirst();
    await tablesOf(tx).deleteFrom('spread_sighting').where('print', '=', print).execute();
    await tablesOf(tx).deleteFrom('data_flow_record').where('print', '=', print).execute();
    const forgotten = Number(gone.numDeletedRows);
    if (forgotten === 0) throw new DataUnknown('No app is known to hold this record.');
    const target = { type: 'fingerprint', id: print.toString('base64url'), name: 'record' };
    await appendAudit(tx, { actor, action: 'data.record_forgotten', target, detail: { places: forgotten }, at });
    return { forgotten };
  });
}
