import { NotCanonical } from './errors.ts';

/** Deeper than any entry we define; a bound so that hostile input can't exhaust the stack. */
const DEPTH_MAX = 64;

/**
 * The one text form of a JSON value: RFC 8785 (JSON Canonicalization Scheme). Object members sorted by UTF-16 code
 * units, no white space, numbers and strings as ECMAScript writes them. Two equal values give equal bytes, so digests
 * and signatures can be compared.
 *
 * @throws {NotCanonical} for what JSON can't carry exactly.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new NotCanonical(`value nests deeper than ${DEPTH_MAX} levels`);
  switch (typeof value) {
    case 'string':
      // RFC 8785 section 3.2.2.2: a lone surrogate has no UTF-8 form.
      if (!value.isWellFormed()) throw new NotCanonical('string holds a lone surrogate');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} has no JSON form`);
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new NotCanonical(`${typeof value} has no JSON form`);
  }
}

function writeArray(values: readonly unknown[], depth: number): string {
  // Array.from visits holes, which map would skip and join would render as nothing.
  return `[${Array.from(values, (item) => write(item, depth + 1)).join(',')}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new NotCanonical('only plain objects have a JSON form');
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, item]) => `${write(key, depth)}:${write(item, depth + 1)}`);
  return `{${members.join(',')}}`;
}
