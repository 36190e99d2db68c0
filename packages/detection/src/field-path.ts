/** Where a rule looks: in the vendor's own event, or in its normalised (OCSF) form. */
export type FieldSource = 'raw' | 'ocsf';

export interface FieldPath {
  readonly source: FieldSource;
  readonly keys: readonly string[];
  /** As written in the rule; shown in explanations and used as the name of a captured key. */
  readonly name: string;
}

const OCSF_PREFIX = 'ocsf.';
/** A key that stands for every key of an object, for vendors that key a map by address or id. */
export const ANY_KEY = '*';

/** Splits `a.b.c`; a dot that belongs to a key is written `\.`. */
export function splitPath(text: string): string[] {
  return text.split(/(?<!\\)\./).map((key) => key.replaceAll('\\.', '.'));
}

/** `actor.email` looks into the raw event, `ocsf.actor.user.email_addr` into the normalised one. */
export function parseFieldPath(name: string): FieldPath {
  if (name.startsWith(OCSF_PREFIX)) {
    return { source: 'ocsf', keys: splitPath(name.slice(OCSF_PREFIX.length)), name };
  }
  return { source: 'raw', keys: splitPath(name), name };
}

/** How a value reads as text. An object or an inner list reads as its JSON, so that `contains` can look into it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

function anyLeaf(value: unknown, test: (value: unknown) => boolean): boolean {
  if (value === null || value === undefined) return false;
  if (!Array.isArray(value)) return test(value);
  for (const element of value) {
    if (element !== null && element !== undefined && test(element)) return true;
  }
  return false;
}

/**
 * Whether any value at the path passes the test. A list on the way is walked element by element, a list at the
 * end offers its elements; null and absent values are never offered.
 */
export function anyAt(root: unknown, keys: readonly string[], test: (value: unknown) => boolean, depth = 0): boolean {
  let value = root;
  for (let i = depth; i < keys.length; i++) {
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) {
      for (const element of value) {
        if (!Array.isArray(element) && anyAt(element, keys, test, i)) return true;
      }
      return false;
    }
    const key = keys[i] ?? '';
    if (key === ANY_KEY) return Object.values(value).some((inner) => anyAt(inner, keys, test, i + 1));
    // Only the object's own keys count, so that `constructor` finds nothing.
    if (!Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return anyLeaf(value, test);
}

/** Whether the path is present at all, be its value empty or null. */
export function existsAt(root: unknown, keys: readonly string[], depth = 0): boolean {
  let value = root;
  for (let i = depth; i < keys.length; i++) {
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) {
      return value.some((element) => !Array.isArray(element) && existsAt(element, keys, i));
    }
    const key = keys[i] ?? '';
    if (key === ANY_KEY) return Object.values(value).some((inner) => existsAt(inner, keys, i + 1));
    if (!Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value !== undefined;
}

/** All values at the path as text, in order. */
export function textsAt(root: unknown, keys: readonly string[]): string[] {
  const texts: string[] = [];
  anyAt(root, keys, (value) => {
    texts.push(textOf(value));
    return false;
  });
  return texts;
}
