import { isObject, type JsonObject } from './json-value.ts';
import { looksVariable } from './variable-segment.ts';

const DEPTH_MAX = 12;
/** More names than this are keys of a map, not members. */
export const MEMBERS_MAX = 100;
const ITEMS_READ_MAX = 50;
/** A member is called required only after as many objects had it without exception. */
const REQUIRED_SEEN_MIN = 10;
/** Objects with as large a part of their members in common are of one kind. */
const ALIKE_SHARE = 0.7;
const ALIKE_MEMBERS_MIN = 2;

const FORMATS: readonly (readonly [string, RegExp])[] = [
  ['date-time', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/],
  ['date', /^\d{4}-\d{2}-\d{2}$/],
  ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i],
  ['email', /^[^\s@]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i],
  ['uri', /^https?:\/\/[^\s]{1,2000}$/],
];
export const FORMAT_NAMES: ReadonlySet<string> = new Set(FORMATS.map(([name]) => name));
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'integer',
  'number',
  'string',
  'array',
  'object',
]);

/** What values of one place looked like: types and names, never the values themselves. */
export interface Shape {
  seen: number;
  /** JSON type to the number of values that had it. */
  readonly types: Map<string, number>;
  /** The format all strings had so far; null: none in common, undefined: no string yet. */
  format: string | null | undefined;
  objects: number;
  readonly members: Map<string, Shape>;
  /** Values of maps: objects whose names are data. */
  map: Shape | null;
  items: Shape | null;
  /** Integration to the types it sent or got here; empty while one integration is learned from on its own. */
  readonly taught: Map<string, ReadonlySet<string>>;
}

/** How many shapes may still be made: memory is bounded whatever the traffic is. */
export interface ShapeBudget {
  left: number;
}

export function newShape(): Shape {
  return {
    seen: 0,
    types: new Map(),
    format: undefined,
    objects: 0,
    members: new Map(),
    map: null,
    items: null,
    taught: new Map(),
  };
}

/** Adds one JSON value to what is known. */
export function observeValue(shape: Shape, value: unknown, budget: ShapeBudget, depth = 0): void {
  shape.seen += 1;
  const type = typeOf(value);
  shape.types.set(type, (shape.types.get(type) ?? 0) + 1);
  if (typeof value === 'string') shape.format = commonFormat(shape.format, formatOf(value));
  if (depth >= DEPTH_MAX) return;
  if (Array.isArray(value)) {
    shape.items ??= paidShape(budget);
    if (!shape.items) return;
    for (const item of value.slice(0, ITEMS_READ_MAX)) observeValue(shape.items, item, budget, depth + 1);
  } else if (isObject(value)) {
    shape.objects += 1;
    for (const [name, item] of Object.entries(value)) {
      const member = memberOf(shape, name, budget);
      if (member) observeValue(member, item, budget, depth + 1);
    }
  }
}

function paidShape(budget: ShapeBudget): Shape | null {
  if (budget.left <= 0) return null;
  budget.left -= 1;
  return newShape();
}

/** Joins two shapes of what turned out to be one place; `from` must not be used afterwards. */
export function mergeShapes(into: Shape, from: Shape): Shape {
  into.seen += from.seen;
  into.objects += from.objects;
  for (const [type, count] of from.types) into.types.set(type, (into.types.get(type) ?? 0) + count);
  for (const [teacher, types] of from.taught)
    into.taught.set(teacher, new Set([...(into.taught.get(teacher) ?? []), ...types]));
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

/** Whether two shapes are of one kind of object, by the names of their members; null: too little to tell. */
export function alike(a: Shape, b: Shape | undefined): boolean | null {
  if (!b || a.seen === 0 || b.seen === 0) return null;
  if (a.items && b.items && a.members.size === 0 && b.members.size === 0) return alike(a.items, b.items);
  if (a.members.size < ALIKE_MEMBERS_MIN || b.members.size < ALIKE_MEMBERS_MIN) {
    return a.members.size === b.members.size ? null : false;
  }
  const both = [...a.members].flatMap(([name, member]) => {
    const other = b.members.get(name);
    return other ? [[member, other] as const] : [];
  });
  if (both.length / (a.members.size + b.members.size - both.length) < ALIKE_SHARE) return false;
  // Lists of all kinds come in the same envelope: what is inside tells.
  return !both.some(([member, other]) => alike(member, other) === false);
}

/** Whether every object seen here had this member. */
export function isRequired(shape: Shape, member: Shape): boolean {
  return member.seen === shape.objects && shape.objects >= REQUIRED_SEEN_MIN;
}

/** Types of a shape; a place that held integers and other numbers holds numbers. */
export function typesOf(shape: Shape): string[] {
  return [...shape.types.keys()].filter((type) => type !== 'integer' || !shape.types.has('number')).sort();
}

/**
 * JSON Schema 2020-12 that every value seen fits. It has neither `enum` nor examples: those would be values.
 *
 * @param closed objects may have no members but those seen
 */
export function schemaOf(shape: Shape, closed = false): JsonObject {
  const types = typesOf(shape);
  const schema: JsonObject = types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types };
  if (shape.format) schema['format'] = shape.format;
  if (shape.items && shape.items.seen > 0) schema['items'] = schemaOf(shape.items, closed);
  const members = [...shape.members].sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length > 0)
    schema['properties'] = Object.fromEntries(members.map(([name, member]) => [name, schemaOf(member, closed)]));
  const always = members.filter(([, member]) => isRequired(shape, member));
  if (always.length > 0) schema['required'] = always.map(([name]) => name);
  if (shape.map) schema['additionalProperties'] = schemaOf(shape.map, closed);
  else if (closed && members.length > 0) schema['additionalProperties'] = false;
  return schema;
}

function memberOf(shape: Shape, name: string, budget: ShapeBudget): Shape | null {
  const known = shape.members.get(name);
  if (known) return known;
  if (name === '__proto__' || name.length > MEMBERS_MAX || looksVariable(name) || shape.members.size >= MEMBERS_MAX) {
    return (shape.map ??= paidShape(budget));
  }
  const created = paidShape(budget);
  if (created) shape.members.set(name, created);
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
