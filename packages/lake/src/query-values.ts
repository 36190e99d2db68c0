import { isIP, isIPv4 } from 'node:net';
import type { QueryValue } from './query-parser.ts';
import { refuseQuery } from './query-tokens.ts';

/** A span of time, milliseconds since the epoch: `from` inclusive, `to` exclusive. One instant is 1 ms long. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };
const RELATIVE = /^(?:now)?-(\d{1,6})([smhdw])$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?$/;

/**
 * `now`, `now-15m`, `-7d`, `today`, `yesterday`, `2026-11-22`, `2026-11-22T10:00`, `2026-11-22T10:00:00Z`, or
 * milliseconds since the epoch. Days and times without an offset are UTC.
 */
export function readTime(value: QueryValue, now: number): TimeRange {
  const text = value.text.toLowerCase();
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  if (text === 'now') return { from: now, to: now + 1 };
  if (text === 'today') return { from: today, to: today + DAY_MS };
  if (text === 'yesterday') return { from: today - DAY_MS, to: today };
  const [, amount, unit = ''] = RELATIVE.exec(text) ?? [];
  if (amount !== undefined) {
    const at = now - Number(amount) * (UNIT_MS[unit] ?? 0);
    return { from: at, to: at + 1 };
  }
  if (DAY.test(text)) {
    const from = Date.parse(`${text}T00:00:00Z`);
    if (Number.isFinite(from)) return { from, to: from + DAY_MS };
  }
  if (INSTANT.test(value.text)) {
    const zoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(value.text) ? value.text : `${value.text}Z`;
    const from = Date.parse(zoned.replace(' ', 'T'));
    if (Number.isFinite(from)) return { from, to: from + 1 };
  }
  if (/^\d{10,14}$/.test(text)) return { from: Number(text), to: Number(text) + 1 };
  throw refuseQuery(
    `"${value.text}" is no time. Write 2026-11-22, 2026-11-22T10:00, now-15m, today or yesterday.`,
    value,
  );
}

const NUMBER = /^(-?\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|kb|mb|gb)?$/i;
const FACTOR: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  kb: 1024,
  mb: 1_048_576,
  gb: 1_073_741_824,
};

/** A number, with a unit where one helps: times in milliseconds (`1.5s`), sizes in bytes (`20kb`). */
export function readNumber(value: QueryValue): number {
  const [, digits, unit] = NUMBER.exec(value.text) ?? [];
  if (digits === undefined) throw refuseQuery(`"${value.text}" is no number. Write 200, 1.5s or 20kb.`, value);
  return Number(digits) * (unit === undefined ? 1 : (FACTOR[unit.toLowerCase()] ?? 1));
}

/** Splits `a..b`; either end may be left open. Not for quoted values. */
export function splitRange(value: QueryValue): readonly [QueryValue | undefined, QueryValue | undefined] | undefined {
  const at = value.quoted ? -1 : value.text.indexOf('..');
  if (at < 0) return undefined;
  const low = { text: value.text.slice(0, at), quoted: false, start: value.start, end: value.start + at };
  const high = { text: value.text.slice(at + 2), quoted: false, start: value.start + at + 2, end: value.end };
  if (low.text === '' && high.text === '')
    throw refuseQuery('A range needs at least one end: 1..5, 1.. or ..5.', value);
  return [low.text === '' ? undefined : low, high.text === '' ? undefined : high];
}

const ADDRESS_BITS = 128n;

/** The 128 bits of an address; IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), which is how the column holds it. */
function addressBits(address: string): bigint {
  if (isIPv4(address)) {
    return address.split('.').reduce((bits, part) => bits * 256n + BigInt(part), 0xffffn);
  }
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  const pure = tail === undefined ? address : address.slice(0, -tail.length) + embeddedGroups(tail);
  const [left = '', right] = pure.split('::');
  const head = left.split(':').filter(Boolean);
  const rest = right === undefined ? [] : right.split(':').filter(Boolean);
  const groups = [...head, ...Array.from({ length: 8 - head.length - rest.length }, () => '0'), ...rest];
  return groups.reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}

function embeddedGroups(address: string): string {
  const bits = addressBits(address) & 0xffff_ffffn;
  return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
}

function addressText(bits: bigint): string {
  const hex = bits.toString(16).padStart(32, '0');
  return (hex.match(/.{4}/g) ?? []).join(':');
}

/** First and last address of `10.0.0.0/8`, `2001:db8::/32` or a single address; both as IPv6. */
export function readAddressRange(value: QueryValue): { readonly first: string; readonly last: string } | undefined {
  const [address = '', prefix, extra] = value.text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || extra !== undefined) return undefined;
  const width = version === 4 ? 32 : 128;
  const length = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(length >= 0 && length <= width)) {
    throw refuseQuery(`The prefix of ${address} must be 0 to ${width}.`, value);
  }
  const hostBits = BigInt(width - length);
  const mask = (1n << hostBits) - 1n;
  const bits = addressBits(address) & ((1n << ADDRESS_BITS) - 1n);
  return { first: addressText(bits & ~mask), last: addressText(bits | mask) };
}
