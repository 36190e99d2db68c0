import type { Clock } from '@cordon/kernel';

const DAY_MS = 86_400_000;
const KEYS_MAX = 200_000;

/** Sums for each key and UTC day. In memory: they live as long as some process that shares them does. */
export class QuotaCounter {
  readonly #clock: Clock;
  readonly #used = new Map<string, number>();
  #day = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): number {
    this.#turn();
    return this.#used.get(key) ?? 0;
  }

  add(key: string, amount: number): void {
    this.#turn();
    if (!this.#used.has(key) && this.#used.size >= KEYS_MAX) return;
    this.#used.set(key, (this.#used.get(key) ?? 0) + amount);
  }

  /** Learns from another counter of the same key how far it is today. */
  learn(key: string, used: number): void {
    const known = this.get(key);
    if (used > known) this.add(key, used - known);
  }

  keys(): Iterable<string> {
    this.#turn();
    return this.#used.keys();
  }

  /** Number of the UTC day that is counted. */
  get day(): number {
    this.#turn();
    return this.#day;
  }

  #turn(): void {
    const day = Math.floor(this.#clock.now() / DAY_MS);
    if (day === this.#day) return;
    this.#day = day;
    this.#used.clear();
  }
}
