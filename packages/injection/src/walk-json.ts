import { CLASS, SEEN } from './char-mask.ts';

/** Deeper levels are read without telling their place; the validator bounds depth. */
const LEVELS_MAX = 128;

/** A string of a JSON text, before anything is copied out of it. */
export interface JsonString {
  /** Offsets of the characters between the quotes. */
  readonly start: number;
  readonly end: number;
  /** What occurs in it (`SEEN`), escapes not yet undone. */
  readonly mask: number;
}

export interface JsonVisitor {
  /** A string value; `place` gives its JSON Pointer tokens when it is called. */
  value(text: JsonString, place: JsonPlace): void;
  /** A member's name. `valueAt` is where its value begins. */
  key(text: JsonString, place: JsonPlace, valueAt: number): void;
}

/** Where the walk is: kept as offsets, made into words only for who asks. */
export class JsonPlace {
  readonly #text: string;
  /** By depth: the offsets of the current key, or -1 and the index in a list. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  depth = 0;
  isObject = false;

  constructor(text: string) {
    this.#text = text;
  }

  open(list: boolean): void {
    if (this.depth < LEVELS_MAX) {
      this.#from[this.depth] = list ? -1 : 0;
      this.#to[this.depth] = 0;
    }
    this.depth++;
    this.isObject = !list;
  }

  close(): void {
    if (this.depth > 0) this.depth--;
    this.isObject = this.depth > 0 && this.depth <= LEVELS_MAX && this.#from[this.depth - 1] !== -1;
  }

  setKey(start: number, end: number): void {
    if (this.depth === 0 || this.depth > LEVELS_MAX) return;
    this.#from[this.depth - 1] = start;
    this.#to[this.depth - 1] = end;
  }

  next(): void {
    if (this.depth > 0 && this.depth <= LEVELS_MAX && this.#from[this.depth - 1] === -1) this.#to[this.depth - 1]!++;
  }

  /** Names and indexes from the outermost on. */
  tokens(): string[] {
    const found: string[] = [];
    for (let level = 0; level < Math.min(this.depth, LEVELS_MAX); level++) {
      const from = this.#from[level]!;
      found.push(from === -1 ? String(this.#to[level]) : readString(this.#text, from, this.#to[level]!));
    }
    return found;
  }

  /** The nearest member's name: that of the list for a list's items. */
  name(): string {
    for (let level = Math.min(this.depth, LEVELS_MAX) - 1; level >= 0; level--) {
      const from = this.#from[level]!;
      if (from !== -1) return readString(this.#text, from, this.#to[level]!);
    }
    return '';
  }
}

/** The characters of a JSON string with escapes and UTF-8 undone. `text` holds one character for each byte. */
export function readString(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  let plain = true;
  for (let at = 0; at < raw.length && plain; at++) {
    const code = raw.charCodeAt(at);
    plain = code !== 0x5c && code < 0x80;
  }
  if (plain) return raw;
  const utf8 = Buffer.from(raw, 'latin1').toString('utf8');
  if (!utf8.includes('\\')) return utf8;
  try {
    return JSON.parse(`"${utf8}"`) as string; // quotes inside are escaped, or the walk would have ended there
  } catch {
    return utf8;
  }
}

/**
 * Visits every string and key of a JSON text, one pass over its bytes, objects never built. Lenient: text that isn't
 * JSON is for the validator to refuse; here it only must not hide a value.
 * @param text the body, one character for each byte (latin1)
 */
export function walkJson(text: string, visitor: JsonVisitor): void {
  const place = new JsonPlace(text);
  let wantsKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const found = scanString(text, at + 1);
        at = found.end;
        if (!wantsKey) {
          visitor.value(found, place);
          break;
        }
        place.setKey(found.start, found.end);
        wantsKey = false;
        visitor.key(found, place, valueStart(text, at + 1));
        break;
      }
      case 0x7b:
        place.open(false);
        wantsKey = true;
        break;
      case 0x5b:
        place.open(true);
        wantsKey = false;
        break;
      case 0x7d:
      case 0x5d:
        place.close();
        wantsKey = false;
        break;
      case 0x2c:
        place.next();
        wantsKey = place.isObject;
        break;
      default:
    }
  }
}

function valueStart(text: string, from: number): number {
  let at = from;
  for (
    let code = text.charCodeAt(at);
    code === 0x3a || code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
    code = text.charCodeAt(at)
  )
    at++;
  return at;
}

const BACKSLASH = SEEN.backslash;
/** The doubled signs that mean something only together, by character code. */
const PAIRS = new Map([
  [0x2e, SEEN.dots],
  [0x2f, SEEN.slashes],
  [0x2d, SEEN.comment],
]);

/** The loop that most of the time goes into: one table look-up and one comparison for each character. */
function scanString(text: string, start: number): JsonString {
  const { length } = text;
  let mask = 0;
  let before = 0;
  let at = start;
  for (; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) break;
    if (code === 0x5c) {
      mask |= BACKSLASH;
      at++;
      before = 0;
      continue;
    }
    mask |= CLASS[code & 0xff]!;
    if (code === before) mask |= PAIRS.get(code) ?? 0;
    else if (code === 0x2a && before === 0x2f) mask |= SEEN.comment;
    before = code;
  }
  return { start, end: at < length ? at : length, mask };
}
