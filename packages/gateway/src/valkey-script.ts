import { hash } from 'node:crypto';
import type { Admission, LimitCheck, LimitKind } from './limit-counters.ts';
import type { Progress } from './counter-message.ts';
import { PROOF_KEPT_MS } from './proof-memory.ts';
import type { RateVerdict } from './rate-limiter.ts';

/** Life of a place in a concurrency limit that nobody renews: how long a gateway's death keeps it taken. */
export const PLACE_MS = 60_000;
const QUOTA_KEY_S = 2 * 86_400;
/** Proofs are looked up one by one, so they may lie in any slot. */
const PROOF_PREFIX = 'cordon:proof:';
/** One hash tag: all keys of a script have to live in one slot. */
const PREFIX = '{cordon}:limit:';

/**
 * Takes one call from every check or from none. Time is the server's, so that the clocks of gateways don't matter.
 *
 * KEYS: four for each check (rate, places, calls, bytes). ARGV: place, number of checks, life of a place in ms, life of
 * quota keys in s, then six for each check (count, period, burst, concurrency, calls, bytes; 0 is none).
 * Reply: the refusing check from 1 (0: none), why (1 rate, 2 concurrency, 3 quota), then for each check whether its rate
 * allows the call, remaining, retry and reset in ms, calls and bytes of the day.
 */
export const ADMIT_SCRIPT = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local n = tonumber(ARGV[2])
local reply = {0, 0}
local nexts = {}
for i = 0, n - 1 do
  local k, a = i * 4, 4 + i * 6
  local count, period, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local places, callsMax, bytesMax = tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
  local calls, bytes, allowed, remaining, retry, reset, why = 0, 0, 1, 0, 0, 0, 0
  if callsMax > 0 then calls = tonumber(redis.call('GET', KEYS[k + 3]) or '0') end
  if bytesMax > 0 then bytes = tonumber(redis.call('GET', KEYS[k + 4]) or '0') end
  if count > 0 then
    local interval = period / count
    local arrival = math.max(tonumber(redis.call('GET', KEYS[k + 1]) or '0'), now)
    local slack = now + interval * burst - arrival - interval
    if slack < -0.001 then
      allowed, retry, reset, why = 0, math.ceil(-slack), math.ceil(arrival - now), 1
    else
      nexts[i] = arrival + interval
      remaining, reset = math.max(0, math.floor(slack / interval + 0.000001)), math.ceil(nexts[i] - now)
    end
  end
  if places > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[k + 2], '-inf', now)
    if redis.call('ZCARD', KEYS[k + 2]) >= places then why = 2 end
  end
  if (callsMax > 0 and calls >= callsMax) or (bytesMax > 0 and bytes >= bytesMax) then why = 3 end
  if why > 0 and reply[1] == 0 then reply[1], reply[2] = i + 1, why end
  for _, value in ipairs({allowed, remaining, retry, reset, calls, bytes}) do reply[#reply + 1] = value end
end
if reply[1] > 0 then return reply end
for i = 0, n - 1 do
  local k, a = i * 4, 4 + i * 6
  if nexts[i] then
    redis.call('SET', KEYS[k + 1], string.format('%.3f', nexts[i]), 'PX', math.max(1, math.ceil(nexts[i] - now)))
  end
  if tonumber(ARGV[a + 4]) > 0 then
    redis.call('ZADD', KEYS[k + 2], now + tonumber(ARGV[3]), ARGV[1])
    redis.call('PEXPIRE', KEYS[k + 2], ARGV[3])
  end
  if tonumber(ARGV[a + 5]) > 0 then
    redis.call('INCR', KEYS[k + 3])
    redis.call('EXPIRE', KEYS[k + 3], ARGV[4])
    reply[2 + i * 6 + 5] = reply[2 + i * 6 + 5] + 1
  end
end
return reply
`;

export const ADMIT_SHA = hash('sha1', ADMIT_SCRIPT, 'hex');

export const noteKey = (key: string): string => `${PREFIX}${key}:note`;
/** Sets a proof's name for as long as the proof may come again; nothing is answered when it was there. */
export const proofCommand = (name: string): string[] => [
  'SET',
  PROOF_PREFIX + name,
  '1',
  'NX',
  'PX',
  String(PROOF_KEPT_MS),
];
export const placesKey = (key: string): string => `${PREFIX}${key}:places`;
export const bytesOfDayKey = (key: string, day: number): string => `${PREFIX}${key}:bytes:${day}`;

/** Keys and arguments of the script for one call; `day` is the number of the UTC day. */
export function admitArguments(checks: readonly LimitCheck[], place: string, day: number): string[] {
  const keys: string[] = [];
  const values: (string | number)[] = [place, checks.length, PLACE_MS, QUOTA_KEY_S];
  for (const { key, rate, concurrency, callsPerDay, bytesPerDay } of checks) {
    keys.push(`${PREFIX}${key}:rate`, placesKey(key), `${PREFIX}${key}:calls:${day}`, bytesOfDayKey(key, day));
    const { count, periodMs, burst } = rate ?? { count: 0, periodMs: 0, burst: 0 };
    values.push(count, periodMs, burst, concurrency ?? 0, callsPerDay ?? 0, bytesPerDay ?? 0);
  }
  return [String(keys.length), ...keys, ...values.map(String)];
}

const KINDS: Readonly<Record<number, LimitKind>> = { 1: 'rate', 2: 'concurrency', 3: 'quota' };
const NUMBERS_PER_CHECK = 6;

/** @throws when the server's reply isn't one of the script. */
export function parseReply(
  reply: unknown,
  checks: readonly LimitCheck[],
): { admission: Admission; states: Progress[] } {
  if (!Array.isArray(reply) || reply.length !== 2 + checks.length * NUMBERS_PER_CHECK) {
    throw new TypeError('the counter server sent no verdict');
  }
  const numbers = reply.map(Number);
  if (numbers.some((value) => !Number.isFinite(value))) throw new TypeError('the counter server sent no numbers');
  const verdicts: (RateVerdict | undefined)[] = [];
  const states: Progress[] = [];
  for (const [index, { rate }] of checks.entries()) {
    const at = 2 + index * NUMBERS_PER_CHECK;
    const [allowed = 0, remaining = 0, retryAfterMs = 0, resetMs = 0, calls = 0, bytes = 0] = numbers.slice(at);
    verdicts.push(rate ? { allowed: allowed === 1, remaining, retryAfterMs, resetMs } : undefined);
    states.push({ resetMs, calls, bytes });
  }
  const kind = KINDS[numbers[1] ?? 0];
  const refused = kind ? { index: (numbers[0] ?? 1) - 1, kind } : undefined;
  return { admission: { refused, verdicts }, states };
}
