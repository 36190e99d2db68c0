import type { Clock } from '@cordon/kernel';
import { ProofMemory, type ProofUse } from './proof-memory.ts';
import { QuotaCounter } from './quota-counter.ts';
import type { BudgetNote } from './sharing/budget-note.ts';
import { ConcurrencyLimiter, type Rate, RateLimiter, type RateVerdict } from './rate-limiter.ts';

/** What of one limit applies to a call. Numbers are bounds; null is none. */
export interface LimitCheck {
  readonly key: string;
  readonly rate: Required<Rate> | null;
  /** Calls in flight. */
  readonly concurrency: number | null;
  /** Per UTC day. */
  readonly callsPerDay: number | null;
  readonly bytesPerDay: number | null;
}

export type LimitKind = 'rate' | 'concurrency' | 'quota';

export interface Admission {
  /** Which check refused the call, as an index, and what of it; undefined when the call may go on. */
  readonly refused: { readonly index: number; readonly kind: LimitKind } | undefined;
  /** For each check what its rate says; undefined where it has none. */
  readonly verdicts: readonly (RateVerdict | undefined)[];
}

/** A call that was let in: ends its places in concurrency limits. */
export interface LimitPlace {
  readonly admission: Admission;
  /** Safe to call once. */
  leave(): void;
}

/** Counts calls against limits: in this process, or with others. */
export interface LimitCounters {
  /** Takes one call from every check, or from none of them when one refuses. */
  admit(checks: readonly LimitCheck[]): LimitPlace | Promise<LimitPlace>;
  /** Counts bytes of a finished call against `bytesPerDay` of a key. */
  addBytes(key: string, bytes: number): void;
  /** Passes on what was learned of a vendor's limit, to whoever counts together; nothing waits for it. */
  tell(note: BudgetNote): void;
  onNote(listener: (note: BudgetNote) => void): void;
  /** Notes the use of a DPoP proof, by its name, and says whether it is the first one wherever calls are counted. */
  useProof(name: string, source: string): ProofUse | Promise<ProofUse>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const noLeave = (): void => undefined;

const bytesKey = (key: string): string => `${key}#bytes`;
const callsKey = (key: string): string => `${key}#calls`;

/** How far a key is, in a form that another process can learn from: no clock, no identity of the counter. */
export interface KeyState {
  readonly key: string;
  readonly resetMs: number;
  readonly calls: number;
  readonly bytes: number;
}

/** Counters in the memory of one process. Also what a process knows of shared counters while nobody else answers. */
export class LocalCounters implements LimitCounters {
  readonly #rates: RateLimiter;
  readonly #places = new ConcurrencyLimiter();
  readonly #quotas: QuotaCounter;
  readonly #proofs = new ProofMemory();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#rates = new RateLimiter(clock);
    this.#quotas = new QuotaCounter(clock);
  }

  admit(checks: readonly LimitCheck[]): LimitPlace {
    const admission = this.decide(checks);
    return { admission, leave: admission.refused ? noLeave : () => this.leave(checks) };
  }

  /** As `admit`; whoever calls it ends the places with `leave`. */
  decide(checks: readonly LimitCheck[]): Admission {
    const verdicts = checks.map(({ key, rate }) => (rate ? this.#rates.peek(key, rate, 1) : undefined));
    for (const [index, check] of checks.entries()) {
      const kind = this.#refuses(check, verdicts[index]);
      if (kind) return { refused: { index, kind }, verdicts };
    }
    for (const { key, rate, concurrency, callsPerDay } of checks) {
      if (rate) this.#rates.take(key, rate);
      if (concurrency !== null) this.#places.enter(key, concurrency);
      if (callsPerDay !== null) this.#quotas.add(callsKey(key), 1);
    }
    return { refused: undefined, verdicts };
  }

  #refuses(check: LimitCheck, verdict: RateVerdict | undefined): LimitKind | undefined {
    const { key, concurrency, callsPerDay, bytesPerDay } = check;
    if (callsPerDay !== null && this.#quotas.get(callsKey(key)) >= callsPerDay) return 'quota';
    if (bytesPerDay !== null && this.#quotas.get(bytesKey(key)) >= bytesPerDay) return 'quota';
    if (concurrency !== null && this.#places.count(key) >= concurrency) return 'concurrency';
    return verdict && !verdict.allowed ? 'rate' : undefined;
  }

  leave(checks: readonly LimitCheck[]): void {
    for (const { key, concurrency } of checks) if (concurrency !== null) this.#places.leave(key);
  }

  /** Places of calls that someone else let in: they are held, however many there are. */
  hold(checks: readonly LimitCheck[]): void {
    for (const { key, concurrency } of checks) {
      if (concurrency !== null) this.#places.enter(key, Number.POSITIVE_INFINITY);
    }
  }

  useProof(name: string, source: string): Exclude<ProofUse, 'alone'> {
    return this.#proofs.admit(name, source, this.#clock.now());
  }

  /** Proofs that may still come again. */
  proofs(): Generator<readonly [name: string, source: string]> {
    return this.#proofs.fresh(this.#clock.now());
  }

  addBytes(key: string, bytes: number): void {
    this.#quotas.add(bytesKey(key), bytes);
  }

  state(key: string): KeyState {
    const calls = this.#quotas.get(callsKey(key));
    return { key, resetMs: this.#rates.resetMs(key), calls, bytes: this.#quotas.get(bytesKey(key)) };
  }

  /** Every key that isn't as if it had never been used. */
  states(): KeyState[] {
    const keys = new Set(this.#rates.busy());
    for (const name of this.#quotas.keys()) keys.add(name.slice(0, name.lastIndexOf('#')));
    return [...keys].map((key) => this.state(key));
  }

  learn({ key, resetMs, calls, bytes }: KeyState): void {
    this.#rates.learn(key, resetMs);
    if (calls > 0) this.#quotas.learn(callsKey(key), calls);
    if (bytes > 0) this.#quotas.learn(bytesKey(key), bytes);
  }

  /** Number of the UTC day that quotas count. */
  get day(): number {
    return this.#quotas.day;
  }

  tell(): void {
    /* Nobody else counts. */
  }

  onNote(): void {
    /* Nobody else tells. */
  }

  async start(): Promise<void> {
    /* Nothing to open. */
  }

  async stop(): Promise<void> {
    /* Nothing to close. */
  }
}
