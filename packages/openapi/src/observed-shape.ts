import { isObject, type JsonObject } from './json-value.ts';
import { looksVariable } from './variable-segment.ts';

const DEPTH_MAX = 12;
/** More names than this are keys of a map, not members. */
const MEMBERS_MAX = 100;
const ITEMS_READ_MAX = 50;
/** A member is called required only after as many objects had it without exception. */
const REQUIRED_SEEN_MIN = 10;

const FORMATS: readonly (readonly [string, RegExp])[] = [
  ['date-time', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/],
  ['date', /^\d{4}-\d{2}-\d{2}$/],
  ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i],
  ['email', /^[^\s@]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i],
  ['uri', /^https?:\/\/[^\s]{1,2000}$/],
];

/** What values of one place looked like: types and names, never the values themselves. */
export interface Shape {
  seen: number;
  readonly types: Set<string>;
  /** The format all strings had so far; null: none in common, undefined: no string yet. */
  format: string | null | undefined;
  objects: number;
  readonly members: Map<string, Shape>;
  /** Values of maps: objects whose names are data. */
  map: Shape | null;
  items: Shape | null;
}

export function newShape(): Shape {
  return { seen: 0, types: new Set(), format: undefined, objects: 0, members: new Map(), map: null, items: null };
}

/** Adds one JSON value to what is known. */
export function observeValue(shape: Shape, value: unknown, depth = 0): void {
  shape.seen += 1;
  const type = typeOf(value);
  shape.types.add(type);
  if (typeof value === 'string') shape.format = commonFormat(shape.format, formatOf(value));
  if (depth >= DEPTH_MAX) return;
  if (Array.isArray(value)) {
    shape.items ??= newShape();
    for (const item of value.slice(0, ITEMS_READ_MAX)) observeValue(shape.items, item, depth + 1);
  } else if (isObject(value)) {
    shape.objects += 1;
    for (const [name, item] of Object.entries(value)) observeValue(memberOf(shape, name), item, depth + 1);
  }
}

/** Joins two shapes of what turned out to be one place; `from` must not be used afterwards. */
export function mergeShapes(into: Shape, from: Shape): Shape {
  into.seen += from.seen;
  into.objects += from.objects;
  for (const type of from.types) into.types.add(type);
  if (from.format !== undefined) into.format = commonFormat(into.format, from.format);
  if (from.items) into.items = into.items ? mergeShapes(into.items, from.items) : from.items;
  if (from.map) into.map = into.map ? mergeShapes(into.map, from.map) : from.map;
  for (const [name, shape] of from.members) {
    const known = into.members.get(name);
    if (known) mergeShapes(known, shape);
    else if (into.members.size < MEMBERS_MAX) into.members.set(name, shape);
    else into.map = into.map ? mergeShapes(into.map, shape) : shape;
  }
  return into;
}

/** JSON Schema 2020-12 that every value seen fits. */
export function schemaOf(shape: Shape): JsonObject {
  const types = [...shape.types].filter((type) => type !== 'integer' || !shape.types.has('number')).sort();
  const schema: JsonObject = types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types };
  if (shape.format) schema['format'] = shape.format;
  if (shape.items && shape.items.seen > 0) schema['items'] = schemaOf(shape.items);
  const members = [...shape.members].sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length > 0)
    schema['properties'] = Object.fromEntries(members.map(([name, member]) => [name, schemaOf(member)]));
  const always = members.filter(([, member]) => member.seen === shape.objects && shape.objects >= REQUIRED_SEEN_MIN);
  if (always.length > 0) schema['required'] = always.map(([name]) => name);
  if (shape.map) schema['additionalProperties'] = schemaOf(shape.map);
  return schema;
}

function memberOf(shape: Shape, name: string): Shape {
  const known = shape.members.get(name);
  if (known) return known;
  if (name === '__proto__' || name.length > MEMBERS_MAX || looksVariable(name) || shape.members.size >= MEMBERS_MAX) {
    return (shape.map ??= newShape());
  }
  const created = newShape();
  shape.members.set(name, created);
  return created;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function formatOf(text: string): string | null {
  return FORMATS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

function commonFormat(known: string | null | undefined, next: string | null): string | null {
  return known === undefined || known === next ? next : null;
}
