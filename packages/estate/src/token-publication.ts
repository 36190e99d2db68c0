import type { Database, Transaction } from '@cordon/kernel';
import type { ApprovedCall } from '@cordon/policy';
import { publish } from './publication.ts';
import { tablesOf } from './tables.ts';
import { sql } from 'kysely';

/** A live access token as identity knows it; only its hash exists. */
export interface LiveToken {
  /** Hex SHA-256. */
  readonly hash: string;
  readonly integrationId: string;
  readonly clientId: string;
  readonly expiresAt: number;
  readonly cnf?: { readonly jkt?: string | null; readonly 'x5t#S256'?: string | null } | null;
  readonly scope?: readonly string[];
  readonly assurance?: 'm0' | 'm1' | 'm2';
  /** Resource indicators (RFC 8707). */
  readonly audience?: readonly string[];
  /** The call that a second person approved; null: an ordinary token. */
  readonly approval?: { readonly id: string; readonly call: ApprovedCall } | null;
}

export const TOKENS_BATCH_MAX = 1_000;
const SWEEP_BATCH_MAX = 5_000;

/**
 * Publishes tokens issued since the last call. The state row is locked before the tokens are read, so a token that a
 * concurrent revocation deletes is either not read here, or its removal is published after this.
 */
export async function publishTokens(
  db: Database,
  readLive: (tx: Transaction) => Promise<readonly LiveToken[]>,
  now: number,
): Promise<number> {
  return db.transaction(async (tx) => {
    await tablesOf(tx).selectFrom('snapshot_state').select('version').forUpdate().execute();
    const tokens = await readLive(tx);
    if (tokens.length === 0) return 0;
    await publish(tx, { set: tokens.map((token) => tokenSnapshotEntry(token)), at: now });
    return tokens.length;
  });
}

function tokenSnapshotEntry(token: LiveToken): readonly [string, unknown] {
  return [
    `token:${token.hash}`,
    {
      integrationId: token.integrationId,
      clientId: token.clientId,
      expiresAt: token.expiresAt,
      cnf: token.cnf ? { jkt: token.cnf.jkt ?? null, 'x5t#S256': token.cnf['x5t#S256'] ?? null } : null,
      scope: [...(token.scope ?? [])],
      ...(token.assurance === undefined ? {} : { assurance: token.assurance }),
      audience: [...(token.audience ?? [])],
      approval: token.approval ?? null,
    },
  ];
}

/** Tokens that were revoked before their time: removed, and refused even where an old snapshot still lists them. */
export async function publishRevoked(
  tx: Transaction,
  tokens: readonly { readonly hash: string; readonly expiresAt: number }[],
  now: number,
): Promise<void> {
  await publish(tx, {
    set: tokens.map(({ hash, expiresAt }) => [`revoked:${hash}`, { expiresAt }] as const),
    remove: tokens.map(({ hash }) => `token:${hash}`),
    revokes: true,
    at: now,
  });
}

/** Drops token and revocation entries whose time is over, and tombstones that every control has read long ago. */
export async function sweepTokens(db: Database, now: number, tombstonesBelow: number): Promise<number> {
  return db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const ended = await sql<{ key: string }>`select key from snapshot_entries
      where (key like 'token:%' or key like 'revoked:%' or key like 'unlock:%') and value is not null
        and (value->>'expiresAt')::bigint < ${now} limit ${SWEEP_BATCH_MAX}`.execute(tables);
    const keys = ended.rows.map((row) => row.key);
    if (keys.length > 0) await publish(tx, { remove: keys, at: now });
    await tables.updateTable('snapshot_state').set({ horizon: tombstonesBelow }).execute();
    await tables
      .deleteFrom('snapshot_entries')
      .where('value', 'is', null)
      .where('version', '<', tombstonesBelow)
      .execute();
    return keys.length;
  });
}

const UNLOCK_KEPT_MS = 86_400_000;

/** Ends the lock of an address, named by the hex SHA-256 of it, at every gateway. */
export async function publishUnlocked(tx: Transaction, addressHash: string, now: number): Promise<void> {
  await publish(tx, { set: [[`unlock:${addressHash}`, { at: now, expiresAt: now + UNLOCK_KEPT_MS }]], at: now });
}
