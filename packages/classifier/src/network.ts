import { KINDS, OTHER } from './shapes.ts';

const COLON = 0x3a;
const DOT = 0x2e;

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** Dotted quad with every part at most 255 and no leading zeros (RFC 3986 dec-octet). */
export function isIpv4(value: string): boolean {
  const parts = value.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** IPv6 in the text forms of RFC 4291 section 2.2, without zone or prefix. */
export function isIpv6(value: string): boolean {
  const halves = value.split('::');
  if (halves.length > 2 || value.length < 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    const parts = half === '' ? [] : half.split(':');
    for (const [position, part] of parts.entries()) {
      const last = index === halves.length - 1 && position === parts.length - 1;
      if (last && part.includes('.')) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups++;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

/** Loopback, unspecified, documentation and private ranges say nothing about anyone. */
export function isPublicIp(value: string): boolean {
  if (value.includes(':')) return !/^(?:::1?$|fe[89ab]|f[cd]|2001:0?db8|ff)/i.test(value);
  const [a = 0, b = 0, c = 0] = value.split('.').map(Number);
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && b === 168) return false;
  if (a === 169 && b === 254) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if ((a === 192 && b === 0 && c === 2) || (a === 198 && b === 51 && c === 100) || (a === 203 && b === 0 && c === 113))
    return false;
  return true;
}

/** Longest text form of an address, with an embedded IPv4. */
const IPV6_BYTES_MAX = 45;

/** The run of hex digits, colons and dots around the colon at `colon`. */
export function colonRun(
  bytes: Uint8Array,
  colon: number,
  from: number,
  to: number,
): { start: number; end: number } | undefined {
  let start = colon;
  while (
    start > from &&
    colon - start <= IPV6_BYTES_MAX &&
    (isHex(bytes[start - 1] ?? 0) || bytes[start - 1] === COLON)
  )
    start--;
  let end = colon;
  while (end < to && end - start <= IPV6_BYTES_MAX + 1) {
    const byte = bytes[end] ?? 0;
    if (!isHex(byte) && byte !== COLON && byte !== DOT) break;
    end++;
  }
  while (end > start && bytes[end - 1] === DOT) end--;
  if (bytes[end - 1] === COLON && bytes[end - 2] !== COLON) end--;
  if (end - start > IPV6_BYTES_MAX || end - start < 2) return undefined;
  if (start > from && KINDS[bytes[start - 1] ?? 0] !== OTHER) return undefined;
  if (end < to && KINDS[bytes[end] ?? 0] !== OTHER) return undefined;
  return { start, end };
}

/** Whether a MAC address (IEEE 802, six pairs with `:` or `-`, or three fours with `.`) begins at `start`; its end, or 0. */
export function macEnd(bytes: Uint8Array, start: number, to: number): number {
  const pairs = start + 17;
  const sign = bytes[start + 2] ?? 0;
  if (pairs <= to && (sign === COLON || sign === 0x2d)) {
    for (let i = 0; i < 17; i++) {
      const byte = bytes[start + i] ?? 0;
      if (i % 3 === 2 ? byte !== sign : !isHex(byte)) return 0;
    }
    return endsAt(bytes, pairs, to) ? pairs : 0;
  }
  const fours = start + 14;
  if (fours > to || bytes[start + 4] !== DOT || bytes[start + 9] !== DOT) return 0;
  for (let i = 0; i < 14; i++) if (i % 5 !== 4 && !isHex(bytes[start + i] ?? 0)) return 0;
  return endsAt(bytes, fours, to) ? fours : 0;
}

function endsAt(bytes: Uint8Array, end: number, to: number): boolean {
  if (end >= to) return true;
  const byte = bytes[end] ?? 0;
  return KINDS[byte] === OTHER && byte !== COLON && byte !== 0x2d;
}

/** No address of a device: all zeros or the broadcast address. */
export function isDeviceMac(value: string): boolean {
  const hex = value.replaceAll(/[^0-9a-f]/gi, '').toLowerCase();
  return hex !== '000000000000' && hex !== 'ffffffffffff';
}
