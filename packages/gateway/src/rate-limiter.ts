import type { Clock } from '@cordon/kernel';

/** A rate: `count` calls per `periodMs`, of which up to `burst` may come at once (default: all of them). */
export interface Rate {
  readonly count: number;
  readonly periodMs: number;
  readonly burst?: number;
}

export interface RateVerdict {
  readonly allowed: boolean;
  /** Calls that may still be made at once. */
  readonly remaining: number;
  /** Milliseconds until a refused call may be tried again; 0 when allowed. */
  readonly retryAfterMs: number;
  /** Milliseconds until the whole burst is available again. */
  readonly resetMs: number;
}

const RATE_KEYS_MAX = 200_000;
const SWEEP_KEYS = 64;

/**
 * The generic cell rate algorithm: one number per key, the theoretical arrival time. Exact, no windows, and no
 * burst at a window's edge. Keys are bounded: the oldest are dropped once they are idle, and when none is idle
 * the map stops growing by forgetting its oldest key, which errs on the side of serving.
 */
export class RateLimiter {
  readonly #arrivals = new Map<string, number>();
  readonly #clock: Clock;
  readonly #keysMax: number;

  constructor(clock: Clock, keysMax = RATE_KEYS_MAX) {
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  /** Takes one call from the rate's allowance for the key, or says when to come back. */
  take(key: string, rate: Rate, cost = 1): RateVerdict {
    return this.#judge(key, rate, cost, true);
  }

  /** What `take` would say of `cost` calls, without taking them. */
  peek(key: string, rate: Rate, cost = 0): RateVerdict {
    return this.#judge(key, rate, cost, false);
  }

  /** Milliseconds until the whole burst of a key is available again: the key's state, free of any clock. */
  resetMs(key: string): number {
    return Math.max(0, (this.#arrivals.get(key) ?? 0) - this.#clock.now());
  }

  /** Learns from another counter of the same key how far it is. The one that is further on wins. */
  learn(key: string, resetMs: number): void {
    const now = this.#clock.now();
    const known = this.#arrivals.get(key);
    if (resetMs <= 0 || (known ?? 0) - now >= resetMs) return;
    if (known === undefined) this.#makeRoom(now);
    this.#arrivals.set(key, now + resetMs);
  }

  /** Keys whose burst isn't wholly available. */
  *busy(): Generator<string> {
    const now = this.#clock.now();
    for (const [key, arrival] of this.#arrivals) if (arrival > now) yield key;
  }

  #judge(key: string, rate: Rate, cost: number, commit: boolean): RateVerdict {
    const now = this.#clock.now();
    const interval = rate.periodMs / rate.count;
    const tolerance = interval * (rate.burst ?? rate.count);
    const known = this.#arrivals.get(key);
    const arrival = known === undefined || known < now ? now : known;
    const next = arrival + interval * cost;
    const slack = now + tolerance - next;
    // A millisecond fraction lost to floating point must not refuse the last call of a burst.
    if (slack < -1e-6) {
      const open = tolerance - (arrival - now);
      return {
        allowed: false,
        remaining: Math.max(0, Math.floor(open / interval + 1e-9)),
        retryAfterMs: Math.ceil(-slack),
        resetMs: Math.ceil(arrival - now),
      };
    }
    if (commit) {
      if (known === undefined) this.#makeRoom(now);
      this.#arrivals.set(key, next);
    }
    return {
      allowed: true,
      remaining: Math.max(0, Math.floor(slack / interval + 1e-9)),
      retryAfterMs: 0,
      resetMs: Math.ceil(next - now),
    };
  }

  #makeRoom(now: number): void {
    if (this.#arrivals.size < this.#keysMax) return;
    let looked = 0;
    for (const [key, arrival] of this.#arrivals) {
      if (arrival <= now || looked === SWEEP_KEYS) this.#arrivals.delete(key);
      if (++looked > SWEEP_KEYS) break;
    }
  }
}

/** Calls in flight per key. */
export class ConcurrencyLimiter {
  readonly #inFlight = new Map<string, number>();

  /** Takes a place, or returns false when `max` are taken. Give it back with `leave`. */
  enter(key: string, max: number): boolean {
    const count = this.#inFlight.get(key) ?? 0;
    if (count >= max) return false;
    this.#inFlight.set(key, count + 1);
    return true;
  }

  leave(key: string): void {
    const count = this.#inFlight.get(key) ?? 0;
    if (count <= 1) this.#inFlight.delete(key);
    else this.#inFlight.set(key, count - 1);
  }

  count(key: string): number {
    return this.#inFlight.get(key) ?? 0;
  }
}
