import { QueryTooLarge } from './errors.ts';
import { type Operator, type QueryToken, refuseQuery, type Span, tokenize } from './query-tokens.ts';

/** A value as written: bare values may hold wildcards and ranges, quoted ones are literal. */
export type QueryValue = Span & { readonly text: string; readonly quoted: boolean };

/** The tree of a search. Every node knows where it stands, so that an error can point at it. */
export type QueryNode = Span &
  (
    | { readonly kind: 'and' | 'or'; readonly nodes: readonly QueryNode[] }
    | { readonly kind: 'not'; readonly node: QueryNode }
    | {
        readonly kind: 'compare';
        readonly field: string;
        readonly fieldSpan: Span;
        readonly operator: Operator;
        /** Several values mean: any of them. */
        readonly values: readonly QueryValue[];
      }
    | { readonly kind: 'text'; readonly value: QueryValue }
  );

export const DEPTH_MAX = 20;
export const TERMS_MAX = 200;

/**
 * Parses a search. `undefined` means: everything.
 *
 *     search  = or
 *     or      = and { "or" and }
 *     and     = not { ["and"] not }
 *     not     = ("not" | "-") not | "(" or ")" | compare | text
 *     compare = field op value | field (":" | "in") "(" value { ["," | "or"] value } ")"
 */
export function parseQuery(query: string): QueryNode | undefined {
  const tokens = tokenize(query);
  if (tokens.length === 0) return undefined;
  const parser = new Parser(tokens, query.length);
  const node = parser.or(0);
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #tokens: readonly QueryToken[];
  readonly #length: number;
  #at = 0;
  #terms = 0;

  constructor(tokens: readonly QueryToken[], length: number) {
    this.#tokens = tokens;
    this.#length = length;
  }

  #peek(ahead = 0): QueryToken | undefined {
    return this.#tokens[this.#at + ahead];
  }

  #isWord(word: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    // A quoted "or" is a text to look for; so is the name of a field.
    return token?.kind === 'text' && !token.quoted && token.text.toLowerCase() === word && !this.#isOperator(ahead + 1);
  }

  #isOperator(ahead: number): boolean {
    return this.#peek(ahead)?.kind === 'operator';
  }

  #countTerm(): void {
    if (++this.#terms > TERMS_MAX) throw new QueryTooLarge(`A search may have ${TERMS_MAX} terms and values.`);
  }

  expectEnd(): void {
    const token = this.#peek();
    if (token?.kind === 'close') throw refuseQuery('This ) closes nothing. Remove it, or add a ( before.', token);
    if (token) throw refuseQuery('This is not expected here.', token);
  }

  or(depth: number): QueryNode {
    if (depth > DEPTH_MAX) throw new QueryTooLarge(`Parentheses may be ${DEPTH_MAX} deep.`);
    const nodes = [this.#and(depth)];
    while (this.#isWord('or')) {
      this.#at++;
      nodes.push(this.#and(depth));
    }
    return join('or', nodes);
  }

  #and(depth: number): QueryNode {
    const nodes = [this.#not(depth)];
    for (;;) {
      if (this.#isWord('and')) this.#at++;
      else {
        const token = this.#peek();
        if (token === undefined || token.kind === 'close' || this.#isWord('or')) return join('and', nodes);
      }
      nodes.push(this.#not(depth));
    }
  }

  #not(depth: number): QueryNode {
    const token = this.#peek();
    if (token && (token.kind === 'minus' || this.#isWord('not'))) {
      if (depth >= DEPTH_MAX) throw new QueryTooLarge(`Negations may be ${DEPTH_MAX} deep.`);
      this.#at++;
      const node = this.#not(depth + 1);
      return { kind: 'not', node, start: token.start, end: node.end };
    }
    return this.#primary(depth);
  }

  #primary(depth: number): QueryNode {
    const token = this.#peek();
    if (token === undefined) {
      throw refuseQuery('The search ends where a term is expected. Add one, or remove the last word.', {
        start: this.#length,
        end: this.#length,
      });
    }
    if (token.kind === 'open') {
      this.#at++;
      const node = this.or(depth + 1);
      if (this.#peek()?.kind !== 'close')
        throw refuseQuery('This ( is not closed. Add a ) after its last term.', token);
      this.#at++;
      return node;
    }
    if (token.kind !== 'text') throw refuseQuery('A term is expected here: a word, "a phrase", or field:value.', token);
    if (this.#isWord('and') || this.#isWord('or')) {
      throw refuseQuery(`"${token.text}" needs a term before it. To search for the word, put it in quotes.`, token);
    }
    this.#at++;
    if (this.#peek()?.kind === 'operator' && !token.quoted) return this.#compare(token);
    if (!token.quoted && this.#isWord('in') && this.#peek(1)?.kind === 'open') {
      this.#at++;
      return this.#list(token, ':');
    }
    this.#countTerm();
    return { kind: 'text', value: token, start: token.start, end: token.end };
  }

  #compare(field: QueryToken & { kind: 'text' }): QueryNode {
    const operator = this.#peek();
    if (operator?.kind !== 'operator') throw refuseQuery('An operator is expected here.', field);
    this.#at++;
    const next = this.#peek();
    if (next?.kind === 'open') return this.#list(field, operator.text);
    if (next?.kind !== 'text') {
      throw refuseQuery(`A value is expected after ${field.text}${operator.text}. For none, write "".`, operator);
    }
    this.#at++;
    this.#countTerm();
    return {
      kind: 'compare',
      field: field.text,
      fieldSpan: { start: field.start, end: field.end },
      operator: operator.text,
      values: [next],
      start: field.start,
      end: next.end,
    };
  }

  #list(field: QueryToken & { kind: 'text' }, operator: Operator): QueryNode {
    const open = this.#peek() ?? field;
    if (operator !== ':' && operator !== '=' && operator !== '!=') {
      throw refuseQuery(`A list of values goes with : or !=, not with ${operator}.`, open);
    }
    this.#at++;
    const values: QueryValue[] = [];
    for (;;) {
      const token = this.#peek();
      if (token?.kind === 'close') break;
      if (token?.kind !== 'text') throw refuseQuery('This list is not closed. Write field:(a, b).', token ?? open);
      this.#at++;
      this.#countTerm();
      values.push(token);
      if (this.#peek()?.kind === 'comma' || this.#isWord('or')) this.#at++;
    }
    const close = this.#peek() ?? open;
    this.#at++;
    if (values.length === 0) throw refuseQuery('This list is empty. Write at least one value.', open);
    return {
      kind: 'compare',
      field: field.text,
      fieldSpan: { start: field.start, end: field.end },
      operator,
      values,
      start: field.start,
      end: close.end,
    };
  }
}

function join(kind: 'and' | 'or', nodes: readonly QueryNode[]): QueryNode {
  const [first] = nodes;
  const last = nodes.at(-1);
  if (!first || !last) throw new TypeError('A junction needs a node.');
  return nodes.length === 1 ? first : { kind, nodes, start: first.start, end: last.end };
}
