import { isIPv4, isIPv6 } from 'node:net';

const BYTES = 16;

/**
 * The 16 bytes of an address, IPv4 in its IPv4-mapped form (RFC 4291, section 2.5.5.2); null for what is none. An
 * IPv6 address that only wraps an IPv4 one reads the same as that one.
 */
export function addressBytes(text: string): Uint8Array | null {
  if (isIPv4(text)) return mapped(text);
  if (!isIPv6(text) || text.includes('%')) return null;
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  const pure = tail === undefined ? text : text.slice(0, -tail.length) + hexGroups(tail);
  const [left = '', right] = pure.split('::');
  const head = left.split(':').filter(Boolean);
  const rest = right === undefined ? [] : right.split(':').filter(Boolean);
  const groups = [...head, ...Array.from({ length: BYTES / 2 - head.length - rest.length }, () => '0'), ...rest];
  const bytes = new Uint8Array(BYTES);
  for (const [index, group] of groups.entries()) {
    const value = Number.parseInt(group, 16);
    bytes[index * 2] = value >>> 8;
    bytes[index * 2 + 1] = value & 0xff;
  }
  return bytes;
}

function mapped(text: string): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  for (const [index, part] of text.split('.').entries()) bytes[12 + index] = Number(part);
  return bytes;
}

function hexGroups(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

export function isMapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** The last four bytes as one number. */
export function lowWord(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(12);
}

/** The upper and the lower half. */
export function halves(bytes: Uint8Array): readonly [bigint, bigint] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return [view.getBigUint64(0), view.getBigUint64(8)];
}

export interface AddressBlock {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** `203.0.113.0/24`, `2001:db8::/32` or one address; null for anything else. */
export function addressBlock(text: string): AddressBlock | null {
  const [address = '', prefix, ...more] = text.trim().split('/');
  const first = addressBytes(address);
  if (!first || more.length > 0) return null;
  if (prefix === undefined) return { first, last: first };
  const width = isIPv4(address) ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > width) return null;
  const kept = BYTES * 8 - width + Number(prefix);
  const last = Uint8Array.from(first);
  for (let bit = kept; bit < BYTES * 8; bit++) {
    const mask = 0x80 >> (bit & 7);
    first[bit >> 3] = (first[bit >> 3] ?? 0) & ~mask;
    last[bit >> 3] = (last[bit >> 3] ?? 0) | mask;
  }
  return { first, last };
}

const PRIVATE = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  // For documentation (RFC 5737, RFC 3849).
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
  '::1/128',
  '::/128',
  'fc00::/7',
  'fe80::/10',
].flatMap((text) => addressBlock(text) ?? []);

/** Addresses that no database can place: private, loopback, link-local, carrier-grade NAT, documentation. */
export function isPrivate(bytes: Uint8Array): boolean {
  return PRIVATE.some(({ first, last }) => compare(bytes, first) >= 0 && compare(bytes, last) <= 0);
}

export function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
