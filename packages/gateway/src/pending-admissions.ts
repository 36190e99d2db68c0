import type { LimitCheck, LimitPlace } from './limit-counters.ts';

export interface PendingAdmission {
  readonly id: number;
  readonly checks: readonly LimitCheck[];
  readonly resolve: (place: LimitPlace) => void;
  readonly since: number;
}

/**
 * Calls that wait for a verdict of counters elsewhere, at most `waitMsMax`. One timer serves them all: they end in the
 * order in which they came.
 */
export class PendingAdmissions {
  readonly #waiting = new Map<number, PendingAdmission>();
  readonly #waitMsMax: number;
  readonly #onLate: (late: PendingAdmission) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(waitMsMax: number, onLate: (late: PendingAdmission) => void) {
    this.#waitMsMax = waitMsMax;
    this.#onLate = onLate;
  }

  add(id: number, checks: readonly LimitCheck[]): Promise<LimitPlace> {
    return new Promise((resolve) => {
      this.#waiting.set(id, { id, checks, resolve, since: performance.now() });
      if (this.#timer === undefined) this.#timer = setTimeout(() => this.#sweep(), this.#waitMsMax);
    });
  }

  /** Takes a call out; undefined when it waited too long. */
  take(id: number): PendingAdmission | undefined {
    const pending = this.#waiting.get(id);
    if (pending) this.#waiting.delete(id);
    return pending;
  }

  /** Every call that still waits, in order. */
  all(): PendingAdmission[] {
    return [...this.#waiting.values()];
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const pending of this.#waiting.values()) {
      const left = pending.since + this.#waitMsMax - now;
      if (left > 0) {
        this.#timer = setTimeout(() => this.#sweep(), left);
        return;
      }
      this.#waiting.delete(pending.id);
      this.#onLate(pending);
    }
  }
}
