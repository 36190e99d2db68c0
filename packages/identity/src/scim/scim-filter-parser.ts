import { ScimRefused } from './scim-error.ts';

/** An attribute as a client names it: `userName`, `name.familyName`, `urn:…:User:manager.value`. */
export interface AttributePath {
  readonly urn: string | null;
  readonly name: string;
  readonly sub: string | null;
}

export const COMPARISONS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof COMPARISONS)[number];
export type FilterValue = string | number | boolean | null;

/** RFC 7644, section 3.4.2.2. */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly op: 'not'; readonly filter: Filter }
  | { readonly op: 'pr'; readonly path: AttributePath }
  | { readonly op: 'has'; readonly path: AttributePath; readonly filter: Filter }
  | { readonly op: Comparison; readonly path: AttributePath; readonly value: FilterValue };

export const FILTER_CHARS_MAX = 4_000;
const DEPTH_MAX = 20;
const TERMS_MAX = 100;

const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y;

export interface Token {
  readonly kind: 'sign' | 'string' | 'word';
  readonly text: string;
  readonly end: number;
}

function invalid(detail: string): ScimRefused {
  return new ScimRefused(400, detail, 'invalidFilter');
}

/** Splits a filter into words, strings and brackets; each knows where it ends, for the rest of a PATCH path. */
export function tokenise(text: string): Token[] {
  if (text.length > FILTER_CHARS_MAX) throw invalid(`A filter has at most ${FILTER_CHARS_MAX} characters.`);
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (!match) throw invalid('The filter has a text without its closing quote.');
    const [, sign, string, word = ''] = match;
    const kind = sign ? 'sign' : string ? 'string' : 'word';
    tokens.push({ kind, text: sign ?? string ?? word, end: TOKEN.lastIndex });
  }
  return tokens;
}

const NAME = /^(?:\$ref|[A-Za-z][\w-]*)$/;

/** Parses an attribute name. A URN may hold dots (`…:2.0:User`), so what follows its last colon is the attribute. */
export function parseAttributePath(text: string): AttributePath | null {
  const colon = /^urn:/i.test(text) ? text.lastIndexOf(':') : -1;
  const urn = colon < 0 ? null : text.slice(0, colon);
  const [name = '', sub = null, ...rest] = text.slice(colon + 1).split('.');
  if (!NAME.test(name) || (sub !== null && !NAME.test(sub)) || rest.length > 0) return null;
  return { urn, name, sub };
}

/** Recursive descent over the grammar; `and` binds tighter than `or`, and depth and length are bounded. */
export class FilterParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #terms = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** How many tokens were used. */
  get position(): number {
    return this.#at;
  }

  parseOr(depth: number): Filter {
    let left = this.#parseAnd(depth);
    while (this.#takeWord('or')) left = { op: 'or', left, right: this.#parseAnd(depth) };
    return left;
  }

  take(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #parseAnd(depth: number): Filter {
    let left = this.#parseTerm(depth);
    while (this.#takeWord('and')) left = { op: 'and', left, right: this.#parseTerm(depth) };
    return left;
  }

  #parseTerm(depth: number): Filter {
    this.#terms += 1;
    if (depth > DEPTH_MAX || this.#terms > TERMS_MAX) throw invalid('The filter is too complex.');
    if (this.#takeWord('not')) {
      if (!this.take('(')) throw invalid('After not comes a bracket.');
      return { op: 'not', filter: this.#parseGroup(depth) };
    }
    if (this.take('(')) return this.#parseGroup(depth);
    return this.#parseComparison(depth);
  }

  #parseGroup(depth: number): Filter {
    const filter = this.parseOr(depth + 1);
    if (!this.take(')')) throw invalid('A bracket is not closed.');
    return filter;
  }

  #parseComparison(depth: number): Filter {
    const token = this.#tokens[this.#at];
    const path = token?.kind === 'word' ? parseAttributePath(token.text) : null;
    if (!path) throw invalid(`An attribute was expected${token ? ` instead of ${token.text}` : ''}.`);
    this.#at += 1;
    if (this.take('[')) {
      const filter = this.parseOr(depth + 1);
      if (!this.take(']')) throw invalid('A bracket is not closed.');
      return { op: 'has', path, filter };
    }
    if (this.#takeWord('pr')) return { op: 'pr', path };
    const op = COMPARISONS.find((one) => this.#takeWord(one));
    if (!op) throw invalid(`After ${path.name} comes one of: pr, ${COMPARISONS.join(', ')}.`);
    return { op, path, value: this.#parseValue() };
  }

  /** JSON without objects and lists; a word without quotes is none of it (RFC 7644, section 3.4.2.2). */
  #parseValue(): FilterValue {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token && token.kind !== 'sign') {
      const literal = /^(?:true|false|null)$/i.test(token.text) ? token.text.toLowerCase() : token.text;
      try {
        const value: unknown = JSON.parse(literal);
        if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as FilterValue; // just checked
      } catch {
        // Not JSON: told below.
      }
    }
    throw invalid('A value is a text in double quotes, a number, true, false or null.');
  }
}

/** Parses a whole filter, or throws `invalidFilter`. */
export function parseFilter(text: string): Filter {
  const parser = new FilterParser(tokenise(text));
  const filter = parser.parseOr(0);
  if (!parser.done) throw invalid('The filter goes on after its end.');
  return filter;
}
