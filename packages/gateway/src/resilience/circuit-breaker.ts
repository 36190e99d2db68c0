import type { AppEntry } from '@cordon/policy';

export type BreakerSettings = AppEntry['resilience']['breaker'];
export type BreakerState = 'closed' | 'open' | 'half-open';

const SLICES = 10;
const OPEN_MS_MAX = 60_000;

interface Slice {
  at: number;
  calls: number;
  failures: number;
}

/**
 * Stops calling an upstream that fails most of the time. Open for a while, then one call probes: its success closes the
 * breaker, its failure doubles the wait.
 */
export class CircuitBreaker {
  readonly #slices: Slice[] = [];
  #openedAt = 0;
  #openMs = 0;
  #state: BreakerState = 'closed';
  #probing = false;

  state(now: number): BreakerState {
    return this.#state === 'open' && now >= this.#openedAt + this.#openMs ? 'half-open' : this.#state;
  }

  /** Milliseconds until a call may be tried; 0: now. A caller that gets 0 must report how its call went. */
  admit(settings: BreakerSettings, now: number): number {
    if (settings.mode === 'off' || this.#state === 'closed') return 0;
    const left = this.#openedAt + this.#openMs - now;
    if (left > 0) return left;
    if (this.#probing) return Math.min(this.#openMs, 1_000);
    this.#probing = true;
    this.#state = 'half-open';
    return 0;
  }

  succeed(settings: BreakerSettings, now: number): void {
    this.#slice(settings, now).calls += 1;
    if (this.#state !== 'half-open') return;
    this.#state = 'closed';
    this.#probing = false;
    this.#openMs = 0;
    this.#slices.length = 0;
  }

  /** Returns true when this failure opened the breaker. */
  fail(settings: BreakerSettings, now: number): boolean {
    const slice = this.#slice(settings, now);
    slice.calls += 1;
    slice.failures += 1;
    if (settings.mode === 'off') return false;
    if (this.#state === 'half-open') return this.#open(Math.min(OPEN_MS_MAX, this.#openMs * 2), now);
    if (this.#state === 'open') return false;
    const { calls, failures } = this.#totals();
    if (calls < settings.callsMin || failures * 100 < calls * settings.failurePercent) return false;
    return this.#open(settings.openMs, now);
  }

  /** The call ended for a reason that says nothing about the upstream: a probe is due again. */
  forget(): void {
    this.#probing = false;
  }

  #open(openMs: number, now: number): boolean {
    this.#state = 'open';
    this.#openedAt = now;
    this.#openMs = openMs;
    this.#probing = false;
    return true;
  }

  #totals(): { calls: number; failures: number } {
    let [calls, failures] = [0, 0];
    for (const slice of this.#slices) {
      calls += slice.calls;
      failures += slice.failures;
    }
    return { calls, failures };
  }

  #slice({ windowMs }: BreakerSettings, now: number): Slice {
    const span = windowMs / SLICES;
    const at = Math.floor(now / span) * span;
    while (this.#slices.length > 0 && this.#slices[0]!.at <= now - windowMs) this.#slices.shift();
    const last = this.#slices.at(-1);
    if (last && last.at === at) return last;
    const slice = { at, calls: 0, failures: 0 };
    this.#slices.push(slice);
    return slice;
  }
}
