/** Layers that are taken off one after the other; nobody nests encodings deeper by accident. */
const LAYERS_MAX = 4;
const BASE64_CHARS_MIN = 12;
const BASE64_CHARS_MAX = 8_192;
const CONFUSABLE: Readonly<Record<string, string>> = {
  '\u2018': "'", '\u2019': "'", '\u201b': "'", '\u02bc': "'", '\u02b9': "'", '\u2032': "'", '\u00b4': "'",
  '\u201c': '"', '\u201d': '"', '\u2033': '"', '\u2039': '<', '\u203a': '>', '\u2044': '/', '\u2215': '/', '\u2216': '\\',
}; // prettier-ignore

/** A text that an encoding was taken off. */
export interface Variant {
  readonly text: string;
  /** By what: `percent`, `entities`, `escapes`, `unicode`, `base64`. */
  readonly by: string;
}

const hex = (text: string): number => (/^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : -1);

/** Percent escapes as lenient servers read them: `%u002f`, overlong UTF-8 (`%c0%af`), what isn't an escape stays. */
export function decodePercent(text: string): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const mark = text.indexOf('%', at);
    if (mark === -1) break;
    out += text.slice(at, mark);
    const wide = text[mark + 1] === 'u' || text[mark + 1] === 'U' ? hex(text.slice(mark + 2, mark + 6)) : -1;
    if (wide !== -1 && mark + 6 <= text.length) {
      out += String.fromCharCode(wide);
      at = mark + 6;
      continue;
    }
    const [decoded, length] = decodeBytes(text, mark);
    out += decoded;
    at = mark + length;
  }
  return out + text.slice(at);
}

/** One character of percent-encoded UTF-8, its overlong forms included. */
function decodeBytes(text: string, mark: number): [string, number] {
  const byte = (offset: number): number =>
    text[mark + offset] === '%' && mark + offset + 3 <= text.length
      ? hex(text.slice(mark + offset + 1, mark + offset + 3))
      : -1;
  const first = byte(0);
  if (first === -1) return ['%', 1];
  if (first < 0x80) return [String.fromCharCode(first), 3];
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  let code = more === 0 ? first : first & (0x3f >> more);
  for (let index = 1; index <= more; index++) {
    const next = byte(index * 3);
    // `%c0%2f` and the like: some decoders ignore the missing mark.
    if (next === -1) return [String.fromCharCode(first), 3];
    code = (code << 6) | (next & 0x3f);
  }
  const fits = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return [fits ? String.fromCodePoint(code) : '\ufffd', 3 + more * 3];
}

const NAMED: Readonly<Record<string, string>> = {
  lt: '<', gt: '>', quot: '"', apos: "'", amp: '&', colon: ':', tab: '\t', newline: '\n', lpar: '(', rpar: ')', nbsp: ' ', sol: '/', equals: '=', bsol: '\\', grave: '`', num: '#',
}; // prettier-ignore

export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,8})|#([0-9]{1,9})|([a-z]{2,8}));?/gi,
    (whole, hexadecimal?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
      return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
    },
  );
}

/** `\u003c`, `\x3c`, `\u{3c}`, `\74`: as a script or a second JSON parser would read them. */
export function decodeEscapes(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\}|([0-7]{2,3}))/gi,
    (whole, u?: string, x?: string, braced?: string, octal?: string) => {
      const code = octal === undefined ? Number.parseInt(u ?? x ?? braced ?? '', 16) : Number.parseInt(octal, 8);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Full-width and curly look-alikes, which some databases and browsers fold to ASCII. */
export function foldUnicode(text: string): string {
  return text
    .normalize('NFKC')
    .replace(
      /[\u2018-\u201d\u2032\u2033\u2039\u203a\u2044\u2215\u2216\u02bc\u02b9\u00b4]/g,
      (sign) => CONFUSABLE[sign] ?? sign,
    );
}

/** The text inside when the whole value is Base64 of readable text, else null. */
export function decodeBase64(text: string): string | null {
  if (text.length < BASE64_CHARS_MIN || text.length > BASE64_CHARS_MAX) return null;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) return null;
  const decoded = Buffer.from(text, 'base64').toString('latin1');
  return /^[\t\n\r\x20-\x7e]+$/.test(decoded) ? decoded : null;
}

/** The text and what it says once its encodings are taken off, outermost first. */
export function variants(text: string, hasPercent: boolean, hasHigh: boolean, hasBackslash: boolean): Variant[] {
  const found: Variant[] = [];
  let current = text;
  const add = (by: string, next: string): boolean => {
    if (next === current) return false;
    current = next;
    found.push({ text: next, by });
    return true;
  };
  for (let layer = 0; layer < LAYERS_MAX; layer++) {
    const changed = [
      (hasPercent || layer > 0) && current.includes('%') && add('percent', decodePercent(current)),
      current.includes('&') && add('entities', decodeEntities(current)),
      (hasBackslash || layer > 0) && current.includes('\\') && add('escapes', decodeEscapes(current)),
      (hasHigh || layer > 0) && /[^\0-\x7f]/.test(current) && add('unicode', foldUnicode(current)),
    ];
    if (!changed.includes(true)) break;
  }
  return found;
}
