import type { Queryable, SecretEnvelope } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { BackupTables } from '../tables.ts';
import { recipientId } from '../recovery-key.ts';

const CONTEXT = 'backup-recovery-recipient';
const DAY_S = 86_400;

/** How Cordon backs itself up. Nothing is taken before an owner registered a recovery key. */
export interface OwnSettings {
  /** Names the registered recovery key; null: none. */
  readonly recipient: string | null;
  readonly everyS: number | null;
  readonly rpoS: number;
  readonly nextAt: number | null;
  /** Of the newest snapshot that was verified: when it was taken, and when that was seen. */
  readonly verifiedTakenAt: number | null;
  readonly verifiedAt: number | null;
}

const on = (db: Queryable) => db.tables<BackupTables>();
type Row = Selectable<BackupTables['backup_own']>;

const load = async (db: Queryable): Promise<Row | undefined> =>
  on(db).selectFrom('backup_own').selectAll().executeTakeFirst();

export async function loadOwnSettings(db: Queryable): Promise<OwnSettings> {
  const row = await load(db);
  return {
    recipient: row?.recipient_id ?? null,
    everyS: row?.every_s ?? null,
    rpoS: row?.rpo_s ?? 2 * DAY_S,
    nextAt: row?.next_at ?? null,
    verifiedTakenAt: row?.verified_taken_at ?? null,
    verifiedAt: row?.verified_at ?? null,
  };
}

/** The recipient itself, for the worker; wrapped anew when the key-encryption key was changed. */
export async function openRecipient(db: Queryable, envelope: SecretEnvelope): Promise<string | null> {
  const row = await load(db);
  if (!row) return null;
  const again = envelope.rewrap(row.recipient, CONTEXT);
  if (again !== null) await on(db).updateTable('backup_own').set({ recipient: again }).execute();
  return envelope.open(row.recipient, CONTEXT).toString('utf8');
}

export async function saveOwnSettings(
  db: Queryable,
  envelope: SecretEnvelope,
  set: { readonly recipient: string; readonly everyS: number | null; readonly rpoS: number; readonly now: number },
): Promise<void> {
  const values = {
    recipient: envelope.seal(set.recipient, CONTEXT),
    recipient_id: recipientId(set.recipient),
    every_s: set.everyS,
    rpo_s: set.rpoS,
    next_at: set.everyS === null ? null : set.now,
  };
  await on(db)
    .insertInto('backup_own')
    .values({ id: 1, ...values, verified_taken_at: null, verified_at: null })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute();
}

export async function noteOwn(
  db: Queryable,
  facts: Partial<Pick<Row, 'next_at' | 'verified_taken_at' | 'verified_at'>>,
): Promise<void> {
  await on(db).updateTable('backup_own').set(facts).execute();
}
