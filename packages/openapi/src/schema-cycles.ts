import { isObject, type JsonObject } from './json-value.ts';
import type { Schema } from './schema.ts';

/** Keywords whose schemas apply to the same value as the schema that holds them. */
const IN_PLACE = ['allOf', 'anyOf', 'not', 'if', 'then', 'else', 'dependentSchemas'];

/**
 * Cuts references by which a schema would apply itself to the very value it is applied to (`A: { allOf: [A] }`): they
 * say nothing, and a validator that followed them would never end. Recursion through members and items stays.
 *
 * @returns numbers of the shared schemas that were changed.
 */
export function cutCycles(shared: readonly Schema[]): number[] {
  const state = new Map<number, 'open' | 'done'>();
  const cut = new Set<number>();
  const visit = (number: number): void => {
    state.set(number, 'open');
    for (const holder of referencesInPlace(shared[number])) {
      const target = Number(String(holder['$ref']).slice(1));
      if (state.get(target) === 'open') {
        delete holder['$ref'];
        cut.add(number);
      } else if (!state.has(target)) visit(target);
    }
    state.set(number, 'done');
  };
  for (const number of shared.keys()) if (!state.has(number)) visit(number);
  return [...cut];
}

function referencesInPlace(schema: unknown): JsonObject[] {
  if (Array.isArray(schema)) return schema.flatMap(referencesInPlace);
  if (!isObject(schema)) return [];
  const below = IN_PLACE.flatMap((key) => {
    const value = schema[key];
    return referencesInPlace(key === 'dependentSchemas' && isObject(value) ? Object.values(value) : value);
  });
  return typeof schema['$ref'] === 'string' ? [schema, ...below] : below;
}
