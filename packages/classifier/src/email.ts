import { bytesOf, KINDS, OTHER } from './shapes.ts';

/** RFC 5321 section 4.5.3.1: octets of a local part and of a domain. */
const LOCAL_BYTES_MAX = 64;
const DOMAIN_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** RFC 5322 atext besides letters and digits, without those that are mostly punctuation around an address. */
const LOCAL_SIGNS = new Set(bytesOf(".!#$%&'*+-/=?^_`{|}~"));
/** Signs that an address may hold but hardly ever begins with. */
const NO_START = new Set(bytesOf("./='`|{}?&#*%^~!$"));

/** Top-level names that appear after an at sign in code and file names and are no domains. */
const NO_TLDS = new Set([
  'png',
  'jpg',
  'jpeg',
  'gif',
  'svg',
  'webp',
  'css',
  'js',
  'ts',
  'json',
  'html',
  'xml',
  'local',
  'localhost',
  'internal',
  'invalid',
]);

export interface Span {
  start: number;
  end: number;
}

/** The address around the `@` at `at`, within `[from, to)`; undefined when there is none (RFC 5321 dot-string form). */
export function emailAround(bytes: Uint8Array, at: number, from: number, to: number): Span | undefined {
  const end = domainEnd(bytes, at + 1, to);
  if (end === 0) return undefined;
  const start = localStart(bytes, at, from);
  return start === at ? undefined : { start, end };
}

function localStart(bytes: Uint8Array, at: number, from: number): number {
  const limit = Math.max(from, at - LOCAL_BYTES_MAX);
  let start = at;
  while (start > limit) {
    const byte = bytes[start - 1] ?? 0;
    if (KINDS[byte] === OTHER && !LOCAL_SIGNS.has(byte)) break;
    if (byte === DOT && bytes[start] === DOT) break;
    start--;
  }
  if (start > from && start === limit && KINDS[bytes[start - 1] ?? 0] !== OTHER) return at;
  if (bytes[at - 1] === DOT) return at;
  // `name=a@b.c`, `(a@b.c`, `'a@b.c'`: what precedes the last sign that never begins an address is no part of it.
  for (let i = at - 1; i >= start; i--) {
    const byte = bytes[i] ?? 0;
    if (
      byte === 0x3d ||
      byte === 0x27 ||
      byte === 0x60 ||
      byte === 0x2f ||
      byte === 0x7c ||
      byte === 0x3f ||
      byte === 0x26
    ) {
      start = i + 1;
      break;
    }
  }
  while (start < at && NO_START.has(bytes[start] ?? 0)) start++;
  return start;
}

function domainEnd(bytes: Uint8Array, start: number, to: number): number {
  const limit = Math.min(to, start + DOMAIN_BYTES_MAX);
  let labels = 0;
  let position = start;
  let end = 0;
  let lastLabel = 0;
  while (position < limit) {
    const labelStart = position;
    while (position < limit) {
      const byte = bytes[position] ?? 0;
      if (KINDS[byte] === OTHER && byte !== HYPHEN) break;
      position++;
    }
    const length = position - labelStart;
    if (length === 0 || length > LABEL_BYTES_MAX || bytes[labelStart] === HYPHEN) break;
    labels++;
    if (labels > 1 && bytes[position - 1] !== HYPHEN && isTopLevel(bytes, labelStart, position)) {
      end = position;
      lastLabel = labels;
    }
    if (bytes[position] !== DOT) break;
    position++;
  }
  if (end === 0 || lastLabel < 2) return 0;
  // `a@b.com_x` or `a@b.c@d`: the address goes on in a way no address does.
  const next = end < to ? bytes[end] : 0;
  return next === UNDERSCORE || next === 0x40 ? 0 : end;
}

function isTopLevel(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2) return false;
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x80) return true;
    if (byte >= 0x30 && byte <= 0x39) return isPunycode(bytes, start, end);
    if (byte === HYPHEN) return isPunycode(bytes, start, end);
    text += String.fromCharCode(byte | 0x20);
  }
  return !NO_TLDS.has(text);
}

function isPunycode(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start > 4 &&
    (bytes[start] ?? 0) === 0x78 &&
    bytes[start + 1] === 0x6e &&
    bytes[start + 2] === HYPHEN &&
    bytes[start + 3] === HYPHEN
  );
}

/** Accounts that are protocols' conventions and not anyone's address. */
const SERVICE_ADDRESSES = new Set([
  'git@github.com',
  'git@gitlab.com',
  'git@bitbucket.org',
  'hg@bitbucket.org',
  'git@ssh.dev.azure.com',
  'git@gist.github.com',
]);
/** RFC 2606 and RFC 6761 names. */
const EXAMPLE_DOMAINS = /(?:^|\.)(?:example\.(?:com|net|org|edu)|example|test|invalid|localhost)$/;

/** `service`: never reported; `example`: reserved for documentation; `noreply`: real but no person's. */
export function kindOfEmail(address: string): 'person' | 'service' | 'example' | 'noreply' {
  const lower = address.toLowerCase();
  if (SERVICE_ADDRESSES.has(lower)) return 'service';
  const domain = lower.slice(lower.indexOf('@') + 1);
  if (EXAMPLE_DOMAINS.test(domain)) return 'example';
  if (/^(?:no-?reply|do-?not-?reply|mailer-daemon)@/.test(lower) || domain === 'users.noreply.github.com')
    return 'noreply';
  return 'person';
}
