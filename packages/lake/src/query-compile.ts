import { type FieldInfo, fieldNamed, type FieldKind, nearestField } from './query-fields.ts';
import { momentOf, type ParamBag } from './query-params.ts';
import type { QueryNode, QueryValue } from './query-parser.ts';
import { compileFreeText, hasWildcard, likePattern, tokenFilter } from './query-text.ts';
import { type Operator, refuseQuery, type Span } from './query-tokens.ts';
import { readAddressRange, readNumber, readTime, splitRange } from './query-values.ts';

type CompareNode = QueryNode & { readonly kind: 'compare' };

/** The SQL condition of a parsed search. `now` gives time words their meaning. */
export function compileQuery(node: QueryNode, params: ParamBag, now: number): string {
  if (node.kind === 'text') return compileFreeText(node.value, params);
  if (node.kind === 'compare') return compileCompare(node, params, now);
  if (node.kind === 'not') return `(NOT ${compileQuery(node.node, params, now)})`;
  const joined = node.nodes
    .map((child) => compileQuery(child, params, now))
    .join(node.kind === 'and' ? ' AND ' : ' OR ');
  return `(${joined})`;
}

function compileCompare(node: CompareNode, params: ParamBag, now: number): string {
  const info = fieldNamed(node.field);
  if (!info) return compilePath(node, pathOf(node), params);
  const { operator, values } = node;
  const any = values.map((value) => compileOne(info, operator === '!=' ? ':' : operator, value, params, now));
  const joined = any.length === 1 ? (any[0] ?? '0') : `(${any.join(' OR ')})`;
  return operator === '!=' ? `(NOT ${joined})` : joined;
}

function compileOne(info: FieldInfo, operator: Operator, value: QueryValue, params: ParamBag, now: number): string {
  const { field } = info;
  const isOrder = operator !== ':' && operator !== '=';
  if (field.kind === 'number' || field.kind === 'named-number') return compileNumber(info, operator, value, params);
  if (field.kind === 'time') return compileTime(field.column, operator, value, params, now);
  if (field.kind === 'address') {
    if (isOrder) throw refuseQuery(`${info.name} holds addresses: write ${info.name}:10.0.0.0/8.`, value);
    return compileAddress(field.column, value, params);
  }
  if (isOrder) throw refuseQuery(`${info.name} holds text: compare it with : or !=, not with ${operator}.`, value);
  return compileText(field, value, params);
}

function compileText(field: FieldKind & { kind: 'text' | 'id' | 'list' }, value: QueryValue, params: ParamBag): string {
  if (field.kind === 'list') {
    if (isAnything(value)) return `notEmpty(${field.column})`;
    const test = hasWildcard(value)
      ? `lowerUTF8(x) LIKE lowerUTF8(${params.add('String', likePattern(value.text))})`
      : `lowerUTF8(x) = lowerUTF8(${params.add('String', value.text)})`;
    return `arrayExists(x -> ${test}, ${field.column})`;
  }
  const columns = field.kind === 'id' ? [field.column] : field.columns;
  if (isAnything(value)) return `(${columns.map((column) => `${column} != ''`).join(' OR ')})`;
  if (hasWildcard(value)) {
    const pattern = params.add('String', likePattern(value.text));
    return `(${columns.map((column) => `lowerUTF8(${column}) LIKE lowerUTF8(${pattern})`).join(' OR ')})`;
  }
  const bound = params.add('String', value.text);
  if (field.kind === 'id') return `(${field.column} = ${bound})`;
  return `(${columns.map((column) => `lowerUTF8(${column}) = lowerUTF8(${bound})`).join(' OR ')})`;
}

function readNamedNumber(info: FieldInfo, value: QueryValue): number {
  const { field } = info;
  if (field.kind !== 'named-number') return readNumber(value);
  const known = field.names[value.text.toLowerCase()];
  if (known !== undefined && Object.hasOwn(field.names, value.text.toLowerCase())) return known;
  if (/^\d{1,9}$/.test(value.text)) return Number(value.text);
  throw refuseQuery(`"${value.text}" is no ${info.name}. Write one of: ${Object.keys(field.names).join(', ')}.`, value);
}

function compileNumber(info: FieldInfo, operator: Operator, value: QueryValue, params: ParamBag): string {
  const { field } = info;
  if (field.kind !== 'number' && field.kind !== 'named-number') return '0';
  const { column } = field;
  const equal = operator === ':' || operator === '=';
  if (equal && isAnything(value)) return `(${column} != 0)`;
  const hundreds = /^([1-5])xx$/i.exec(value.text)?.[1];
  if (equal && column === 'http_status' && hundreds !== undefined) {
    const low = Number(hundreds) * 100;
    return `(${column} >= ${params.add('Float64', low)} AND ${column} < ${params.add('Float64', low + 100)})`;
  }
  const range = equal ? splitRange(value) : undefined;
  if (range) {
    const [low, high] = range;
    const ends = [
      ...(low ? [`${column} >= ${params.add('Float64', readNamedNumber(info, low))}`] : []),
      ...(high ? [`${column} <= ${params.add('Float64', readNamedNumber(info, high))}`] : []),
    ];
    return `(${ends.join(' AND ')})`;
  }
  return `(${column} ${equal ? '=' : operator} ${params.add('Float64', readNamedNumber(info, value))})`;
}

function compileAddress(column: string, value: QueryValue, params: ParamBag): string {
  if (isAnything(value)) return `(${column} != toIPv6('::'))`;
  if (hasWildcard(value)) {
    return `(replaceOne(toString(${column}), '::ffff:', '') LIKE ${params.add('String', likePattern(value.text.toLowerCase()))})`;
  }
  const range = readAddressRange(value);
  if (!range)
    throw refuseQuery(`"${value.text}" is no address. Write 10.1.2.3, 10.0.0.0/8, 2001:db8::/32 or 10.1.*.`, value);
  return `(${column} >= ${params.add('IPv6', range.first)} AND ${column} <= ${params.add('IPv6', range.last)})`;
}

function compileTime(column: string, operator: Operator, value: QueryValue, params: ParamBag, now: number): string {
  const ends = splitRange(value);
  if (ends && (operator === ':' || operator === '=')) {
    const [low, high] = ends;
    const parts = [
      ...(low ? [`${column} >= ${momentOf(params, readTime(low, now).from)}`] : []),
      ...(high ? [`${column} < ${momentOf(params, readTime(high, now).to)}`] : []),
    ];
    return `(${parts.join(' AND ')})`;
  }
  const { from, to } = readTime(value, now);
  switch (operator) {
    case '>':
      return `(${column} >= ${momentOf(params, to)})`;
    case '>=':
      return `(${column} >= ${momentOf(params, from)})`;
    case '<':
      return `(${column} < ${momentOf(params, from)})`;
    case '<=':
      return `(${column} < ${momentOf(params, to)})`;
    default:
      return `(${column} >= ${momentOf(params, from)} AND ${column} < ${momentOf(params, to)})`;
  }
}

const isAnything = (value: QueryValue) => !value.quoted && value.text === '*';

const PATH_SEGMENTS_MAX = 12;

/** The path a name means: what follows `raw.`, or any name with a dot. Else it is a typing error. */
function pathOf(node: CompareNode): readonly string[] {
  const name = node.field;
  const segments = (/^raw\./i.test(name) ? name.slice('raw.'.length) : name).split('.');
  if (segments.length > PATH_SEGMENTS_MAX)
    throw refuseQuery(`A path may have ${PATH_SEGMENTS_MAX} parts.`, node.fieldSpan);
  if (name.includes('.')) return segments;
  throw unknownField(name, node.fieldSpan);
}

function unknownField(name: string, span: Span): Error {
  const near = nearestField(name);
  const hint = near ? `Did you mean ${near}?` : 'See the list of fields.';
  return refuseQuery(
    `There is no field "${name}". ${hint} For an attribute of the event itself write raw.${name}; to search for the text, put it in quotes.`,
    span,
  );
}

/** A comparison with a value inside the raw event. Array elements are named by number, from 0. */
function compilePath(node: CompareNode, segments: readonly string[], params: ParamBag): string {
  const path = segments
    .map((part) => (/^\d{1,5}$/.test(part) ? params.add('Int32', Number(part) + 1) : params.add('String', part)))
    .join(', ');
  const found = `if(JSONType(raw, ${path}) = 'String', JSONExtractString(raw, ${path}), JSONExtractRaw(raw, ${path}))`;
  const { operator, values } = node;
  const any = values.map((value) => {
    if (operator !== ':' && operator !== '=' && operator !== '!=') {
      const bound = params.add('Float64', readNumber(value));
      return `(JSONHas(raw, ${path}) AND JSONExtractFloat(raw, ${path}) ${operator} ${bound})`;
    }
    if (isAnything(value)) return `JSONHas(raw, ${path})`;
    if (hasWildcard(value))
      return `(lowerUTF8(${found}) LIKE lowerUTF8(${params.add('String', likePattern(value.text))}))`;
    const test = `lowerUTF8(${found}) = lowerUTF8(${params.add('String', value.text)})`;
    const filter = tokenFilter(value.text, params);
    return filter === undefined ? `(${test})` : `(${filter} AND ${test})`;
  });
  const joined = any.length === 1 ? (any[0] ?? '0') : `(${any.join(' OR ')})`;
  return operator === '!=' ? `(NOT ${joined})` : joined;
}
