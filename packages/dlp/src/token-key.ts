import { randomBytes } from 'node:crypto';
import { createDeidentifier, type Deidentifier } from '@cordon/classifier';
import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Queryable,
  requireStepUp,
  type SecretEnvelope,
  type Transaction,
} from '@cordon/kernel';
import { z } from 'zod';
import { DlpInputInvalid, DlpUnknown } from './errors.ts';
import { tablesOf } from './tables.ts';

const KEY_BYTES = 32;
const ID_BYTES = 6;
const VALUE_CHARS_MAX = 4_096;

/** Tells gateways; the composition gives the estate's `publish`. */
export type PublishEntries = (
  tx: Transaction,
  publication: {
    readonly set?: readonly (readonly [key: string, value: unknown])[];
    readonly remove?: readonly string[];
    readonly revokes?: boolean;
    readonly at: number;
  },
) => Promise<unknown>;

export interface TokenDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly publish: PublishEntries;
}

const contextOf = (id: string): string => `token-key:${id}`;

async function createKey({ clock, envelope, publish }: TokenDeps, tx: Transaction): Promise<string> {
  const at = clock.now();
  const id = randomBytes(ID_BYTES).toString('hex');
  const sealed = envelope.seal(randomBytes(KEY_BYTES), contextOf(id));
  await tablesOf(tx)
    .insertInto('dlp_token_key')
    .values({ id, sealed, status: 'current', created_at: new Date(at) })
    .execute();
  await publish(tx, { set: [[`token-key:${id}`, { id, sealed }]], at });
  return id;
}

/** Makes the first key. Safe to call at each start. */
export async function ensureTokenKey(deps: TokenDeps): Promise<void> {
  const known = await tablesOf(deps.db)
    .selectFrom('dlp_token_key')
    .select('id')
    .where('status', '=', 'current')
    .executeTakeFirst();
  if (!known) await deps.db.transaction((tx) => createKey(deps, tx));
}

/** Makes and reads tokens of one key: the one in force, or the one that a token names. */
export async function openTokens(
  db: Queryable,
  envelope: SecretEnvelope,
  keyId?: string,
): Promise<Deidentifier | null> {
  let select = tablesOf(db).selectFrom('dlp_token_key').select(['id', 'sealed']);
  select = keyId === undefined ? select.where('status', '=', 'current') : select.where('id', '=', keyId);
  const row = await select.executeTakeFirst();
  return row ? createDeidentifier({ id: row.id, secret: envelope.open(row.sealed, contextOf(row.id)) }) : null;
}

export const DEIDENTIFY_MODES = ['token', 'hash', 'mask', 'partial', 'format'] as const;
const category = z
  .string()
  .max(128)
  .regex(/^[a-z_]+(?:\.[a-z_]+)*$/);
export const deidentifyInput = z.strictObject({
  value: z.string().min(1).max(VALUE_CHARS_MAX),
  category,
  mode: z.enum(DEIDENTIFY_MODES).default('token'),
});
export const revealInput = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(VALUE_CHARS_MAX * 2),
  category,
  /** Of `format`, which has no prefix to be known by. */
  mode: z.enum(['token', 'format']).default('token'),
  /** Kept in the audit trail. */
  reason: z.string().trim().min(10).max(500),
});

/** De-identifies values, and puts them back for whoever may: each time on record, with a reason, never with the value. */
export function createTokenCommands(deps: TokenDeps) {
  const { db, clock, envelope } = deps;
  const note = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    detail: Record<string, unknown>,
  ): Promise<void> => {
    const target = { type: 'token_key', id: String(detail['key']), name: 'tokens' };
    await appendAudit(tx, { actor, action, target, detail, at: clock.now() });
  };
  return {
    async deidentify(actor: Actor, input: z.output<typeof deidentifyInput>): Promise<{ readonly value: string }> {
      authorize(actor, 'dlp.write');
      await ensureTokenKey(deps);
      const tokens = await openTokens(db, envelope);
      if (!tokens) throw new DlpUnknown('There is no key of tokens.');
      try {
        return { value: tokens.value(input.value, input.category, { mode: input.mode }) };
      } catch (error) {
        throw new DlpInputInvalid('This value has no such form.', { mode: input.mode }, error);
      }
    },

    /** Throws `DlpInputInvalid` for what is no token of ours or of another category; that is on record as well. */
    async reveal(actor: Actor, input: z.output<typeof revealInput>): Promise<{ readonly value: string }> {
      authorize(actor, 'dlp.reveal');
      requireStepUp(actor, 'dlp.reveal', clock.now());
      const keyId = input.mode === 'token' ? (input.token.split('.')[1] ?? '') : undefined;
      const tokens = await openTokens(db, envelope, keyId);
      const detail = { key: keyId ?? 'current', category: input.category, reason: input.reason };
      let value: string | null;
      try {
        value =
          tokens &&
          (input.mode === 'token'
            ? tokens.detokenise(input.token, input.category)
            : tokens.decrypt(input.token, input.category));
      } catch {
        value = null; // the library says why to nobody: what is no token must not be told apart
      }
      // On record before it is shown: who can't be recorded sees nothing.
      await db.transaction((tx) => note(tx, actor, value === null ? 'dlp.reveal_refused' : 'dlp.revealed', detail));
      if (value === null) throw new DlpInputInvalid('This is no token of this Cordon, or of another category.');
      return { value };
    },

    /** New tokens are made with a new key; those of older keys can still be put back. */
    async rotate(actor: Actor): Promise<{ readonly id: string }> {
      authorize(actor, 'dlp.reveal');
      requireStepUp(actor, 'dlp.reveal', clock.now());
      return db.transaction(async (tx) => {
        const old = await tablesOf(tx)
          .selectFrom('dlp_token_key')
          .select('id')
          .where('status', '=', 'current')
          .forUpdate()
          .execute();
        await tablesOf(tx)
          .updateTable('dlp_token_key')
          .set({ status: 'former' })
          .where('status', '=', 'current')
          .execute();
        const id = await createKey(deps, tx);
        if (old.length > 0)
          await deps.publish(tx, { remove: old.map((row) => `token-key:${row.id}`), at: clock.now() });
        await note(tx, actor, 'dlp.token_key_rotated', { key: id, former: old.map((row) => row.id) });
        return { id };
      });
    },
  };
}
export type TokenCommands = ReturnType<typeof createTokenCommands>;
