import { type IdentityContext, type RequestOrigin, tablesOf } from '../context.ts';
import { SignInThrottled } from '../errors.ts';
import { accountChangeEvent } from '../events.ts';
import { waitOf } from './throttle.ts';
import { clearCounter, countFailure, findCounter } from './throttle-store.ts';

export interface SignInGuard {
  /** Throws `SignInThrottled` while the address or the login is locked. */
  check(origin: RequestOrigin, login?: string): Promise<void>;
  /** Counts one failure against the address and, where one was named, the login. */
  countFailure(origin: RequestOrigin, login?: string): Promise<void>;
  /** Forgets the login's failures after a success; the address keeps its own. */
  forget(login: string): Promise<void>;
}

/** Slows guessing down, by login and by address; see throttle.ts for how much. */
export function createSignInGuard(context: IdentityContext): SignInGuard {
  const { db, clock } = context;
  return {
    async check(origin, login) {
      const tables = tablesOf(db);
      const now = clock.now();
      const address = await findCounter(tables, 'address', origin.ip);
      const account = login ? await findCounter(tables, 'account', login) : undefined;
      const wait = Math.max(waitOf(address, now), waitOf(account, now));
      if (wait === 0) return;
      const seconds = Math.ceil(wait / 1000);
      throw new SignInThrottled(`Too many failed tries. Try again in ${seconds} seconds.`, { retry_after_s: seconds });
    },
    async countFailure(origin, login) {
      const now = clock.now();
      // In order of the key, so that two failures never wait for each other in a circle.
      const account = await db.transaction(async (tx) => {
        const counter = login ? await countFailure(tablesOf(tx), 'account', login, now) : null;
        await countFailure(tablesOf(tx), 'address', origin.ip, now);
        return counter;
      });
      if (!login || account?.lockedUntil == null) return;
      context.emit(
        accountChangeEvent('lock', {
          at: now,
          outcome: 'success',
          severity: 'medium',
          reason: `Locked for ${Math.ceil((account.lockedUntil - now) / 1000)} s after ${account.failures} failed sign-ins.`,
          actor: { kind: 'system', name: 'sign-in guard' },
          user: { name: login },
          ...origin,
        }),
      );
    },
    forget: (login) => clearCounter(tablesOf(db), 'account', login),
  };
}
