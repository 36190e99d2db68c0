/** Bits of what occurs in a text. A detector whose bits are absent needn't look. */
export const SEEN = {
  quote: 1 << 0,
  angle: 1 << 1,
  dollar: 1 << 2,
  percent: 1 << 3,
  /** `;` `|` `&` */
  separator: 1 << 4,
  open: 1 << 5,
  close: 1 << 6,
  /** Two dots in a row. */
  dots: 1 << 7,
  /** Two slashes in a row. */
  slashes: 1 << 8,
  brace: 1 << 9,
  backslash: 1 << 10,
  /** `=` `>` `!` `*` */
  operator: 1 << 11,
  /** Two dashes, slash and star, or `#`. */
  comment: 1 << 12,
  control: 1 << 13,
  high: 1 << 14,
  space: 1 << 15,
  newline: 1 << 16,
  slash: 1 << 17,
  colon: 1 << 18,
  plus: 1 << 19,
  bracket: 1 << 20,
} as const;

/** Without any of these no attack can be written; spaces, colons and single slashes alone make none. */
export const TRIGGERS =
  SEEN.quote |
  SEEN.angle |
  SEEN.dollar |
  SEEN.percent |
  SEEN.separator |
  SEEN.open |
  SEEN.close |
  SEEN.dots |
  SEEN.slashes |
  SEEN.brace |
  SEEN.backslash |
  SEEN.operator |
  SEEN.comment |
  SEEN.control |
  SEEN.newline |
  SEEN.high;

/** By character code, for codes below 256; whatever lies above is `high`. */
export const CLASS = buildTable();

function buildTable(): Uint32Array {
  const table = new Uint32Array(256);
  const set = (characters: string, bit: number): void => {
    for (const character of characters) table[character.charCodeAt(0)]! |= bit;
  };
  for (let code = 0; code < 0x20; code++) table[code] = SEEN.control;
  table[0x7f] = SEEN.control;
  for (let code = 0x80; code < 0x100; code++) table[code] = SEEN.high;
  table[0x09] = SEEN.space;
  table[0x0a] = SEEN.newline;
  table[0x0d] = SEEN.newline;
  set(' ', SEEN.space);
  set(`'"\``, SEEN.quote);
  set('<', SEEN.angle);
  set('$', SEEN.dollar);
  set('%', SEEN.percent);
  set(';|&', SEEN.separator);
  set('(', SEEN.open);
  set(')', SEEN.close);
  set('{}', SEEN.brace);
  set('[]', SEEN.bracket);
  set('\\', SEEN.backslash);
  set('=>!*', SEEN.operator);
  set('#', SEEN.comment);
  set('/', SEEN.slash);
  set(':', SEEN.colon);
  set('+', SEEN.plus);
  return table;
}

const DOT = 0x2e;
const SLASH = 0x2f;
const STAR = 0x2a;
const DASH = 0x2d;

/** The bit of two neighbouring characters that mean something only together. */
export function pairBit(before: number, code: number): number {
  if (code === before) {
    if (code === DOT) return SEEN.dots;
    if (code === SLASH) return SEEN.slashes;
    if (code === DASH) return SEEN.comment;
  }
  return code === STAR && before === SLASH ? SEEN.comment : 0;
}

/** What occurs in a text, one pass. */
export function maskOf(text: string): number {
  let mask = 0;
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    mask |= code < 256 ? CLASS[code]! : SEEN.high;
    if (code >= STAR && code <= SLASH) mask |= pairBit(before, code);
    before = code;
  }
  return mask;
}
