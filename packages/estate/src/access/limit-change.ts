import type { LimitEntry } from '@cordon/policy';
import type { Replay, ReplayChange } from './replay.ts';

/** A recorded call as limits see it. */
export interface LimitCall {
  readonly integrationId: string;
  readonly appId: string;
  readonly operationId: string;
  readonly address: string;
  /** Why it was refused; empty: it wasn't. */
  readonly reason: string;
  /** When it came, milliseconds; calls are given in this order. */
  readonly at: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly records: number;
}

/** Decides calls one after the other as a gateway's counters would; null: the call goes on. */
export type LimitDecider = (
  call: LimitCall,
) => { readonly limit: Pick<LimitEntry, 'name'>; readonly kind: 'rate' | 'concurrency' | 'quota' } | null;

/** Refused by a limit, or by what comes behind limits in the gateway's pipeline. */
const PAST_POLICIES =
  /^$|^gateway\.(?:rate_limited|concurrency_limited|quota_exceeded|body_|encoding_|request_invalid|request_blocked|injection_|approval_|nonce_|credential_|vendor_|upstream_|response_|client_gone|spool_full)/;
const LIMITED = /^gateway\.(?:rate_limited|concurrency_limited|quota_exceeded)$/;

const WORDS = {
  rate: 'comes too fast',
  concurrency: 'comes while too many are in flight',
  quota: 'comes when the day’s quota is used up',
} as const;

type Mutable = { -readonly [Key in keyof ReplayChange]: ReplayChange[Key] };

/**
 * Counts recorded calls again, by the limits as they are and as they would be, each from empty counters. Calls that
 * were refused before limits were asked take nothing from a limit, as at the gateway.
 */
export function replayLimits(calls: Iterable<LimitCall>, was: LimitDecider, is: LimitDecider): Replay {
  const changes = new Map<string, Mutable>();
  let [counted, left, wouldBreak, wouldOpen, changedSince] = [0, 0, 0, 0, 0];
  const because = new Set<string>();
  for (const call of calls) {
    if (!PAST_POLICIES.test(call.reason)) {
      left += 1;
      because.add(`refused before limits were asked: ${call.reason}`);
      continue;
    }
    counted += 1;
    const [then, later] = [was(call), is(call)];
    if ((then === null) === LIMITED.test(call.reason)) changedSince += 1;
    if ((then === null) === (later === null)) continue;
    const effect = later ? 'break' : 'open';
    if (effect === 'break') wouldBreak += 1;
    else wouldOpen += 1;
    const said = later ?? then!; // one of them isn't null
    const explanation =
      effect === 'break'
        ? `The limit "${said.limit.name}" would refuse it: it ${WORDS[said.kind]}.`
        : `The limit "${said.limit.name}" would refuse it no more.`;
    const { integrationId, appId, operationId: operation, at } = call;
    const key = JSON.stringify([integrationId, appId, operation, explanation]);
    const known = changes.get(key);
    if (known) {
      known.calls += 1;
      known.lastAt = at;
    } else {
      const first = {
        integrationId,
        appId,
        operation,
        effect,
        by: 'limit',
        calls: 1,
        firstAt: at,
        lastAt: at,
      } as const;
      changes.set(key, { ...first, explanation });
    }
  }
  return {
    calls: counted,
    left,
    leftBecause: [...because],
    wouldBreak,
    wouldOpen,
    changedSince,
    changes: [...changes.values()].sort((a, b) => b.calls - a.calls),
  };
}
