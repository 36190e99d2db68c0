const FIRST_MS = 5_000;
const FACTOR = 3;
const DELAY_MS_MAX = 6 * 3_600_000;

/**
 * How long to wait after the n-th attempt in vain: 5 s, 15 s, 45 s … 6 h, half of it by chance, so that what failed
 * together doesn't come back together. What the integration asks for (Retry-After) counts up to the longest wait.
 */
export function backOffMs(attempt: number, random: number, askedMs = 0): number {
  const full = Math.min(DELAY_MS_MAX, FIRST_MS * FACTOR ** Math.min(attempt - 1, 20));
  return Math.max(Math.min(askedMs, DELAY_MS_MAX), Math.round(full / 2 + (full / 2) * random));
}
