import { isUtf8 } from 'node:buffer';
import { checkJson, JSON_LIMITS, type JsonFault, type JsonLimits } from './check-json.ts';

/** Larger bodies are checked before objects are built of them. */
const BUILD_FIRST_BYTES_MAX = 1024 * 1024;
/** Numbers so short are exact as integers and far from the ends of doubles. */
const USUAL_NUMBER_CHARS_MAX = 15;
const UNUSUAL = -1;

export type JsonReading = { readonly value: unknown } | { readonly fault: JsonFault };

/**
 * Parses JSON text and holds it to what `checkJson` holds it to. The parser of the engine is several times faster than
 * a scanner in JavaScript, so ordinary documents are judged by what it built: as many members as the text has colons
 * outside strings means that no key occurred twice. Whatever looks unusual goes to the scanner, which decides.
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): JsonReading {
  if (bytes.byteLength <= BUILD_FIRST_BYTES_MAX && isUtf8(bytes)) {
    const text = textOf(bytes);
    const value = tryParse(text);
    if (value !== undefined && isOrdinary(bytes, value, limits)) return { value };
  }
  const fault = checkJson(bytes, limits);
  return fault ? { fault } : { value: JSON.parse(textOf(bytes)) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Undefined for what isn't JSON. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOrdinary(bytes: Uint8Array, value: unknown, limits: JsonLimits): boolean {
  const colons = countColons(bytes, Math.min(limits.digitsMax, USUAL_NUMBER_CHARS_MAX));
  return colons !== UNUSUAL && new MemberCount(limits).of(value, 0) === colons;
}

/**
 * Colons outside strings of a valid document; `UNUSUAL` when a number is longer than `numberCharsMax` or has an
 * exponent. No byte of a character beyond ASCII looks like one of ASCII, so bytes will do.
 */
function countColons(bytes: Uint8Array, numberCharsMax: number): number {
  const { length } = bytes;
  let colons = 0;
  let at = 0;
  while (at < length) {
    const code = bytes[at]!;
    at += 1;
    if (code === 0x22) {
      for (let inside = bytes[at]!; inside !== 0x22; inside = bytes[at]!) at += inside === 0x5c ? 2 : 1;
      at += 1;
    } else if (code === 0x3a) {
      colons += 1;
    } else if (code <= 0x39 && code >= 0x2d && code !== 0x2f) {
      const start = at - 1;
      let digit = bytes[at];
      while (digit !== undefined && digit <= 0x39 && digit >= 0x2e) digit = bytes[++at];
      if (digit === 0x65 || digit === 0x45 || at - start > numberCharsMax) return UNUSUAL;
    }
  }
  return colons;
}

class MemberCount {
  readonly #limits: JsonLimits;
  #values = 0;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** Members of all objects in a value; `UNUSUAL` past a limit or when one has a forbidden key. `depth`: what encloses it. */
  of(value: unknown, depth: number): number {
    if (++this.#values > this.#limits.valuesMax) return UNUSUAL;
    if (typeof value !== 'object' || value === null) return 0;
    if (depth >= this.#limits.depthMax) return UNUSUAL;
    let members = 0;
    if (Array.isArray(value)) {
      for (const item of value) {
        const inside = this.of(item, depth + 1);
        if (inside === UNUSUAL) return UNUSUAL;
        members += inside;
      }
      return members;
    }
    let own = 0;
    for (const key in value) {
      if (key === '__proto__' || ++own > this.#limits.membersMax) return UNUSUAL;
      const inside = this.of((value as Record<string, unknown>)[key], depth + 1); // built by the parser, no prototype keys
      if (inside === UNUSUAL) return UNUSUAL;
      members += inside;
    }
    return members + own;
  }
}
