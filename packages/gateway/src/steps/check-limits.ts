import type { LimitEntry } from '@cordon/policy';
import { type HeaderList, Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { LimitKind, LimitPlace } from '../limit-counters.ts';
import { type LimitPlan, type LimitSum, planLimit } from '../limit-plan.ts';
import { isJson } from '../media-type.ts';
import type { RateVerdict } from '../rate-limiter.ts';
import { countRecords } from '../sharing/record-count.ts';

const DAY_MS = 86_400_000;

/** A name as a structured-field string (RFC 9651, section 3.3.3). */
function quoted(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}

/** draft-ietf-httpapi-ratelimit-headers-10: `q` quota, `w` window and `t` time until reset in seconds, `r` remaining. */
function rateFields(limit: LimitEntry, verdict: RateVerdict): [string, string][] {
  const { name, policy } = constantsOf(limit);
  return [
    ['RateLimit-Policy', policy],
    ['RateLimit', `${name};r=${verdict.remaining};t=${Math.ceil(verdict.resetMs / 1000)}`],
  ];
}

const constants = new WeakMap<LimitEntry, { name: string; policy: string }>();

/** What of the fields stays the same from call to call. */
function constantsOf(limit: LimitEntry): { name: string; policy: string } {
  let known = constants.get(limit);
  if (!known) {
    const name = quoted(limit.name);
    const { count, periodMs } = limit.rate ?? { count: 0, periodMs: 0 };
    constants.set(limit, (known = { name, policy: `${name};q=${count};w=${Math.ceil(periodMs / 1000)}` }));
  }
  return known;
}

function exhausted(limit: LimitEntry, verdict: RateVerdict): Refusal {
  const seconds = Math.max(1, Math.ceil(verdict.retryAfterMs / 1000));
  const headers: HeaderList = [['Retry-After', String(seconds)], ...rateFields(limit, verdict)];
  return new Refusal('gateway.rate_limited', `The limit "${limit.name}" is used up. Try again in ${seconds} s.`, {
    detail: { limit: limit.name, retry_after_seconds: seconds },
    headers,
  });
}

/** Seconds until quotas begin again: at the next 00:00 UTC. */
function secondsLeftToday(now: number): number {
  return Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
}

function refusalOf(exchange: Exchange, limit: LimitEntry, kind: LimitKind, verdict: RateVerdict | undefined): Refusal {
  const detail = { limit: limit.name };
  if (kind === 'rate' && verdict) return exhausted(limit, verdict);
  if (kind === 'quota') {
    const seconds = secondsLeftToday(exchange.runtime.clock.now());
    return new Refusal(
      'gateway.quota_exceeded',
      `The daily quota "${limit.name}" is used up. It starts again at 00:00 UTC.`,
      { detail: { ...detail, retry_after_seconds: seconds }, headers: [['Retry-After', String(seconds)]] },
    );
  }
  return new Refusal(
    'gateway.concurrency_limited',
    `The limit "${limit.name}" allows ${limit.concurrency} calls at a time. Wait for one to end.`,
    { detail, headers: [['Retry-After', '1']] },
  );
}

/** Records of an answer that was held; streams are not taken apart. */
export function recordsOf({ answer, sentStatus }: Exchange): number {
  if (!answer?.decoded || sentStatus < 200 || sentStatus >= 300) return 0;
  if (!isJson(answer.contentType)) return 1;
  const known = countedRecords.get(answer.decoded);
  if (known !== undefined) return known;
  const count = countRecords(answer.decoded);
  countedRecords.set(answer.decoded, count);
  return count;
}

/** The event and each quota ask of the same answer: it is read once. */
const countedRecords = new WeakMap<Buffer, number>();

const AMOUNTS: Readonly<Record<LimitSum, (exchange: Exchange) => number>> = {
  both: ({ requestBytes, sentBytes }) => requestBytes + sentBytes,
  out: ({ sentBytes }) => sentBytes,
  records: recordsOf,
};

function applyPlace(exchange: Exchange, checks: readonly LimitPlan[], place: LimitPlace): void {
  const { refused, verdicts } = place.admission;
  if (refused) throw refusalOf(exchange, checks[refused.index]!.limit, refused.kind, verdicts[refused.index]);
  exchange.releases.push(() => {
    place.leave();
    for (const { check, sum } of checks) {
      if (check.bytesPerDay !== null) exchange.runtime.counters.addBytes(check.key, AMOUNTS[sum](exchange));
    }
  });
  let tightest: { limit: LimitEntry; verdict: RateVerdict } | undefined;
  for (const [index, { limit }] of checks.entries()) {
    const verdict = verdicts[index];
    if (verdict && (!tightest || verdict.remaining < tightest.verdict.remaining)) tightest = { limit, verdict };
  }
  if (tightest) exchange.limitHeaders = rateFields(tightest.limit, tightest.verdict).flat();
}

/** Applies every limit whose scope covers the call; the tightest one is told to the client. */
export function checkLimits(exchange: Exchange): void | Promise<void> {
  const { runtime, caller, app, operation } = exchange;
  const of = (id: string): readonly LimitEntry[] => exchange.tables!.limitsFor(caller.integration.id, app.entry.id, id); // set by now
  // A document of several operations counts once against every limit that covers one of them.
  const further = exchange.furtherOperations.flatMap(({ id }) => of(id));
  const limits = further.length === 0 ? of(operation!.id) : [...new Set([...of(operation!.id), ...further])]; // as above
  if (limits.length === 0) return;
  const { id: integrationId } = caller.integration;
  const call = { integrationId, appId: app.entry.id, operationId: operation!.id, address: exchange.sourceAddress };
  const checks = limits.flatMap((limit) => planLimit(limit, call));
  const place = runtime.counters.admit(checks.map(({ check }) => check));
  if (!(place instanceof Promise)) return applyPlace(exchange, checks, place);
  return place.then((admitted) => applyPlace(exchange, checks, admitted));
}
