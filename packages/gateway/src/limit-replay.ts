import type { LimitEntry } from '@cordon/policy';
import { type LimitKind, LocalCounters } from './limit-counters.ts';
import { limitCovers, type LimitedCall, type LimitPlan, planLimit } from './limit-plan.ts';

/** A call as it was recorded. */
export interface ReplayedCall extends LimitedCall {
  /** When it came, milliseconds; calls are given in this order. */
  readonly at: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly records: number;
}

/** What a limit would have said of a call; null: it would have gone on. */
export interface LimitRefusal {
  readonly limit: LimitEntry;
  readonly kind: LimitKind;
}

interface Running {
  readonly endsAt: number;
  readonly call: ReplayedCall;
  readonly plans: readonly LimitPlan[];
}

/** Those that end first on top. */
class EndingCalls {
  readonly #heap: Running[] = [];

  get firstEnd(): number {
    return this.#heap[0]?.endsAt ?? Number.POSITIVE_INFINITY;
  }

  add(one: Running): void {
    const heap = this.#heap;
    let at = heap.push(one) - 1;
    for (let up = (at - 1) >> 1; at > 0 && heap[up]!.endsAt > heap[at]!.endsAt; up = (at - 1) >> 1) {
      [heap[up], heap[at]] = [heap[at]!, heap[up]!];
      at = up;
    }
  }

  take(): Running | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && heap[left]!.endsAt < heap[least]!.endsAt) least = left;
      if (right < heap.length && heap[right]!.endsAt < heap[least]!.endsAt) least = right;
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

const amountOf = ({ requestBytes, responseBytes, records }: ReplayedCall, { sum }: LimitPlan): number =>
  sum === 'records' ? records : sum === 'out' ? responseBytes : requestBytes + responseBytes;

/**
 * Decides recorded calls again by these limits, with the counters that a gateway counts with, on the clock of the
 * record. Counters begin empty with the first call. A call that is refused takes no place and no bytes.
 */
export function createLimitReplay(limits: readonly LimitEntry[]): (call: ReplayedCall) => LimitRefusal | null {
  let now = 0;
  const counters = new LocalCounters({ now: () => now });
  const running = new EndingCalls();
  const covering = new Map<string, readonly LimitEntry[]>();
  const limitsOf = (call: ReplayedCall): readonly LimitEntry[] => {
    const key = `${call.integrationId} ${call.appId} ${call.operationId}`;
    let found = covering.get(key);
    if (!found) covering.set(key, (found = limits.filter((limit) => limitCovers(limit, call))));
    return found;
  };
  const endUntil = (at: number): void => {
    while (running.firstEnd <= at) {
      const one = running.take();
      if (!one) return;
      now = one.endsAt;
      counters.leave(one.plans.map(({ check }) => check));
      for (const plan of one.plans) {
        if (plan.check.bytesPerDay !== null) counters.addBytes(plan.check.key, amountOf(one.call, plan));
      }
    }
  };
  return (call) => {
    endUntil(call.at);
    now = call.at;
    const plans = limitsOf(call).flatMap((limit) => planLimit(limit, call));
    if (plans.length === 0) return null;
    const { refused } = counters.decide(plans.map(({ check }) => check));
    if (refused) return { limit: plans[refused.index]!.limit, kind: refused.kind }; // an index into the plans
    running.add({ endsAt: call.at + Math.max(0, call.durationMs), call, plans });
    return null;
  };
}
