import { sql } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { tablesOf } from '../tables.ts';
import type { CredentialRow } from './credential-status.ts';

/**
 * Who renews a credential. A lease in its row, not a lock that is held: the vendor is asked outside of any transaction,
 * and whoever dies meanwhile blocks nobody for longer than the lease.
 */
export interface Claim {
  readonly now: Date;
  readonly leaseId: string;
  readonly until: Date;
}

const RENEWABLE = sql<boolean>`retired_at is null and stage in ('current', 'staged') and source is not null
  and state <> 'pending'`;

/** Takes the lease of one credential whose renewal is due, if there is one that nobody else renews. */
export async function claimDue(db: Queryable, { now, leaseId, until }: Claim): Promise<CredentialRow | undefined> {
  const tables = tablesOf(db);
  return tables
    .updateTable('credentials')
    .set({ lease_id: leaseId, lease_until: until })
    .where('id', '=', (eb) =>
      eb
        .selectFrom('credentials')
        .select('id')
        .where(RENEWABLE)
        .where('refresh_at', '<=', now)
        .where((or) => or.or([or('lease_until', 'is', null), or('lease_until', '<=', now)]))
        .orderBy('refresh_at')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .executeTakeFirst();
}

/** Takes the lease of this credential, unless somebody else has it or has renewed it since `generation`. */
export async function claimOne(
  db: Queryable,
  id: string,
  generation: number,
  { now, leaseId, until }: Claim,
): Promise<CredentialRow | undefined> {
  return tablesOf(db)
    .updateTable('credentials')
    .set({ lease_id: leaseId, lease_until: until })
    .where('id', '=', id)
    .where(RENEWABLE)
    .where('generation', '=', generation)
    .where((or) => or.or([or('lease_until', 'is', null), or('lease_until', '<=', now)]))
    .returningAll()
    .executeTakeFirst();
}

export interface RenewedParts {
  readonly sealed: string;
  /** Null when the secrets behind it stayed the same. */
  readonly sealedSource: string | null;
  readonly expiresAt: Date | null;
  readonly refreshAt: Date | null;
  readonly at: Date;
}

/** Stores what was minted, if the lease is still held; false when the credential was replaced meanwhile. */
export async function storeRenewed(
  tx: Transaction,
  id: string,
  leaseId: string,
  parts: RenewedParts,
): Promise<boolean> {
  const stored = await tablesOf(tx)
    .updateTable('credentials')
    .set({
      sealed: parts.sealed,
      ...(parts.sealedSource === null ? {} : { sealed_source: parts.sealedSource }),
      expires_at: parts.expiresAt,
      refresh_at: parts.refreshAt,
      refreshed_at: parts.at,
      generation: sql`generation + 1`,
      state: 'ready',
      problem: null,
      failures: 0,
      lease_id: null,
      lease_until: null,
    })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return stored.numUpdatedRows > 0n;
}

/** Notes a failed renewal and when to try again (null: not before somebody acts). Ends the lease. */
export async function storeFailure(
  tx: Transaction,
  id: string,
  leaseId: string,
  failure: { readonly problem: string; readonly retryAt: Date | null },
): Promise<boolean> {
  const stored = await tablesOf(tx)
    .updateTable('credentials')
    .set({
      state: sql`case when state = 'expired' then state else 'failing' end`,
      problem: failure.problem,
      failures: sql`failures + 1`,
      refresh_at: failure.retryAt,
      lease_id: null,
      lease_until: null,
    })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return stored.numUpdatedRows > 0n;
}
