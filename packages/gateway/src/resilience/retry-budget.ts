/** A few repeats are always allowed, so that a quiet app may repeat at all. */
const ALWAYS_PER_SECOND = 1;
const SAVED_MAX = 10;

/** How many repeats an upstream gets: a share of its calls. Without it, repeats multiply the load of a weak upstream. */
export class RetryBudget {
  #saved = SAVED_MAX;
  #at = 0;

  /** Counts a call, which earns a share of a repeat. */
  earn(percent: number): void {
    this.#saved = Math.min(SAVED_MAX, this.#saved + percent / 100);
  }

  /** Takes one repeat, if there is one. `now` in milliseconds. */
  take(now: number): boolean {
    if (this.#at > 0) this.#saved = Math.min(SAVED_MAX, this.#saved + ((now - this.#at) / 1000) * ALWAYS_PER_SECOND);
    this.#at = now;
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
