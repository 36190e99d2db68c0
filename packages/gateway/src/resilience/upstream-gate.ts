import type { Clock } from '@cordon/kernel';
import type { AppEntry } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { RetryBudget } from './retry-budget.ts';

const OPENED = 'cordon_gateway_breaker_opened_total';
const GATES_MAX = 2_000;

function busy(app: string): Refusal {
  return new Refusal(
    'gateway.upstream_busy',
    `As many calls to ${app} are under way as the gateway makes at a time. Try again in a moment.`,
    { headers: [['Retry-After', '1']] },
  );
}

interface Waiting {
  readonly resolve: () => void;
  readonly late: NodeJS.Timeout;
}

/** One upstream host of one app: who may call it now, and how it has fared. */
export class UpstreamGate {
  readonly appId: string;
  readonly origin: string;
  readonly breaker = new CircuitBreaker();
  readonly retries = new RetryBudget();
  readonly #waiting = new Set<Waiting>();
  #inFlight = 0;

  constructor(appId: string, origin: string) {
    this.appId = appId;
    this.origin = origin;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a place, waiting for one only if the app has a queue.
   *
   * @throws {Refusal} `gateway.upstream_busy`
   */
  enter(entry: AppEntry, connectionsMax: number): void | Promise<void> {
    const { concurrencyMax, queueMax, queueMs } = entry.resilience;
    if (this.#inFlight < Math.min(concurrencyMax, connectionsMax)) {
      this.#inFlight += 1;
      return undefined;
    }
    if (this.#waiting.size >= queueMax) throw busy(entry.name);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = {
      resolve,
      late: setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(busy(entry.name));
      }, queueMs),
    };
    this.#waiting.add(waiting);
    return promise;
  }

  /** Gives a place back: to whoever waits longest, if anybody does. */
  leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#inFlight -= 1;
      return;
    }
    this.#waiting.delete(next);
    clearTimeout(next.late);
    next.resolve();
  }

  /**
   * Asks the breaker for one try.
   *
   * @throws {Refusal} `gateway.upstream_suspended`
   */
  admit(entry: AppEntry, now: number): void {
    const wait = this.breaker.admit(entry.resilience.breaker, now);
    if (wait === 0) return;
    const seconds = Math.max(1, Math.ceil(wait / 1000));
    throw new Refusal(
      'gateway.upstream_suspended',
      `The upstream of ${entry.name} has been failing; it is left alone for ${seconds} s.`,
      { detail: { retry_after_seconds: seconds }, headers: [['Retry-After', String(seconds)]] },
    );
  }
}

/** What of an upstream a gateway reports to control. */
export interface UpstreamState {
  readonly appId: string;
  readonly origin: string;
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly queued: number;
}

/** The gates of one gateway process. */
export class UpstreamGates {
  readonly #gates = new Map<string, UpstreamGate>();
  readonly #clock: Clock;
  readonly #metrics: Metrics;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
    metrics.gauge('cordon_gateway_breakers_open', 'Upstreams that are left alone', () => this.#count('open'));
    metrics.gauge('cordon_gateway_upstream_in_flight', 'Calls under way to upstreams', () => {
      let sum = 0;
      for (const gate of this.#gates.values()) sum += gate.inFlight;
      return sum;
    });
  }

  of(appId: string, origin: string): UpstreamGate {
    const key = `${appId} ${origin}`;
    let gate = this.#gates.get(key);
    if (!gate) {
      if (this.#gates.size >= GATES_MAX) this.#sweep();
      this.#gates.set(key, (gate = new UpstreamGate(appId, origin)));
    }
    return gate;
  }

  noteOpened(): void {
    this.#metrics.count(OPENED);
  }

  states(): UpstreamState[] {
    const now = this.#clock.now();
    return Array.from(this.#gates.values(), (gate) => ({
      appId: gate.appId,
      origin: gate.origin,
      breaker: gate.breaker.state(now),
      inFlight: gate.inFlight,
      queued: gate.queued,
    }));
  }

  #count(state: BreakerState): number {
    return this.states().filter(({ breaker }) => breaker === state).length;
  }

  /** Hosts that nobody calls and that aren't left alone needn't be remembered. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [key, gate] of this.#gates) {
      if (gate.inFlight === 0 && gate.breaker.state(now) === 'closed') this.#gates.delete(key);
    }
  }
}
