import { isObject, type JsonObject, listMember, member, objectMember } from './json-value.ts';
import type { Schema } from './schema.ts';

const HOPS_MAX = 20;
const ALTERNATIVES = ['allOf', 'anyOf', 'oneOf'] as const;

/** Follows references, which tables hold as `#12`, the number of a shared schema. */
function follow(schema: unknown, shared: (index: number) => Schema): JsonObject | undefined {
  let current = schema;
  for (let hops = 0; isObject(current) && typeof current['$ref'] === 'string' && hops < HOPS_MAX; hops++) {
    current = shared(Number(current['$ref'].slice(1)));
  }
  return isObject(current) ? current : undefined;
}

/** The schema of the value at a place below `schema`: the first alternative that knows it. Undefined: none does. */
export function schemaAt(
  schema: unknown,
  tokens: readonly string[],
  shared: (index: number) => Schema,
  hops = 0,
): JsonObject | undefined {
  const here = follow(schema, shared);
  if (!here || hops > HOPS_MAX) return undefined;
  const [token, ...rest] = tokens;
  if (token === undefined) return withAlternatives(here, shared);
  const property = member(objectMember(here, 'properties'), token);
  const items = /^\d+$/.test(token)
    ? (member(here, 'items') ?? listMember(here, 'prefixItems')[Number(token)])
    : undefined;
  const additional = member(here, 'additionalProperties');
  const next = property ?? items;
  if (next !== undefined) return schemaAt(next, rest, shared, hops + 1);
  for (const name of ALTERNATIVES) {
    for (const alternative of listMember(here, name)) {
      const found = schemaAt(alternative, tokens, shared, hops + 1);
      if (found) return found;
    }
  }
  return isObject(additional) ? schemaAt(additional, rest, shared, hops + 1) : undefined;
}

/** A field that may be a string or a number is described by its string: the others leave no room for anything. */
function withAlternatives(here: JsonObject, shared: (index: number) => Schema): JsonObject {
  if (here['type'] !== undefined) return here;
  for (const name of ALTERNATIVES) {
    const options = listMember(here, name).map((option) => follow(option, shared));
    const text =
      options.find((option) => option?.['type'] === 'string' && option['format'] === undefined) ??
      options.find((option) => option?.['type'] === 'string');
    if (text) return text;
    if (options[0] && name === 'allOf') return options[0];
  }
  return here;
}
