/** RFC 8446, section 4.1.2: a ClientHello with a post-quantum key share stays below 2 KiB; nobody needs more than this. */
export const HELLO_BYTES_MAX = 16 * 1024;

export interface ClientHello {
  /** RFC 6066 server_name in lower case, or null. */
  readonly serverName: string | null;
  /** Protocols offered by ALPN (RFC 7301). */
  readonly alpn: readonly string[];
}

export type HelloReading =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD = 5;
const SERVER_NAME = 0;
const ALPN = 16;
const NAMES_MAX = 16;

/** Reads within bounds; past the end every number is NaN, which fails every comparison that lets go on. */
class Cursor {
  readonly #bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  number(size: 1 | 2 | 3): number {
    if (this.at + size > this.end) return Number.NaN;
    const value = this.#bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }

  /** A part prefixed with its length; null when it doesn't fit. */
  part(size: 1 | 2): Cursor | null {
    const length = this.number(size);
    if (Number.isNaN(length) || this.at + length > this.end) return null;
    const part = new Cursor(this.#bytes, this.at, this.at + length);
    this.at += length;
    return part;
  }

  text(): string {
    return this.#bytes.toString('latin1', this.at, this.end);
  }
}

/** Handshake bytes of the records so far; a ClientHello may be cut into several records. */
function handshake(bytes: Buffer): Buffer | 'more' | 'not-tls' {
  const parts: Buffer[] = [];
  let have = 0;
  let need = Number.POSITIVE_INFINITY;
  for (let at = 0; have < need;) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE) return 'not-tls';
    if (bytes.length < at + RECORD_HEAD) return 'more';
    if (bytes[at + 1] !== 3) return 'not-tls';
    const length = bytes.readUInt16BE(at + 3);
    const part = bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length);
    parts.push(part);
    have += part.length;
    const joined = parts.length === 1 ? part : Buffer.concat(parts);
    if (joined.length >= 1 && joined[0] !== CLIENT_HELLO) return 'not-tls';
    if (joined.length >= 4) need = 4 + joined.readUIntBE(1, 3);
    if (need > HELLO_BYTES_MAX && Number.isFinite(need)) return 'not-tls';
    if (part.length < length && have < need) return 'more';
    at += RECORD_HEAD + length;
  }
  return Buffer.concat(parts).subarray(0, need);
}

function readServerName(extension: Cursor): string | null {
  const list = extension.part(2);
  if (!list || list.number(1) !== 0) return null;
  const name = list.part(2)?.text().toLowerCase().replace(/\.$/, '') ?? '';
  return /^[a-z0-9](?:[a-z0-9._-]{0,252})$/.test(name) ? name : null;
}

function readAlpn(extension: Cursor): string[] {
  const found: string[] = [];
  const list = extension.part(2);
  if (!list) return found;
  while (list.at < list.end && found.length < NAMES_MAX) {
    const name = list.part(1)?.text();
    if (name === undefined) break;
    found.push(name.replace(/[^\x21-\x7e]/g, '?').slice(0, 64));
  }
  return found;
}

/** What a client says at the beginning of a TLS connection, from the bytes that have come so far. */
export function readClientHello(bytes: Buffer): HelloReading {
  const message = handshake(bytes);
  if (message === 'more') return bytes.length > HELLO_BYTES_MAX ? { kind: 'not-tls' } : { kind: 'more' };
  if (message === 'not-tls') return { kind: 'not-tls' };
  const cursor = new Cursor(message, 4 + 2 + 32, message.length);
  const before = [cursor.part(1), cursor.part(2), cursor.part(1)]; // session id, cipher suites, compression
  if (before.includes(null)) return { kind: 'not-tls' };
  const extensions = cursor.part(2);
  let serverName: string | null = null;
  let alpn: string[] = [];
  if (!extensions) return { kind: 'hello', hello: { serverName, alpn } };
  while (extensions.at < extensions.end) {
    const type = extensions.number(2);
    const extension = extensions.part(2);
    if (!extension) return { kind: 'not-tls' };
    if (type === SERVER_NAME) serverName = readServerName(extension);
    else if (type === ALPN) alpn = readAlpn(extension);
  }
  return { kind: 'hello', hello: { serverName, alpn } };
}
