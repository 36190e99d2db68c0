import type { RateLimiter } from './rate-limiter.ts';

/** A source may have this many unidentified calls recorded one by one, then two a second; the rest are counted. */
const BURST = 50;
const PER_SECOND = 2;
const SOURCES_MAX = 10_000;

interface Suppressed {
  count: number;
  /** The last event that was not stored: the pattern for the one that tells how many there were. */
  json: string;
}

/**
 * Keeps a flood of unidentified calls from becoming a flood of events. What is left out is counted, and the count is
 * written as `count` of one event for the source, so that numbers stay right.
 */
export class RefusalRecorder {
  readonly #rates: RateLimiter;
  readonly #suppressed = new Map<string, Suppressed>();

  constructor(rates: RateLimiter) {
    this.#rates = rates;
  }

  /** True when this call gets an event of its own. */
  admits(source: string): boolean {
    return this.#rates.take(source, { count: PER_SECOND, periodMs: 1_000, burst: BURST }).allowed;
  }

  suppress(source: string, describe: () => string): void {
    const known =
      this.#suppressed.get(source) ?? (this.#suppressed.size >= SOURCES_MAX ? this.#suppressed.get('') : undefined);
    if (known) {
      known.count += 1;
      return;
    }
    const key = this.#suppressed.size >= SOURCES_MAX ? '' : source;
    this.#suppressed.set(key, { count: 1, json: describe() });
  }

  /** The events that stand for what was left out since the last time. */
  drain(): string[] {
    const events = [...this.#suppressed.values()].map(({ count, json }) => {
      // Made by describeCall a moment ago: an object.
      const event = JSON.parse(json) as Record<string, unknown>;
      return JSON.stringify({ ...event, count });
    });
    this.#suppressed.clear();
    return events;
  }

  get sources(): number {
    return this.#suppressed.size;
  }
}
