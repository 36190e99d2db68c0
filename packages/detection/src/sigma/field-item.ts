import { isIP } from 'node:net';
import { RE2JS } from 're2js';
import { RuleInvalid } from '../errors.ts';
import { parseFieldPath, type FieldPath } from '../field-path.ts';
import {
  and,
  not,
  or,
  type CompareOperator,
  type Expression,
  type GlobPart,
  type Matcher,
  type TextOperator,
  type TimeUnit,
} from './ast.ts';
import { base64Offsets, encodeUtf16, windashVariants, type Utf16 } from './encoding.ts';
import { escapeWildcards, parseWildcards, wildcardMatcher } from './wildcard.ts';

/** Values that a customer's `%placeholder%` stands for. */
export type Placeholders = Readonly<Record<string, readonly string[]>>;

type Scalar = string | number | boolean | null;

const COMPARES = new Set<CompareOperator>(['lt', 'lte', 'gt', 'gte']);
const TIME_UNITS = new Set<TimeUnit>(['minute', 'hour', 'day', 'week', 'month', 'year']);
const WRAPS = new Set<TextOperator>(['contains', 'startswith', 'endswith']);
const OTHERS =
  'all cased neq exists re i m s base64 base64offset wide utf16le utf16be utf16 windash cidr fieldref expand'.split(
    ' ',
  );
const WRAP_NAMES: ReadonlySet<string> = WRAPS;
const KNOWN = new Set<string>([...COMPARES, ...TIME_UNITS, ...WRAPS, ...OTHERS]);

/** The modifiers of one key, and what they add up to. */
class Modifiers {
  readonly list: readonly string[];

  constructor(list: readonly string[]) {
    for (const modifier of list) {
      if (!KNOWN.has(modifier)) throw new RuleInvalid(`The modifier "${modifier}" isn't known.`);
    }
    this.list = list;
  }

  has(name: string): boolean {
    return this.list.includes(name);
  }

  first<T extends string>(names: ReadonlySet<T>): T | undefined {
    const known: ReadonlySet<string> = names;
    return this.list.find((modifier): modifier is T => known.has(modifier));
  }
}

function expandPlaceholders(text: string, placeholders: Placeholders): string[] {
  let variants = [''];
  for (const piece of text.split(/(?<!\\)(%[^%\s\\]+%)/)) {
    const name = /^%([^%\s]+)%$/.exec(piece)?.[1];
    const values = name === undefined ? [piece.replaceAll('\\%', '%')] : placeholders[name];
    if (!values) throw new RuleInvalid(`The placeholder %${name}% has no values.`, { placeholder: name });
    variants = variants.flatMap((start) => values.map((value) => start + value));
  }
  return variants;
}

/** Applies the modifiers that turn one text into other texts, in the order they are written. */
function transform(text: string, modifiers: Modifiers, placeholders: Placeholders): string[] {
  let values: readonly (string | Buffer)[] = [text];
  const bytesOf = (value: string | Buffer): Buffer =>
    typeof value === 'string'
      ? Buffer.from(
          parseWildcards(value)
            .filter((part) => typeof part === 'string')
            .join(''),
        )
      : value;
  for (const modifier of modifiers.list) {
    if (modifier === 'expand') {
      values = values.flatMap((value): (string | Buffer)[] =>
        typeof value === 'string' ? expandPlaceholders(value, placeholders) : [value],
      );
    } else if (modifier === 'windash') {
      values = values.flatMap((value): (string | Buffer)[] =>
        typeof value === 'string' ? windashVariants(value) : [value],
      );
    } else if (modifier === 'wide' || modifier.startsWith('utf16')) {
      const encoding: Utf16 = modifier === 'utf16be' || modifier === 'utf16' ? modifier : 'utf16le';
      values = values.map((value) => encodeUtf16(bytesOf(value).toString(), encoding));
    } else if (modifier === 'base64') {
      values = values.map((value) => escapeWildcards(bytesOf(value).toString('base64')));
    } else if (modifier === 'base64offset') {
      values = values.flatMap((value) => base64Offsets(bytesOf(value)).map(escapeWildcards));
    }
  }
  return values.map((value) => (typeof value === 'string' ? value : escapeWildcards(value.toString('latin1'))));
}

function textMatcher(text: string, modifiers: Modifiers): Matcher {
  const many: GlobPart = { wildcard: 'many' };
  const parts = parseWildcards(text);
  for (const modifier of modifiers.list) {
    const first = parts[0];
    const last = parts.at(-1);
    const opens = typeof first === 'object' && first.wildcard === 'many';
    const closes = typeof last === 'object' && last.wildcard === 'many';
    if ((modifier === 'contains' || modifier === 'endswith') && !opens) parts.unshift(many);
    if ((modifier === 'contains' || modifier === 'startswith') && !closes) parts.push(many);
  }
  return wildcardMatcher(parts, modifiers.has('cased'));
}

function regexMatcher(source: string, modifiers: Modifiers): Matcher {
  const flags = ['i', 'm', 's'].filter((flag) => modifiers.has(flag)).join('');
  try {
    RE2JS.compile(source);
  } catch (error) {
    throw new RuleInvalid(`The expression /${source}/ isn't one that runs in linear time.`, { source }, error);
  }
  return { kind: 'regex', source, flags };
}

function numberOf(value: Scalar, what: string): number {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw new RuleInvalid(`${what} needs a number, not ${JSON.stringify(value)}.`);
  return number;
}

function cidrMatcher(value: Scalar): Matcher {
  const [address = '', prefix = '', ...rest] = String(value).split('/');
  const family = isIP(address);
  const bits = Number(prefix);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix) || bits > (family === 4 ? 32 : 128)) {
    throw new RuleInvalid(`"${String(value)}" isn't a network in CIDR notation.`);
  }
  return { kind: 'cidr', network: `${address}/${bits}` };
}

function matchersFor(
  value: Scalar,
  modifiers: Modifiers,
  placeholders: Placeholders,
  resolve: ResolveField,
): Matcher[] {
  const compare = modifiers.first(COMPARES);
  const unit = modifiers.first(TIME_UNITS);
  if (unit) return [{ kind: 'time', unit, op: compare ?? 'eq', value: numberOf(value, `|${unit}`) }];
  if (compare) return [{ kind: 'compare', op: compare, value: numberOf(value, `|${compare}`) }];
  if (modifiers.has('cidr')) {
    const networks = modifiers.has('expand') ? transform(String(value), modifiers, placeholders) : [value];
    return networks.map(cidrMatcher);
  }
  if (modifiers.has('fieldref')) {
    const op = modifiers.first(WRAPS) ?? 'equals';
    return [{ kind: 'field', op, other: resolve(String(value)), cased: modifiers.has('cased') }];
  }
  if (modifiers.has('re')) {
    const sources = modifiers.has('expand') ? expandPlaceholders(String(value), placeholders) : [String(value)];
    return sources.map((source) => regexMatcher(source, modifiers));
  }
  const plainNumber = typeof value === 'number' && !modifiers.first(WRAPS);
  if (plainNumber) return [{ kind: 'number', value }];
  return transform(String(value), modifiers, placeholders).map((text) => textMatcher(text, modifiers));
}

/** Turns a field name as written in a rule into the path it means for the rule's log source. */
export type ResolveField = (name: string) => FieldPath;

/** How a map nested under `|any` is read; given by the rule parser, which reads maps. */
export type ReadElement = (value: unknown) => Expression;

const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** One `field|modifiers: values` of a search, as an expression. An empty field name means the whole event. */
export function parseFieldItem(
  key: string,
  value: unknown,
  placeholders: Placeholders,
  readElement: ReadElement,
  resolve: ResolveField = parseFieldPath,
): Expression {
  const [name = '', ...names] = key.split('|');
  if (names.includes('any')) {
    if (names.length > 1 || name === '') throw new RuleInvalid('|any stands alone, behind a field name.');
    return { kind: 'element', field: resolve(name), of: readElement(value) };
  }
  const modifiers = new Modifiers(names);
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw new RuleInvalid(`"${key}" has an empty list of values.`);
  const expressions = values.map((one): Expression => {
    // A date in YAML 1.2 core is text already; anything else that isn't scalar has no meaning here.
    if (!isScalar(one)) throw new RuleInvalid(`"${key}" has a value that is neither text, number, boolean nor null.`);
    if (name === '')
      return or(keywordMatchers(one, modifiers, placeholders).map((matcher) => ({ kind: 'keyword', matcher })));
    const field = resolve(name);
    if (modifiers.has('exists')) {
      const exists: Expression = { kind: 'exists', field };
      return one === true || one === 'true' || one === 'yes' ? exists : not(exists);
    }
    if (one === null) return { kind: 'absent', field };
    return or(matchersFor(one, modifiers, placeholders, resolve).map((matcher) => ({ kind: 'match', field, matcher })));
  });
  const joined = modifiers.has('all') ? and(expressions) : or(expressions);
  return modifiers.has('neq') ? not(joined) : joined;
}

/**
 * A keyword is looked for in the event's JSON text, so it is escaped as JSON escapes it: a quote in a keyword finds
 * a quote in a value.
 */
function keywordMatchers(value: Scalar, modifiers: Modifiers, placeholders: Placeholders): Matcher[] {
  if (modifiers.has('re')) return [regexMatcher(String(value), modifiers)];
  const anywhere = new Modifiers([...modifiers.list.filter((modifier) => !WRAP_NAMES.has(modifier)), 'contains']);
  return transform(String(value), anywhere, placeholders).map((text) => {
    const matcher = textMatcher(text, anywhere);
    const quote = (part: string): string => JSON.stringify(part).slice(1, -1);
    if (matcher.kind === 'text') return { ...matcher, text: quote(matcher.text) };
    if (matcher.kind !== 'glob') return matcher;
    return { ...matcher, parts: matcher.parts.map((part) => (typeof part === 'string' ? quote(part) : part)) };
  });
}
