/** A JSON object from outside: anything may be missing or of the wrong type. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member; inherited names such as `constructor` are nobody's data. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function textMember(object: JsonObject, key: string): string | undefined {
  const value = member(object, key);
  return typeof value === 'string' ? value : undefined;
}

export function listMember(object: JsonObject, key: string): unknown[] {
  const value = member(object, key);
  return Array.isArray(value) ? value : [];
}

export function objectMember(object: JsonObject, key: string): JsonObject {
  const value = member(object, key);
  return isObject(value) ? value : {};
}

/** Joins tokens to a JSON Pointer (RFC 6901). */
export function pointerOf(tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value at the fragment of a local reference (`#/components/schemas/Pet`), or undefined. */
export function resolveLocal(root: JsonObject, reference: string): unknown {
  const tokens = fragmentTokens(reference);
  let value: unknown = tokens === null ? undefined : root;
  for (const token of tokens ?? []) {
    if (Array.isArray(value)) value = /^\d+$/.test(token) ? value[Number(token)] : undefined;
    else value = isObject(value) ? member(value, token) : undefined;
  }
  return value;
}

function fragmentTokens(reference: string): string[] | null {
  if (reference !== '#' && !reference.startsWith('#/')) return null;
  try {
    return reference
      .slice(2)
      .split('/')
      .filter((_, index) => reference !== '#' || index > 0)
      .map((token) => decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return null; // a malformed percent escape points nowhere
  }
}
