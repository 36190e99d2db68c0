import type { LimitEntry } from '@cordon/policy';
import { type HeaderList, Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { RateVerdict } from '../rate-limiter.ts';

function counterKey(limit: LimitEntry, exchange: Exchange): string {
  let key = limit.id;
  for (const part of limit.countBy) {
    switch (part) {
      case 'integration':
        key += `|i${exchange.caller.integration.id}`;
        break;
      case 'app':
        key += `|a${exchange.app.entry.id}`;
        break;
      case 'operation':
        key += `|o${exchange.operation!.id}`; // the operation step refused the call otherwise
        break;
      case 'address':
        key += `|s${exchange.sourceAddress}`;
        break;
    }
  }
  return key;
}

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

function checkQuota(exchange: Exchange, limit: LimitEntry, key: string): void {
  const { quotas } = exchange.runtime;
  const { quota } = limit;
  if (!quota) return;
  const over = (what: string, max: number | null): boolean => max !== null && quotas.get(`${key}#${what}`) >= max;
  const used =
    over('calls', quota.callsPerDay) || over('bytes', quota.bytesPerDay) || over('records', quota.recordsPerDay);
  if (used) {
    const seconds = quotas.secondsLeft();
    throw new Refusal(
      'gateway.quota_exceeded',
      `The daily quota "${limit.name}" is used up. It starts again at 00:00 UTC.`,
      {
        detail: { limit: limit.name, retry_after_seconds: seconds },
        headers: [['Retry-After', String(seconds)]],
      },
    );
  }
  quotas.add(`${key}#calls`, 1);
  if (quota.bytesPerDay !== null) {
    exchange.releases.push(() => quotas.add(`${key}#bytes`, exchange.requestBytes + exchange.sentBytes));
  }
}

/** Applies every limit whose scope covers the call; the tightest one is told to the client. */
export function checkLimits(exchange: Exchange): void {
  const { runtime, caller, app, operation } = exchange;
  const limits = exchange.tables!.limitsFor(caller.integration.id, app.entry.id, operation!.id); // both set by now
  let tightest: { limit: LimitEntry; verdict: RateVerdict } | undefined;
  for (const limit of limits) {
    const key = counterKey(limit, exchange);
    checkQuota(exchange, limit, key);
    if (limit.concurrency !== null) {
      if (!runtime.concurrency.enter(key, limit.concurrency)) {
        throw new Refusal(
          'gateway.concurrency_limited',
          `The limit "${limit.name}" allows ${limit.concurrency} calls at a time. Wait for one to end.`,
          { detail: { limit: limit.name }, headers: [['Retry-After', '1']] },
        );
      }
      exchange.releases.push(() => runtime.concurrency.leave(key));
    }
    if (!limit.rate) continue;
    const verdict = runtime.rates.take(key, limit.rate);
    if (!verdict.allowed) throw exhausted(limit, verdict);
    if (!tightest || verdict.remaining < tightest.verdict.remaining) tightest = { limit, verdict };
  }
  if (!tightest) return;
  const { name, policy } = constantsOf(tightest.limit);
  const { remaining, resetMs } = tightest.verdict;
  exchange.limitHeaders = [
    'RateLimit-Policy',
    policy,
    'RateLimit',
    `${name};r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  ];
}
