/** A filter as Cloudscape's property filter has it: no property means text anywhere in the event. */
export interface FilterToken {
  readonly propertyKey?: string;
  readonly operator: string;
  readonly value: string | readonly string[];
}

export interface FilterQuery {
  readonly tokens: readonly FilterToken[];
  readonly operation: 'and' | 'or';
}

export const EMPTY_FILTER: FilterQuery = { tokens: [], operation: 'and' };

/** Signs that a bare value may hold without meaning anything else to the search language. */
const PLAIN = /^[\p{L}\p{N}_@/+.:-]+$/u;
const WORDS = new Set(['and', 'or', 'not', 'in']);

function isPlain(text: string): boolean {
  return PLAIN.test(text) && !text.includes('..') && !WORDS.has(text.toLowerCase());
}

/** A value that is taken as it stands: bare where that is safe, else quoted. */
export function quoteValue(text: string): string {
  return isPlain(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** Free text that begins like a negation or a field must be quoted, or it would be one. */
function quoteText(text: string): string {
  const written = quoteValue(text);
  return written.startsWith('-') || (!written.startsWith('"') && written.includes(':')) ? `"${text}"` : written;
}

/** Part of a value between wildcards, which only a bare value can have: what would end it matches any one sign. */
function fragment(text: string): string {
  return text.replaceAll(/[\s"(),]/g, '?');
}

function writeToken({ propertyKey, operator, value }: FilterToken): string {
  const values = typeof value === 'string' ? [value] : value;
  const [first = ''] = values;
  if (propertyKey === undefined) return `${operator.startsWith('!') ? '-' : ''}${quoteText(first)}`;
  const list = values.length > 1 ? `(${values.map(quoteValue).join(', ')})` : quoteValue(first);
  switch (operator) {
    case '!=':
      return `${propertyKey}!=${list}`;
    case ':':
      return `${propertyKey}:*${fragment(first)}*`;
    case '!:':
      return `-${propertyKey}:*${fragment(first)}*`;
    case '^':
      return `${propertyKey}:${fragment(first)}*`;
    case '>':
    case '>=':
    case '<':
    case '<=':
      return `${propertyKey}${operator}${quoteValue(first)}`;
    default:
      return `${propertyKey}:${list}`;
  }
}

/** The search text of a filter. */
export function writeQuery({ tokens, operation }: FilterQuery): string {
  return tokens.map(writeToken).join(operation === 'or' ? ' or ' : ' ');
}

const FIELD = /^([A-Za-z_@][\w@-]*(?:\.[\w@-]+)*)(!=|>=|<=|[:=<>])/;
const QUOTED = /^"((?:[^"\\]|\\.)*)"/s;
const BARE = /^[^\s"(),]+/;

interface Value {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly rest: string;
}

function readValue(text: string): Value | null {
  const quoted = QUOTED.exec(text);
  if (quoted) {
    return { text: (quoted[1] ?? '').replaceAll(/\\(.)/gs, '$1'), isQuoted: true, rest: text.slice(quoted[0].length) };
  }
  const bare = BARE.exec(text);
  return bare ? { text: bare[0], isQuoted: false, rest: text.slice(bare[0].length) } : null;
}

function readList(text: string): { readonly values: readonly string[]; readonly rest: string } | null {
  const values: string[] = [];
  let rest = text.slice(1).trimStart();
  while (!rest.startsWith(')')) {
    const value = readValue(rest);
    if (!value || (!value.isQuoted && !isPlain(value.text))) return null;
    values.push(value.text);
    rest = value.rest.trimStart();
    if (rest.startsWith(',')) rest = rest.slice(1).trimStart();
    else if (!rest.startsWith(')')) return null;
  }
  return values.length === 0 ? null : { values, rest: rest.slice(1) };
}

/** The operator and text that a wildcard value has in a property filter, if it has one. */
function readWildcard(text: string, isNegated: boolean): { operator: string; value: string } | null {
  const inner = text.replaceAll('?', ' ');
  const contains = /^\*([^*]+)\*$/.exec(inner)?.[1];
  if (contains !== undefined) return { operator: isNegated ? '!:' : ':', value: contains };
  const starts = /^([^*]+)\*$/.exec(inner)?.[1];
  return starts !== undefined && !isNegated ? { operator: '^', value: starts } : null;
}

function readTerm(text: string): { readonly token: FilterToken; readonly rest: string } | null {
  const isNegated = text.startsWith('-');
  const body = isNegated ? text.slice(1) : text;
  const field = FIELD.exec(body);
  if (!field) {
    const value = readValue(body);
    if (!value || (!value.isQuoted && !isPlain(value.text))) return null;
    return { token: { operator: isNegated ? '!:' : ':', value: value.text }, rest: value.rest };
  }
  const [whole, propertyKey = '', sign = ':'] = field;
  const after = body.slice(whole.length);
  const isEqual = sign === ':' || sign === '=';
  if (after.startsWith('(')) {
    const list = isEqual || sign === '!=' ? readList(after) : null;
    if (!list) return null;
    const operator = (sign === '!=') === isNegated ? '=' : '!=';
    return { token: { propertyKey, operator, value: list.values }, rest: list.rest };
  }
  const value = readValue(after);
  if (!value) return null;
  const { rest } = value;
  if (!value.isQuoted && /[*?]/.test(value.text)) {
    const wildcard = isEqual ? readWildcard(value.text, isNegated) : null;
    return wildcard ? { token: { propertyKey, ...wildcard }, rest } : null;
  }
  if (!value.isQuoted && value.text.includes('..')) return null;
  if (isEqual || sign === '!=') {
    const operator = (sign === '!=') === isNegated ? '=' : '!=';
    return { token: { propertyKey, operator, value: value.text }, rest };
  }
  return isNegated ? null : { token: { propertyKey, operator: sign, value: value.text }, rest };
}

/**
 * The filter that a search text amounts to; null where it says more than a property filter can hold (parentheses,
 * ranges, a mix of and and or), which is then edited as text.
 */
export function readQuery(text: string): FilterQuery | null {
  const tokens: FilterToken[] = [];
  const joins = new Set<'and' | 'or'>();
  let rest = text.trim();
  while (rest !== '') {
    if (tokens.length > 0) {
      const join = /^(and|or)\s+/i.exec(rest);
      joins.add(join?.[1]?.toLowerCase() === 'or' ? 'or' : 'and');
      if (join) rest = rest.slice(join[0].length);
    }
    if (/^not\s/i.test(rest)) return null;
    const term = readTerm(rest);
    if (!term || (term.rest !== '' && !/^\s/.test(term.rest))) return null;
    tokens.push(term.token);
    rest = term.rest.trim();
  }
  if (joins.size > 1) return null;
  return { tokens, operation: joins.has('or') ? 'or' : 'and' };
}

/** Narrows a search text by one more condition. */
export function addCondition(text: string, field: string, value: string): string {
  const condition = `${field}:${quoteValue(value)}`;
  const trimmed = text.trim();
  if (trimmed === '') return condition;
  const filter = readQuery(trimmed);
  return filter?.operation === 'and' ? `${trimmed} ${condition}` : `(${trimmed}) ${condition}`;
}
