import { isObject, type JsonObject, listMember, member, objectMember } from './json-value.ts';
import type { Schema } from './schema.ts';

/** One value that a body may hold; `path` as `items[].owner.email`. */
export interface DescribedField {
  readonly path: string;
  /** JSON type; null where the schema leaves it open. */
  readonly type: string | null;
}

const FIELDS_MAX = 1_000;
const DEPTH_MAX = 8;
const HOPS_MAX = 20;
const ALTERNATIVES = ['allOf', 'anyOf', 'oneOf'] as const;

/** The scalar fields of a schema, level by level, at most 8 levels and 1,000 fields: schemas may contain themselves. */
export function schemaFields(schema: unknown, shared: (index: number) => Schema): DescribedField[] {
  const found = new Map<string, string | null>();
  let level: { schema: unknown; path: string }[] = [{ schema, path: '' }];
  for (let depth = 0; depth < DEPTH_MAX && level.length > 0; depth++) {
    const next: { schema: unknown; path: string }[] = [];
    for (const { schema: one, path } of level) {
      for (const here of parts(one, shared)) {
        for (const [name, child] of Object.entries(objectMember(here, 'properties'))) {
          next.push({ schema: child, path: path === '' ? name : `${path}.${name}` });
        }
        const items = member(here, 'items');
        if (items !== undefined) next.push({ schema: items, path: `${path}[]` });
        const type = scalarType(here);
        if (type !== undefined && path !== '' && found.size < FIELDS_MAX) found.set(path, found.get(path) ?? type);
      }
    }
    level = next.slice(0, FIELDS_MAX);
  }
  return [...found].map(([path, type]) => ({ path, type }));
}

/** A schema with its references followed, and its alternatives beside it. */
function parts(schema: unknown, shared: (index: number) => Schema, hops = 0): JsonObject[] {
  if (!isObject(schema) || hops > HOPS_MAX) return [];
  const reference = schema['$ref'];
  if (typeof reference === 'string') return parts(shared(Number(reference.slice(1))), shared, hops + 1);
  const others = ALTERNATIVES.flatMap((name) => listMember(schema, name));
  return [schema, ...others.flatMap((other) => parts(other, shared, hops + 1))];
}

/** Undefined: this is an object or a list, or says nothing of a type. */
function scalarType(schema: JsonObject): string | null | undefined {
  const type = member(schema, 'type');
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string' && one !== 'null');
  const [first] = types;
  if (typeof first !== 'string') return Object.hasOwn(schema, 'enum') ? null : undefined;
  if (first === 'object' || first === 'array') return undefined;
  return first === 'integer' ? 'number' : first;
}
