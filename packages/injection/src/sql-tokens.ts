import { COMPARISONS, FUNCTIONS, KEYWORDS, LOGIC, STATEMENTS, STRONG_FUNCTIONS } from './sql-words.ts';

/**
 * n word, 1 number, s string, v variable, E statement, U union, k keyword, f function, & logic, o comparison,
 * a arithmetic or concatenation, c comment to the end, x anything else; punctuation stands for itself.
 */
export type SqlType =
  | 'n' | '1' | 's' | 'v' | 'E' | 'U' | 'k' | 'f' | '&' | 'o' | 'a' | 'c' | 'x' | ',' | ';' | '(' | ')' | '.'; // prettier-ignore

export interface SqlToken {
  readonly type: SqlType;
  readonly start: number;
  readonly end: number;
  /** Lower case for words, empty for the rest but operators. */
  readonly word: string;
}

/** F strong function, g other function, h keyword that is a function before a bracket. */
const WORD_TYPES: ReadonlyMap<string, SqlType | 'F' | 'g' | 'h'> = buildTypes();

function buildTypes(): Map<string, SqlType | 'F' | 'g' | 'h'> {
  const types = new Map<string, SqlType | 'F' | 'g' | 'h'>();
  for (const word of KEYWORDS) types.set(word, FUNCTIONS.has(word) ? 'h' : 'k');
  for (const word of FUNCTIONS) if (!KEYWORDS.has(word)) types.set(word, 'g');
  for (const word of STRONG_FUNCTIONS) types.set(word, 'F');
  for (const word of STATEMENTS) types.set(word, 'E');
  for (const word of COMPARISONS) types.set(word, 'o');
  for (const word of LOGIC) types.set(word, '&');
  for (const word of ['union', 'intersect', 'except']) types.set(word, 'U');
  for (const word of ['div', 'mod']) types.set(word, 'a');
  return types;
}

/** An attack that needs more is not one that a value of a SaaS call carries. */
const TOKENS_MAX = 600;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isWordStart = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code >= 0x80;
const isWord = (code: number): boolean => isWordStart(code) || isDigit(code) || code === 0x24;

/**
 * Reads text as a SQL parser would that stands inside a string of `quote` (empty: outside of any). Linear: each
 * character is looked at once, look-ahead is by `indexOf` whose result is where reading goes on.
 */
export function tokenizeSql(text: string, quote: '' | "'" | '"'): SqlToken[] {
  const reader = new Reader(text);
  if (quote !== '') reader.string(0, 0, quote);
  while (reader.at < text.length && reader.tokens.length < TOKENS_MAX) reader.step();
  return reader.tokens;
}

class Reader {
  readonly tokens: SqlToken[] = [];
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #push(type: SqlType, start: number, end: number, word = ''): void {
    this.tokens.push({ type, start, end, word });
    this.at = end;
  }

  /** A string whose content begins at `from`; a doubled quote stays inside. */
  string(start: number, from: number, quote: string): void {
    let end = this.#text.indexOf(quote, from);
    while (end !== -1 && this.#text[end + 1] === quote && end > from) end = this.#text.indexOf(quote, end + 2);
    this.#push('s', start, end === -1 ? this.#text.length : end + 1, end === -1 ? 'open' : '');
  }

  step(): void {
    const text = this.#text;
    const at = this.at;
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === 0xa0 || code === 0x3000) this.at = at + 1;
    else if (isDigit(code) || (code === 0x2e && isDigit(text.charCodeAt(at + 1)))) this.#number(at);
    else if (isWordStart(code)) this.#word(at);
    else this.#sign(at, text[at]!);
  }

  #number(start: number): void {
    const text = this.#text;
    let end = start;
    if (text[start] === '0' && (text[start + 1] === 'x' || text[start + 1] === 'X')) {
      end = start + 2;
      while (/[0-9a-f]/i.test(text.charAt(end))) end++;
      return this.#push('1', start, end);
    }
    while (isDigit(text.charCodeAt(end)) || text[end] === '.') end++;
    if ((text[end] === 'e' || text[end] === 'E') && /[0-9+-]/.test(text.charAt(end + 1))) {
      end += 2;
      while (isDigit(text.charCodeAt(end))) end++;
    }
    // `1or`: a number and a word for some databases. `90s`, `3rd`: a word for people.
    let stop = end;
    while (isWord(text.charCodeAt(stop))) stop++;
    const rest = text.slice(end, stop).toLowerCase();
    const glued = rest === '' || LOGIC.has(rest) || rest === 'union' || rest === 'order' || /^(?:or|and)\d/.test(rest);
    if (glued) this.#push('1', start, end);
    else this.#push('n', start, stop, text.slice(start, stop).toLowerCase());
  }

  #word(start: number): void {
    const text = this.#text;
    let end = start + 1;
    while (isWord(text.charCodeAt(end))) end++;
    const word = text.slice(start, end).toLowerCase();
    if (isDigit(text.charCodeAt(end - 1))) {
      const glued = /^(?:or|and)(?=\d+$)/.exec(word);
      if (glued) return this.#push('&', start, start + glued[0].length, glued[0]);
    }
    this.#push(this.#typeOf(word, end), start, end, word);
  }

  #typeOf(word: string, end: number): SqlType {
    const last = this.tokens.at(-1);
    const dotted = last?.type === '.' || this.#text.charCodeAt(end) === 0x2e;
    const type = WORD_TYPES.get(word);
    if (type === undefined) return 'n';
    if (dotted) return type === 'F' ? 'f' : 'n';
    if (type !== 'F' && type !== 'g' && type !== 'h') return type;
    let next = end;
    while (this.#text.charCodeAt(next) <= 0x20) next++;
    if (this.#text.charCodeAt(next) === 0x28) return 'f';
    return type === 'h' ? 'k' : 'n';
  }

  #sign(at: number, sign: string): void {
    const text = this.#text;
    const two = text.slice(at, at + 2);
    if (sign === "'" || sign === '"' || sign === '`') return this.string(at, at + 1, sign);
    if (two === '--' || sign === '#') return this.#line(at);
    if (two === '/*') return this.#comment(at);
    // What is left of a `/*!50000 …*/`, whose content MySQL runs.
    if (two === '*/') this.at = at + 2;
    else if (two === '&&' || two === '||') this.#push(two === '&&' ? '&' : 'a', at, at + 2, two);
    else if (sign === '@') this.#variable(at);
    else if ('=<>!'.includes(sign)) this.#comparison(at);
    else if ('+-*/%|&^~'.includes(sign)) this.#push('a', at, at + 1, sign);
    else if (sign === ',' || sign === ';' || sign === '(' || sign === ')' || sign === '.') this.#push(sign, at, at + 1);
    else if (sign === '{' || sign === '}' || sign === '\\') this.at = at + 1;
    else this.#push('x', at, at + 1);
  }

  #comparison(at: number): void {
    let end = at;
    while (end < at + 3 && '=<>!'.includes(this.#text.charAt(end)) && end < this.#text.length) end++;
    this.#push('o', at, end, this.#text.slice(at, end));
  }

  #line(at: number): void {
    const end = this.#text.indexOf('\n', at);
    this.#push('c', at, end === -1 ? this.#text.length : end + 1);
  }

  #comment(at: number): void {
    const bang = this.#text[at + 2] === '!';
    if (bang) {
      this.at = at + 3;
      while (isDigit(this.#text.charCodeAt(this.at))) this.at++;
      return;
    }
    const end = this.#text.indexOf('*/', at + 2);
    if (end === -1) this.#push('c', at, this.#text.length);
    else this.at = end + 2;
  }

  #variable(at: number): void {
    let end = at + 1;
    if (this.#text[end] === '@') end++;
    const from = end;
    while (isWord(this.#text.charCodeAt(end))) end++;
    this.#push(end === from ? 'x' : 'v', at, end, this.#text.slice(at, end).toLowerCase());
  }
}
