import type { Clock } from '@cordon/kernel';
import type { AppEntry } from '@cordon/policy';
import type { Admission, LimitCheck, LimitCounters } from '../limit-counters.ts';
import type { BudgetNote } from './budget-note.ts';
import { parseRetryAfter, parseVendorLimit, type VendorLimit } from './vendor-limit.ts';

/** Two answers of one window may tell its end a little differently. */
const SAME_WINDOW_MS = 2_000;
/** An integration that hasn't called for so long has no share kept. */
const ACTIVE_MS = 900_000;
const TELL_EVERY_MS = 250;
const KEYS_MAX = 10_000;
const PAUSED_STATUS = new Set([429, 503]);

/** Who calls what; `owner` is whose credential is used: each has a limit of its own at the vendor. */
export interface BudgetCall {
  readonly app: AppEntry;
  readonly owner: string;
  readonly operation: string;
  readonly integrationId: string;
}

export interface VendorRefusal {
  readonly retryAt: number;
  readonly why: 'exhausted' | 'share' | 'paused';
}

interface Budget {
  limit: number;
  remaining: number;
  resetAt: number;
  toldAt: number;
  readonly seen: Map<string, number>;
}

export interface BudgetState {
  readonly appId: string;
  readonly bucket: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
  readonly shared: boolean;
}

/**
 * A vendor's own rate limit, divided between the integrations that share it. While plenty is left nobody is held back;
 * from the reserve on, each integration has its weighted part, counted wherever limits are counted, and one more part
 * is kept for an integration that hasn't called yet.
 */
export class VendorBudgets {
  readonly #clock: Clock;
  readonly #counters: LimitCounters;
  readonly #budgets = new Map<string, Budget>();
  /** Which of the vendor's limits an operation counts against, as its last answer told. */
  readonly #bucketOf = new Map<string, string>();
  readonly #pausedUntil = new Map<string, number>();

  constructor(clock: Clock, counters: LimitCounters) {
    this.#clock = clock;
    this.#counters = counters;
    counters.onNote((note) => this.#hear(note));
  }

  /** Why a call must wait; undefined when it may go on, which counts it. */
  check(call: BudgetCall): VendorRefusal | undefined | Promise<VendorRefusal | undefined> {
    if (call.app.sharing.mode === 'off' || this.#budgets.size + this.#pausedUntil.size === 0) return undefined;
    const now = this.#clock.now();
    const place = operationKey(call);
    const paused = this.#pausedUntil.get(place);
    if (paused !== undefined) {
      if (paused > now) return { retryAt: paused, why: 'paused' };
      this.#pausedUntil.delete(place);
    }
    const key = budgetKey(call, this.#bucketOf.get(place) ?? '');
    const budget = this.#budgets.get(key);
    if (!budget) return undefined;
    if (budget.resetAt <= now) {
      this.#budgets.delete(key);
      return undefined;
    }
    budget.seen.set(call.integrationId, now);
    const { resetAt } = budget;
    if (budget.remaining === 0) return { retryAt: resetAt, why: 'exhausted' };
    if (!isLow(budget, call.app)) return undefined;
    const check: LimitCheck = {
      key: `vendor|${key}|${resetAt}|${call.integrationId}`,
      rate: null,
      concurrency: null,
      callsPerDay: shareOf(budget, call, now),
      bytesPerDay: null,
    };
    const place1 = this.#counters.admit([check]);
    const judge = (admission: Admission): VendorRefusal | undefined =>
      admission.refused ? { retryAt: resetAt, why: 'share' } : undefined;
    return place1 instanceof Promise ? place1.then(({ admission }) => judge(admission)) : judge(place1.admission);
  }

  /** Learns from the fields of an answer. */
  learn(call: BudgetCall, status: number, headers: readonly string[]): void {
    if (call.app.sharing.mode === 'off') return;
    const now = this.#clock.now();
    const found = parseVendorLimit(headers, now);
    if (found) this.#know(call, found, now);
    if (!PAUSED_STATUS.has(status)) return;
    const retryAt = parseRetryAfter(headers, now);
    // A 503 pauses too, but only when the vendor says for how long.
    if (retryAt === undefined || retryAt <= now) return;
    if (this.#pausedUntil.size >= KEYS_MAX) this.#pausedUntil.clear();
    this.#pausedUntil.set(operationKey(call), retryAt);
    this.#counters.tell({ key: operationKey(call), limit: 0, remaining: 0, resetAt: retryAt, seen: [] });
  }

  #know(call: BudgetCall, found: VendorLimit, now: number): void {
    const key = budgetKey(call, found.bucket);
    if (this.#bucketOf.size >= KEYS_MAX) this.#bucketOf.clear();
    this.#bucketOf.set(operationKey(call), found.bucket);
    const budget = this.#merge(key, found);
    budget.seen.set(call.integrationId, now);
    if (!isLow(budget, call.app) || now - budget.toldAt < TELL_EVERY_MS) return;
    budget.toldAt = now;
    const { limit, remaining, resetAt, seen } = budget;
    this.#counters.tell({ key, limit, remaining, resetAt, seen: [...seen.keys()] });
  }

  #merge(key: string, { limit, remaining, resetAt }: Omit<VendorLimit, 'bucket'>): Budget {
    const known = this.#budgets.get(key);
    if (!known || resetAt > known.resetAt + SAME_WINDOW_MS) {
      if (this.#budgets.size >= KEYS_MAX) this.#budgets.clear();
      const budget = { limit, remaining, resetAt, toldAt: 0, seen: known?.seen ?? new Map<string, number>() };
      this.#budgets.set(key, budget);
      return budget;
    }
    // Answers overtake each other; and all processes have to name the window alike.
    known.limit = limit;
    if (resetAt >= known.resetAt - SAME_WINDOW_MS) {
      known.remaining = Math.min(known.remaining, remaining);
      known.resetAt = Math.min(known.resetAt, resetAt);
    }
    return known;
  }

  /** What another process has learned. */
  #hear(note: BudgetNote): void {
    const now = this.#clock.now();
    if (note.resetAt <= now) return;
    if (note.limit === 0) {
      this.#pausedUntil.set(note.key, Math.max(this.#pausedUntil.get(note.key) ?? 0, note.resetAt));
      return;
    }
    const budget = this.#merge(note.key, note);
    for (const id of note.seen) budget.seen.set(id, now);
  }

  states(): BudgetState[] {
    const now = this.#clock.now();
    return [...this.#budgets]
      .filter(([, budget]) => budget.resetAt > now)
      .map(([key, { limit, remaining, resetAt, seen }]) => {
        const [appId = '', , bucket = ''] = key.split('|');
        return { appId, bucket, limit, remaining, resetAt, shared: seen.size > 1 };
      });
  }
}

const operationKey = ({ app, owner, operation }: BudgetCall): string => `${app.id}|${owner}|op:${operation}`;
const budgetKey = ({ app, owner }: BudgetCall, bucket: string): string => `${app.id}|${owner}|${bucket}`;

const reserveOf = ({ limit }: Budget, { sharing }: AppEntry): number =>
  Math.max(1, Math.floor((limit * sharing.reservePercent) / 100));

function isLow(budget: Budget, app: AppEntry): boolean {
  return budget.remaining <= reserveOf(budget, app);
}

/** An integration's part of the reserve: at least one call. */
function shareOf(budget: Budget, { app, integrationId }: BudgetCall, now: number): number {
  const { weights } = app.sharing;
  let sum = 1;
  for (const [id, at] of budget.seen) {
    if (now - at > ACTIVE_MS) budget.seen.delete(id);
    else sum += weights[id] ?? 1;
  }
  return Math.max(1, Math.floor((reserveOf(budget, app) * (weights[integrationId] ?? 1)) / sum));
}
