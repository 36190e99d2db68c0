import { isPredicted, type KeyCache, type KeyEntry, type KeyHint } from './keys.ts';
import { bytesOf } from './shapes.ts';
import type { StructuredScanner } from './structured.ts';
import { HAS_AT, HAS_DIGIT, HAS_MORE, HAS_UNDERSCORE, type ValueScanner } from './value-scanner.ts';

/** Deeper nesting is read as text. */
const DEPTH_MAX = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Bytes inside strings: bits for what detectors care about; from STOP on, the loop has to look. */
const STOP = 64;
const STRING_BITS: Uint8Array = (() => {
  const bits = new Uint8Array(256);
  bits.fill(HAS_DIGIT, 0x30, 0x3a);
  bits[0x40] = HAS_AT;
  bits[0x5f] = HAS_UNDERSCORE;
  for (const byte of bytesOf('?= ')) bits[byte] = HAS_MORE;
  bits[QUOTE] = STOP;
  bits[BACKSLASH] = STOP;
  return bits;
})();

const NUMBER_BYTES: Uint8Array = (() => {
  const bytes = new Uint8Array(256);
  for (const byte of bytesOf('0123456789+-.eE')) bytes[byte] = 1;
  return bytes;
})();

/**
 * Reads JSON (RFC 8259, one text or many) token by token, without building anything. It is lenient about grammar,
 * and stops where the bytes can't be JSON, so that the caller can go on reading them as text. State carries across
 * calls: what is incomplete at the end of a chunk is left to the next call.
 */
export class JsonScanner implements StructuredScanner {
  /** The bytes from the last returned offset on are not JSON. */
  broken = false;
  private readonly keys: KeyCache;
  private readonly values: ValueScanner;
  private readonly isObject = new Uint8Array(DEPTH_MAX + 1);
  private readonly names: (KeyHint | undefined)[] = [];
  private depth = 0;
  private key: KeyHint | undefined;
  private atKey = false;
  /** The name read last, which predicts the next. */
  private lastKey: KeyEntry | undefined;
  private scratch: Uint8Array = Buffer.alloc(4096);
  private map = new Int32Array(4097);
  // Results of reading a string: its end (at the closing quote), the sum of its bits, and whether it has escapes.
  private stringEnd = 0;
  private stringBits = 0;
  private stringEscaped = false;

  constructor(keys: KeyCache, values: ValueScanner, hint: KeyHint | undefined) {
    this.keys = keys;
    this.values = values;
    this.names[0] = hint;
  }

  /** Scans `[from, to)`; returns up to where it came. With `final`, an unfinished token counts as broken. */
  scan(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    let i = from;
    while (i < to) {
      const byte = bytes[i]!;
      if (byte <= 0x20 || byte === 0x3a) {
        i++;
        continue;
      }
      switch (byte) {
        case 0x2c:
          this.atKey = this.isObject[this.depth] === 1;
          i++;
          continue;
        case QUOTE:
          if (this.atKey && this.takePredicted(bytes, i + 1, to)) {
            i = this.stringEnd + 1;
            continue;
          }
          if (!this.readString(bytes, i + 1, to)) {
            this.broken = final;
            return i;
          }
          if (this.atKey) this.takeKey(bytes, i + 1);
          else this.takeString(bytes, i + 1);
          i = this.stringEnd + 1;
          continue;
        case 0x7b:
        case 0x5b:
          if (!this.enter(byte === 0x7b)) {
            this.broken = true;
            return i;
          }
          i++;
          continue;
        case 0x7d:
        case 0x5d:
          if (this.depth === 0) {
            this.broken = true;
            return i;
          }
          this.depth--;
          this.key = undefined;
          this.atKey = false;
          i++;
          continue;
        default: {
          const end = this.readBare(bytes, i, to, final);
          if (end < 0) return i;
          i = end;
        }
      }
    }
    return i;
  }

  private enter(object: boolean): boolean {
    if (this.depth === DEPTH_MAX) return false;
    // A container keeps the name it stands under; an array hands that name to its elements.
    const name = this.currentHint();
    this.depth++;
    this.isObject[this.depth] = object ? 1 : 0;
    this.names[this.depth] = name;
    this.key = undefined;
    this.atKey = object;
    return true;
  }

  private readString(bytes: Uint8Array, start: number, to: number): boolean {
    let bits = 0;
    let escaped = false;
    let i = start;
    for (;;) {
      let bit = 0;
      while (i < to && (bit = STRING_BITS[bytes[i]!]!) < STOP) {
        bits |= bit;
        i++;
      }
      if (i >= to) return false;
      if (bytes[i] === QUOTE) break;
      escaped = true;
      i += 2;
    }
    this.stringEnd = i;
    this.stringBits = bits;
    this.stringEscaped = escaped;
    return true;
  }

  /** The name that followed the last one before: one comparison instead of reading, hashing and looking up. */
  private takePredicted(bytes: Uint8Array, start: number, to: number): boolean {
    const predicted = this.lastKey?.next;
    if (predicted === undefined || !isPredicted(predicted, bytes, start, to, this.names[this.depth])) return false;
    this.stringEnd = start + predicted.name.length;
    this.key = predicted.hint;
    this.atKey = false;
    this.lastKey = predicted;
    return true;
  }

  private takeKey(bytes: Uint8Array, start: number): void {
    const end = this.stringEnd;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + bytes[i]!;
    const entry = this.keys.lookup(bytes, start, end, hash, this.names[this.depth]);
    this.key = entry.hint;
    this.atKey = false;
    // Keys may be data themselves: addresses and numbers as names of entries.
    const scanned = this.values.worthwhile(this.stringBits, end - start, undefined) && end - start <= 1024;
    if (!scanned) {
      // Only names that are looked at for nothing else may be predicted, and so passed over.
      if (this.lastKey !== undefined) this.lastKey.next = entry;
      this.lastKey = entry;
      return;
    }
    this.lastKey = undefined;
    this.values.scan(bytes, start, end, 'json-string', undefined);
  }

  private takeString(bytes: Uint8Array, start: number): void {
    const end = this.stringEnd;
    const hint = this.currentHint();
    if (!this.stringEscaped) {
      if (this.values.worthwhile(this.stringBits, end - start, hint))
        this.values.scan(bytes, start, end, 'json-string', hint, undefined, this.stringBits);
      return;
    }
    const length = this.decode(bytes, start, end);
    this.values.scan(this.scratch, 0, length, 'json-string', hint, this.map);
  }

  private currentHint(): KeyHint | undefined {
    return this.isObject[this.depth] === 1 ? this.key : this.names[this.depth];
  }

  /** A number or literal; -1 when it isn't one, or when it may go on in the next chunk. */
  private readBare(bytes: Uint8Array, start: number, to: number, final: boolean): number {
    let end = start;
    if (NUMBER_BYTES[bytes[start] ?? 0] === 1) {
      while (end < to && NUMBER_BYTES[bytes[end]!] === 1) end++;
      if (end === to && !final) return -1;
      const hint = this.currentHint();
      if (hint?.telling === true && end - start > 3) this.values.scan(bytes, start, end, 'json-number', hint);
      else if (this.depth === 0 && hint === undefined) this.values.scan(bytes, start, end, 'text', undefined);
      return end;
    }
    for (const literal of LITERALS) {
      if (literal[0] !== bytes[start]) continue;
      if (to - start < literal.length) {
        this.broken = final;
        return -1;
      }
      if (literal.every((byte, index) => bytes[start + index] === byte)) return start + literal.length;
    }
    this.broken = true;
    return -1;
  }

  /** Decodes a string's escapes into the scratch buffer, remembering where each byte came from. */
  private decode(bytes: Uint8Array, start: number, end: number): number {
    if (this.scratch.length < end - start) {
      this.scratch = Buffer.alloc((end - start) * 2);
      this.map = new Int32Array(this.scratch.length + 1);
    }
    const { scratch, map } = this;
    let out = 0;
    let i = start;
    while (i < end) {
      const byte = bytes[i]!;
      if (byte !== BACKSLASH) {
        map[out] = i++;
        scratch[out++] = byte;
        continue;
      }
      const sign = bytes[i + 1] ?? 0;
      if (sign !== 0x75) {
        map[out] = i;
        scratch[out++] = ESCAPES[sign] ?? sign;
        i += 2;
        continue;
      }
      const first = readHex(bytes, i + 2);
      const paired = first >= 0xd800 && first < 0xdc00 && bytes[i + 6] === BACKSLASH && bytes[i + 7] === 0x75;
      const code = paired ? 0x10000 + ((first - 0xd800) << 10) + (readHex(bytes, i + 8) - 0xdc00) : first;
      for (const unit of encodeUtf8(code)) {
        map[out] = i;
        scratch[out++] = unit;
      }
      i += paired ? 12 : 6;
    }
    map[out] = end;
    return out;
  }
}

const LITERALS = ['true', 'false', 'null'].map((word) => bytesOf(word));

const ESCAPES: Uint8Array = (() => {
  const escapes = new Uint8Array(256);
  for (let i = 0; i < 256; i++) escapes[i] = i;
  escapes[0x6e] = 0x0a;
  escapes[0x72] = 0x0d;
  escapes[0x74] = 0x09;
  escapes[0x62] = 0x08;
  escapes[0x66] = 0x0c;
  return escapes;
})();

function readHex(bytes: Uint8Array, start: number): number {
  let code = 0;
  for (let i = start; i < start + 4; i++) {
    const byte = bytes[i] ?? 0x30;
    code = (code << 4) | (byte <= 0x39 ? byte - 0x30 : (byte & 0x0f) + 9);
  }
  return code & 0xffff;
}

/** UTF-8 of a code point; at most four bytes, and never more than the six of the escape it came from. */
function encodeUtf8(code: number): number[] {
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 0x3f)];
  if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
  return [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
}
