import { QueryInvalid, QueryTooLarge } from './errors.ts';

/** Where in the text something stands: `start` inclusive, `end` exclusive, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const QUERY_CHARS_MAX = 4096;

export type QueryToken = Span &
  (
    | { readonly kind: 'open' | 'close' | 'comma' | 'minus' }
    /** A bare word, which may hold wildcards; or a quoted text, which is taken as it stands. */
    | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
    | { readonly kind: 'operator'; readonly text: Operator }
  );

export type Operator = ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';

const SPACE = /\s/;
/** A field's name, followed by an operator. */
const FIELD = /^([A-Za-z_@][\w@-]*(?:\.[\w@-]+)*)\s*(!=|>=|<=|[:=<>])/;
/** A bare word ends at a space, quote, bracket or comma. */
const WORD_END = /[\s"(),]/;

export function refuseQuery(message: string, span: Span): QueryInvalid {
  return new QueryInvalid(message, { position: span.start, length: Math.max(1, span.end - span.start) });
}

function readQuotedText(query: string, start: number): QueryToken {
  let text = '';
  for (let at = start + 1; at < query.length; at++) {
    const char = query[at];
    if (char === '"') return { kind: 'text', text, quoted: true, start, end: at + 1 };
    if (char === '\\' && (query[at + 1] === '"' || query[at + 1] === '\\')) at++;
    text += query[at] ?? '';
  }
  throw refuseQuery('This quoted text does not end. Add a " at its end, or write \\" for a quote inside.', {
    start,
    end: query.length,
  });
}

/**
 * Splits a search into tokens. After an operator the value may hold colons (IPv6, URLs, times), so what is a field and
 * what is a value is decided here, not by the parser.
 */
export function tokenize(query: string): QueryToken[] {
  if (query.length > QUERY_CHARS_MAX) {
    throw new QueryTooLarge(`A search may have ${QUERY_CHARS_MAX} characters; this one has ${query.length}.`);
  }
  const tokens: QueryToken[] = [];
  let at = 0;
  while (at < query.length) {
    const char = query[at] ?? '';
    const previous = tokens.at(-1);
    if (SPACE.test(char)) at++;
    else if (char === '(' || char === ')' || char === ',') {
      tokens.push({ kind: char === '(' ? 'open' : char === ')' ? 'close' : 'comma', start: at, end: ++at });
    } else if (char === '"') {
      const token = readQuotedText(query, at);
      tokens.push(token);
      at = token.end;
    } else if (previous?.kind === 'operator') at = readValue(query, at, tokens);
    else at = readTerm(query, at, tokens);
  }
  return tokens;
}

function readValue(query: string, start: number, tokens: QueryToken[]): number {
  let end = start;
  while (end < query.length && !WORD_END.test(query[end] ?? '')) end++;
  tokens.push({ kind: 'text', text: query.slice(start, end), quoted: false, start, end });
  return end;
}

function readTerm(query: string, start: number, tokens: QueryToken[]): number {
  if (query[start] === '-' && start + 1 < query.length && !SPACE.test(query[start + 1] ?? '')) {
    tokens.push({ kind: 'minus', start, end: start + 1 });
    return start + 1;
  }
  const field = FIELD.exec(query.slice(start));
  if (!field) return readValue(query, start, tokens);
  const [whole, name = '', operator = ':'] = field;
  tokens.push({ kind: 'text', text: name, quoted: false, start, end: start + name.length });
  const end = start + whole.length;
  // The pattern admits exactly the operators.
  tokens.push({ kind: 'operator', text: operator as Operator, start: end - operator.length, end });
  return end;
}
