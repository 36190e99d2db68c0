import type { Clock } from '@cordon/kernel';

const DAY_MS = 86_400_000;
const KEYS_MAX = 200_000;

/** Sums for each key and UTC day. In memory: a restart of the process begins the day's count again. */
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

  /** Seconds until the day ends. */
  secondsLeft(): number {
    return Math.ceil((DAY_MS - (this.#clock.now() % DAY_MS)) / 1000);
  }

  #turn(): void {
    const day = Math.floor(this.#clock.now() / DAY_MS);
    if (day === this.#day) return;
    this.#day = day;
    this.#used.clear();
  }
}
