import { isUtf8 } from 'node:buffer';

export interface JsonLimits {
  readonly depthMax: number;
  /** Members of one object. */
  readonly membersMax: number;
  /** Values in all. */
  readonly valuesMax: number;
  /** Digits of one number. */
  readonly digitsMax: number;
}

export const JSON_LIMITS: JsonLimits = { depthMax: 64, membersMax: 10_000, valuesMax: 1_000_000, digitsMax: 64 };

export interface JsonFault {
  readonly rule:
    | 'utf8'
    | 'syntax'
    | 'depth'
    | 'members'
    | 'values'
    | 'duplicate-key'
    | 'forbidden-key'
    | 'number-range';
  /** Byte at which it was noticed. */
  readonly offset: number;
  /** JSON Pointer of the value. */
  readonly pointer: string;
  readonly message: string;
}

/** Keys that reach into a JavaScript object's prototype when copied carelessly. */
const FORBIDDEN_KEYS = new Set(['__proto__']);
const INT64_DIGITS = 19;
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);
const FEW_KEYS = 16;

/**
 * Checks JSON text (RFC 8259, strictly) for what parsers disagree on or choke on, without building objects: UTF-8,
 * syntax, depth, duplicate keys (compared unescaped), `__proto__`, numbers beyond 64-bit integers or doubles.
 * Returns the first fault, or null.
 */
export function checkJson(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): JsonFault | null {
  if (!isUtf8(bytes)) return { rule: 'utf8', offset: 0, pointer: '', message: 'body is not UTF-8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return new Scanner(text, limits).run();
}

/** A key as the text has it, up to its value: `"id": `. Only keys without escapes are told this way. */
interface Lead {
  readonly key: string;
  readonly text: string;
}

/** Longer objects are rare in lists, and remembering them costs more than it saves. */
const SHAPE_KEYS_MAX = 64;

/** One object or array that is open. */
interface Level {
  readonly keys: KeySet | null;
  key: string;
  index: number;
  /** Keys of the last object at this depth, as long as this one has had the same: they are known to differ. */
  shape: readonly Lead[] | null;
  /** How many of them it has had. */
  matched: number;
  /** Its own keys, for the next object at this depth; null when they can't serve. */
  leads: Lead[] | null;
}

class Scanner {
  /** One character for each byte: V8 reads, slices and compares such strings faster than it does buffers. */
  readonly #text: string;
  readonly #limits: JsonLimits;
  readonly #levels: Level[] = [];
  /** By depth: objects in a list mostly have the same keys in the same order. */
  readonly #shapes: (readonly Lead[] | null)[] = [];
  #at = 0;
  #values = 0;
  #fault: JsonFault | null = null;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  run(): JsonFault | null {
    this.#space();
    let wantsValue = true;
    while (this.#fault === null) {
      // After a value: go on in, or close, what is open.
      wantsValue = wantsValue ? this.#value() : this.#next();
      if (!wantsValue && this.#levels.length === 0) break;
    }
    if (this.#fault) return this.#fault;
    this.#space();
    return this.#at === this.#text.length ? null : this.#fail('syntax', 'text after the end of the document');
  }

  /** Reads one value; true when it opened something that wants a value next. */
  #value(): boolean {
    if ((this.#values += 1) > this.#limits.valuesMax)
      this.#fail('values', `more than ${this.#limits.valuesMax} values`);
    const byte = this.#text.charCodeAt(this.#at);
    switch (byte) {
      case 0x7b:
        return this.#open(new KeySet(), 0x7d);
      case 0x5b:
        return this.#open(null, 0x5d);
      case 0x22:
        this.#string();
        return false;
      case 0x74:
        return this.#word('true');
      case 0x66:
        return this.#word('false');
      case 0x6e:
        return this.#word('null');
      default:
        this.#number();
        return false;
    }
  }

  #open(keys: KeySet | null, close: number): boolean {
    if (this.#levels.length >= this.#limits.depthMax) {
      this.#fail('depth', `nests deeper than ${this.#limits.depthMax} levels`);
      return false;
    }
    this.#at += 1;
    this.#space();
    if (this.#text.charCodeAt(this.#at) === close) {
      this.#at += 1;
      return false;
    }
    const shape = keys === null ? null : (this.#shapes[this.#levels.length] ?? null);
    this.#levels.push({ keys, key: '', index: 0, shape, matched: 0, leads: shape === null ? [] : null });
    return keys === null || this.#key();
  }

  /** Between values: a comma and the next value (true), or the end of what is open (false). */
  #next(): boolean {
    this.#space();
    const level = this.#levels.at(-1);
    const byte = this.#text.charCodeAt(this.#at);
    if (level === undefined) return false;
    if (byte === 0x2c) {
      this.#at += 1;
      this.#space();
      level.index += 1;
      return level.keys === null || this.#key();
    }
    if (byte === (level.keys === null ? 0x5d : 0x7d)) {
      this.#at += 1;
      this.#levels.pop();
      if (level.keys !== null && level.shape === null) this.#shapes[this.#levels.length] = level.leads;
      return false;
    }
    this.#fail('syntax', level.keys === null ? 'expected , or ]' : 'expected , or }');
    return false;
  }

  #key(): boolean {
    const level = this.#levels.at(-1);
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== 0x22 || !level?.keys) {
      this.#fail('syntax', 'expected a key in double quotes');
      return false;
    }
    if (level.shape !== null) {
      const lead = level.shape[level.matched];
      if (lead !== undefined && this.#text.startsWith(lead.text, start)) {
        level.matched += 1;
        level.key = lead.key;
        this.#at = start + lead.text.length;
        this.#space();
        return true;
      }
      leaveShape(level, level.keys);
    }
    const plain = this.#string();
    if (this.#fault) return false;
    const raw = this.#text.slice(start + 1, this.#at - 1);
    const key = plain ? raw : unescapeKey(raw);
    level.key = key;
    if (FORBIDDEN_KEYS.has(key)) this.#fail('forbidden-key', `key ${key} is not allowed`);
    else if (!level.keys.add(key)) this.#fail('duplicate-key', 'key occurs twice');
    else if (level.keys.size > this.#limits.membersMax)
      this.#fail('members', `object has more than ${this.#limits.membersMax} members`);
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== 0x3a) this.#fail('syntax', 'expected :');
    this.#at += 1;
    this.#space();
    if (!plain || (level.leads?.length ?? 0) >= SHAPE_KEYS_MAX) level.leads = null;
    else level.leads?.push({ key, text: this.#text.slice(start, this.#at) });
    return true;
  }

  /** Moves past a string; true when it is ASCII without escapes. */
  #string(): boolean {
    const text = this.#text;
    let plain = true;
    let at = this.#at + 1;
    for (;;) {
      const code = text.charCodeAt(at); // NaN past the end
      if (code === 0x22) break;
      if (code >= 0x20 && code !== 0x5c) {
        if (code >= 0x80) plain = false;
        at += 1;
        continue;
      }
      const length = code === 0x5c ? escapeLength(text, at) : 0;
      if (length === 0) {
        this.#at = at;
        this.#fail('syntax', stringFault(code));
        return plain;
      }
      plain = false;
      at += length;
    }
    this.#at = at + 1;
    return plain;
  }

  #word(word: string): boolean {
    if (this.#text.startsWith(word, this.#at)) this.#at += word.length;
    else this.#fail('syntax', 'expected a value');
    return false;
  }

  #number(): void {
    const start = this.#at;
    let end = start;
    let digitsOnly = true;
    for (let code = this.#text.charCodeAt(end); isNumberCode(code); code = this.#text.charCodeAt(end)) {
      digitsOnly = digitsOnly && code >= 0x30 && code <= 0x39;
      end += 1;
    }
    // Almost all numbers: a few digits that can't be out of range.
    const leadingZero = this.#text.charCodeAt(start) === 0x30 && end - start > 1;
    const length = end - start;
    const usual = digitsOnly && length > 0 && length < INT64_DIGITS && length <= this.#limits.digitsMax && !leadingZero;
    if (!usual) this.#unusualNumber(this.#text.slice(start, Math.min(end, start + this.#limits.digitsMax + 1)));
    this.#at = end;
  }

  #unusualNumber(text: string): void {
    if (text.length > this.#limits.digitsMax) {
      this.#fail('number-range', `number has more than ${this.#limits.digitsMax} digits`);
    } else if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) {
      this.#fail('syntax', text === '' ? 'expected a value' : 'malformed number');
    } else if (!inRange(text)) {
      this.#fail('number-range', 'number is beyond 64-bit integers or double precision');
    }
  }

  #space(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = this.#text.charCodeAt((this.#at += 1));
  }

  #fail(rule: JsonFault['rule'], message: string): JsonFault {
    const tokens = this.#levels.map((level) => (level.keys ? level.key : String(level.index)));
    const pointer = tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    this.#fault ??= { rule, offset: this.#at, pointer, message };
    return this.#fault;
  }
}

/** The object differs from the one before it: from here on its keys are compared one by one. */
function leaveShape(level: Level, keys: KeySet): void {
  const common = level.shape?.slice(0, level.matched) ?? [];
  for (const { key } of common) keys.add(key);
  level.leads = common;
  level.shape = null;
}

/** Most objects have a handful of keys, for which a list beats a set. */
class KeySet {
  #few: string[] = [];
  #many: Set<string> | null = null;
  size = 0;

  /** False when it was there. */
  add(key: string): boolean {
    if (this.#many ? this.#many.has(key) : this.#few.includes(key)) return false;
    this.size += 1;
    if (this.#many) this.#many.add(key);
    else if (this.#few.push(key) > FEW_KEYS) this.#many = new Set(this.#few);
    return true;
  }
}

/** A key as it means, so that `\u0061` meets `a`. The scanner proved it a JSON string in UTF-8. */
function unescapeKey(raw: string): string {
  return JSON.parse(`"${Buffer.from(raw, 'latin1').toString('utf8')}"`) as string;
}

function stringFault(code: number): string {
  if (Number.isNaN(code)) return 'string does not end';
  return code === 0x5c ? 'malformed escape' : 'control character in a string';
}

function escapeLength(text: string, at: number): number {
  const next = text.charAt(at + 1);
  if (next !== 'u') return next !== '' && '"\\/bfnrt'.includes(next) ? 2 : 0;
  return /^[0-9A-Fa-f]{4}$/.test(text.slice(at + 2, at + 6)) ? 6 : 0;
}

function isNumberCode(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45
  );
}

function inRange(text: string): boolean {
  if (text.length < INT64_DIGITS && !/[eE]/.test(text)) return true;
  if (!/[.eE]/.test(text)) {
    const value = BigInt(text);
    return value >= INT64_MIN && value <= UINT64_MAX;
  }
  return Number.isFinite(Number(text));
}
