import { type IdentityDb } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import { type Counter, type CounterKind, WINDOW_MS, afterFailure } from './throttle.ts';

/** Logins and addresses are stored hashed: the table shall not become a list of who tried what. */
function keyOf(kind: CounterKind, value: string): string {
  return `${kind}:${hashSecret(value.toLowerCase()).toString('base64url')}`;
}

export async function findCounter(db: IdentityDb, kind: CounterKind, value: string): Promise<Counter | undefined> {
  const row = await db
    .selectFrom('sign_in_counters')
    .selectAll()
    .where('key', '=', keyOf(kind, value))
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    failures: row.failures,
    windowStart: row.window_start.getTime(),
    lockedUntil: row.locked_until?.getTime() ?? null,
  };
}

/** Counts one failure; the row lock makes failures that arrive together count one by one. */
export async function countFailure(db: IdentityDb, kind: CounterKind, value: string, now: number): Promise<Counter> {
  const key = keyOf(kind, value);
  const first = { key, failures: 0, window_start: new Date(now), locked_until: null };
  await db
    .insertInto('sign_in_counters')
    .values(first)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const row = await db
    .selectFrom('sign_in_counters')
    .selectAll()
    .where('key', '=', key)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const lockedUntil = row.locked_until?.getTime() ?? null;
  const next = afterFailure(
    { failures: row.failures, windowStart: row.window_start.getTime(), lockedUntil },
    kind,
    now,
  );
  await db
    .updateTable('sign_in_counters')
    .set({
      failures: next.failures,
      window_start: new Date(next.windowStart),
      locked_until: next.lockedUntil === null ? null : new Date(next.lockedUntil),
    })
    .where('key', '=', key)
    .execute();
  return next;
}

export async function clearCounter(db: IdentityDb, kind: CounterKind, value: string): Promise<void> {
  await db.deleteFrom('sign_in_counters').where('key', '=', keyOf(kind, value)).execute();
}

export async function deleteOldCounters(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('sign_in_counters')
    .where('window_start', '<', new Date(now - 2 * WINDOW_MS))
    .execute();
}
