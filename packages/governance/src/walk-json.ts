/** One value of a document, by where it is; bytes, end exclusive, quotes included. */
export interface Leaf {
  /** Names joined by dots, `[]` for any item of a list: `items[].owner.email`. Never holds a value. */
  readonly path: string;
  readonly type: 'string' | 'number' | 'boolean' | 'null';
  readonly start: number;
  readonly end: number;
}

export const DEPTH_MAX = 32;
const LEAVES_MAX = 20_000;
const PATH_CHARS_MAX = 300;
/** A name that a program gave; anything else (an id, an address, a word of a person's) may be a value used as a key. */
const NAME = /^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$/;
const DIGIT_RUN = /\d{3}|(?:\d[^\d]*){5}/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How a key is named in a path: as it is, or `*` where it could be data. */
export function pathName(key: string): string {
  return NAME.test(key) && !DIGIT_RUN.test(key) ? key : '*';
}

function isDelimiter(byte: number): boolean {
  return byte <= 0x20 || byte === 0x2c || byte === 0x5d || byte === 0x7d || byte === 0x3a;
}

function typeOf(byte: number): Leaf['type'] {
  if (byte === QUOTE) return 'string';
  if (byte === 0x74 || byte === 0x66) return 'boolean';
  return byte === 0x6e ? 'null' : 'number';
}

function join(prefix: string, name: string): string {
  const path = prefix === '' ? name : `${prefix}.${name}`;
  return path.length > PATH_CHARS_MAX ? `${prefix}.*`.slice(0, PATH_CHARS_MAX) : path;
}

/**
 * Walks JSON once, without building objects, and gives its leaves in order. It is made for documents that a parser
 * took already: a broken one ends the walk where it makes no sense. At most 20,000 leaves, 32 levels.
 */
export function* walkJson(bytes: Uint8Array): Generator<Leaf> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = text;
  const prefixes: string[] = [];
  const inList: boolean[] = [];
  let prefix = '';
  let expectKey = false;
  let name = '';
  let leaves = 0;
  const here = (): string => (inList.at(-1) === true ? prefix : name === '' ? prefix : join(prefix, name));
  for (let at = 0; at < length;) {
    const byte = text[at] ?? 0;
    if (byte === 0x7b || byte === 0x5b) {
      if (prefixes.length >= DEPTH_MAX) return;
      const below = here();
      prefixes.push(prefix);
      inList.push(byte === 0x5b);
      prefix = byte === 0x5b ? `${below}[]` : below;
      expectKey = byte === 0x7b;
      name = '';
      at += 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      if (prefixes.length === 0) return;
      prefix = prefixes.pop() ?? '';
      inList.pop();
      expectKey = false;
      at += 1;
    } else if (byte === 0x2c) {
      expectKey = inList.at(-1) === false;
      at += 1;
    } else if (byte === 0x3a || byte <= 0x20) {
      at += 1;
    } else {
      const start = at;
      at += 1;
      if (byte === QUOTE) {
        while (at < length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
        at += 1;
      } else while (at < length && !isDelimiter(text[at] ?? 0)) at += 1;
      if (at > length) return;
      if (expectKey) {
        name = pathName(text.toString('utf8', start + 1, Math.min(at - 1, start + 80)));
        expectKey = false;
      } else {
        leaves += 1;
        yield { path: here(), type: typeOf(byte), start, end: at };
        if (leaves >= LEAVES_MAX) return;
      }
    }
  }
}

/** Leaves of a form body: its fields. */
export function* walkForm(bytes: Uint8Array): Generator<Leaf> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  let start = 0;
  for (const pair of text.split('&', LEAVES_MAX)) {
    const equals = pair.indexOf('=');
    const end = start + pair.length;
    if (equals > 0) {
      const path = pathName(pair.slice(0, equals).replace(/%5B.*?%5D|\[.*?\]/gi, ''));
      yield { path, type: 'string', start: start + equals + 1, end };
    }
    start = end + 1;
  }
}
