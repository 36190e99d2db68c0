import type { PostureResult } from './evaluate.ts';

/** Longest time an exception may run before someone has to look at it again. */
export const EXCEPTION_DAYS_MAX = 366;
const DAY_MS = 86_400_000;

/** Someone's decision to live with a failing check for a while. */
export interface PostureException {
  check: string;
  reason: string;
  approvedBy: string;
  /** Milliseconds since the epoch. */
  approvedAt: number;
  expiresAt: number;
}

/** A result with the exception that covers it now, or the one that has run out. */
export interface ExceptedResult extends PostureResult {
  exception: { state: 'active' | 'expired'; reason: string; approvedBy: string; expiresAt: number } | null;
}

/** Why an exception cannot be accepted, or null. */
export function exceptionProblem(exception: PostureException): string | null {
  if (exception.reason.trim().length < 10) return 'An exception needs a reason that someone else can follow.';
  if (exception.expiresAt <= exception.approvedAt) return 'An exception must expire after it is approved.';
  const days = (exception.expiresAt - exception.approvedAt) / DAY_MS;
  return days > EXCEPTION_DAYS_MAX ? `An exception runs for ${EXCEPTION_DAYS_MAX} days at most.` : null;
}

/**
 * Exceptions next to the results they cover. Only a failing check can be excepted: what cannot be seen stays not
 * visible. The result itself is never changed, so that reports show both. Of several, the one that expires last counts.
 */
export function applyExceptions(
  results: readonly PostureResult[],
  exceptions: readonly PostureException[],
  now: number,
): ExceptedResult[] {
  return results.map((result) => {
    const exception = exceptions
      .filter(({ check, approvedAt }) => check === result.check && approvedAt <= now)
      .toSorted((left, right) => right.expiresAt - left.expiresAt)[0];
    if (exception === undefined || result.result !== 'fail') return { ...result, exception: null };
    const { reason, approvedBy, expiresAt } = exception;
    return { ...result, exception: { state: expiresAt > now ? 'active' : 'expired', reason, approvedBy, expiresAt } };
  });
}
