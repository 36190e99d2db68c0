/** Failures that cost nothing: people mistype. */
const FREE_FAILURES = {
  account: 4,
  address: 20,
  // Programs repeat one mistake more often than people do, and several share an address.
  client: 10,
  peer: 60,
} as const;
const FIRST_LOCK_MS = 2_000;
const LOCK_MS_MAX = 15 * 60_000;
/** A quiet hour forgets earlier failures. */
export const WINDOW_MS = 60 * 60_000;

export type CounterKind = keyof typeof FREE_FAILURES;

export interface Counter {
  readonly failures: number;
  readonly windowStart: number;
  readonly lockedUntil: number | null;
}

/** Milliseconds until another try is allowed; 0 when it is now. */
export function waitOf(counter: Counter | undefined, now: number): number {
  if (!counter || counter.lockedUntil === null) return 0;
  return Math.max(0, counter.lockedUntil - now);
}

/**
 * The counter after one more failure. Beyond the free ones, each failure doubles the lock, up to 15 minutes: guessing
 * becomes hopeless, and nobody can shut a person out for good by failing in their name.
 */
export function afterFailure(counter: Counter | undefined, kind: CounterKind, now: number): Counter {
  const fresh = !counter || now - counter.windowStart > WINDOW_MS;
  const failures = (fresh ? 0 : counter.failures) + 1;
  const over = failures - FREE_FAILURES[kind];
  const lockMs = over <= 0 ? 0 : Math.min(LOCK_MS_MAX, FIRST_LOCK_MS * 2 ** Math.min(over - 1, 20));
  return {
    failures,
    windowStart: fresh ? now : counter.windowStart,
    lockedUntil: lockMs === 0 ? null : now + lockMs,
  };
}
