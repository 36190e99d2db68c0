import type { WireCall } from './wire.ts';

/** What the gateway said when it did not serve a call. */
export interface Refusal {
  readonly status: number;
  /** The gateway's own sentence, or the vendor's when the call came through. */
  readonly reason: string;
  readonly code?: string;
  readonly retryAfter?: string;
  /** `RateLimit` and its siblings, as sent. */
  readonly rateLimit?: string;
}

const RATE_LIMIT_HEADER = /^ratelimit(?:-|$)/;

/** Whether a text of the refusal, in whatever member it stands, says all of the given words. */
export function names(call: WireCall, ...words: readonly string[]): boolean {
  const text = JSON.stringify(call.problem ?? {});
  return words.every((word) => text.includes(word));
}

/** Whether the refusal says which policy decided: in its `policy` member or in its sentence. */
export function namesPolicy(call: WireCall): boolean {
  const policy = call.problem?.['policy'];
  if (Array.isArray(policy) && policy.length > 0) return true;
  return /polic(?:y|ies) ["\w]/i.test(call.problem?.detail ?? '');
}

export function refusalOf(call: WireCall): Refusal {
  const { problem, headers } = call;
  const rateLimit = Object.entries(headers)
    .filter(([name]) => RATE_LIMIT_HEADER.test(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
  const retryAfter = headers['retry-after'];
  return {
    status: call.status,
    reason: problem?.detail ?? problem?.title ?? `answered with ${call.status}`,
    ...(problem?.code === undefined ? {} : { code: problem.code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(rateLimit === '' ? {} : { rateLimit }),
  };
}

/** The last answer with this status. */
export function lastWith(calls: readonly WireCall[], status: number): WireCall | undefined {
  return calls.findLast((call) => call.status === status);
}
