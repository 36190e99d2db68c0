import type { Selectable } from 'kysely';
import type { IdentityDb } from '../context.ts';
import { afterFailure, type CounterKind, waitOf } from '../sessions/throttle.ts';
import type { IdentityTables } from '../tables.ts';

/** `address` and `client` at the token endpoint; `gateway`: an address, at the gateways. */
export type LockKind = 'address' | 'client' | 'gateway';

/** Failures at the token endpoint of one address or client. */
export interface ClientLock {
  readonly kind: LockKind;
  readonly value: string;
  readonly failures: number;
  readonly since: number;
  readonly lockedUntil: number | null;
  /** The latest failure. */
  readonly reason: string;
}

const LIST_MAX = 500;
const REASON_CHARS_MAX = 300;
const QUIET_MS = 2 * 60 * 60_000;
const COUNTED: Readonly<Record<LockKind, CounterKind>> = {
  address: 'peer',
  client: 'client',
  gateway: 'peer',
};

function lockOf(row: Selectable<IdentityTables['client_locks']>): ClientLock {
  return {
    kind: row.kind,
    value: row.value,
    failures: row.failures,
    since: row.window_start.getTime(),
    lockedUntil: row.locked_until?.getTime() ?? null,
    reason: row.reason,
  };
}

/** Milliseconds until this address or client may try again; 0 when it may now. */
export async function findWait(db: IdentityDb, kind: LockKind, value: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('client_locks')
    .selectAll()
    .where('kind', '=', kind)
    .where('value', '=', value)
    .executeTakeFirst();
  const lock = row && lockOf(row);
  return waitOf(lock && { ...lock, windowStart: lock.since }, now);
}

/** Counts one failure, in a transaction: the row lock makes failures that arrive together count one by one. */
export async function countLockFailure(
  db: IdentityDb,
  failure: { readonly kind: LockKind; readonly value: string; readonly reason: string; readonly now: number },
): Promise<ClientLock> {
  const { kind, value, now } = failure;
  const reason = failure.reason.slice(0, REASON_CHARS_MAX);
  await db
    .insertInto('client_locks')
    .values({ kind, value, failures: 0, window_start: new Date(now), locked_until: null, reason })
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doNothing())
    .execute();
  const where = { kind, value };
  const row = await db
    .selectFrom('client_locks')
    .selectAll()
    .where('kind', '=', where.kind)
    .where('value', '=', where.value)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const before = lockOf(row);
  const next = afterFailure({ ...before, windowStart: before.since }, COUNTED[kind], now);
  await db
    .updateTable('client_locks')
    .set({
      failures: next.failures,
      window_start: new Date(next.windowStart),
      locked_until: next.lockedUntil === null ? null : new Date(next.lockedUntil),
      reason,
    })
    .where('kind', '=', kind)
    .where('value', '=', value)
    .execute();
  return { kind, value, reason, failures: next.failures, since: next.windowStart, lockedUntil: next.lockedUntil };
}

/** Keeps what a gateway decided; of several, the one that ends last. */
export async function saveLock(db: IdentityDb, lock: ClientLock & { readonly lockedUntil: number }): Promise<void> {
  const values = {
    failures: lock.failures,
    window_start: new Date(lock.since),
    locked_until: new Date(lock.lockedUntil),
    reason: lock.reason.slice(0, REASON_CHARS_MAX),
  };
  await db
    .insertInto('client_locks')
    .values({ kind: lock.kind, value: lock.value, ...values })
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(values))
    .execute();
}

/** What is locked now or failed lately, the most failures first. */
export async function listLocks(db: IdentityDb, now: number): Promise<ClientLock[]> {
  const rows = await db
    .selectFrom('client_locks')
    .selectAll()
    .where((or) => or.or([or('locked_until', '>', new Date(now)), or('window_start', '>', new Date(now - QUIET_MS))]))
    .orderBy('failures', 'desc')
    .limit(LIST_MAX)
    .execute();
  return rows.map(lockOf);
}

export async function deleteLock(db: IdentityDb, kind: LockKind, value: string): Promise<boolean> {
  const result = await db
    .deleteFrom('client_locks')
    .where('kind', '=', kind)
    .where('value', '=', value)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function deleteOldLocks(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('client_locks')
    .where('window_start', '<', new Date(now - QUIET_MS))
    .where((or) => or.or([or('locked_until', 'is', null), or('locked_until', '<', new Date(now))]))
    .execute();
}
