import { ScimRefused } from './scim-error.ts';
import { type Attribute, COMMON_ATTRIBUTES, findSubAttribute, type ResourceType } from './scim-schema.ts';

/**
 * A resource in canonical form: names as the schema writes them, values of the schema's types, nothing unassigned and
 * nothing that the schema doesn't know. Extensions are under their id.
 */
export type Resource = Record<string, unknown>;

const TEXT_CHARS_MAX = 8_192;
const ELEMENTS_MAX = 5_000;

function invalidValue(attribute: Attribute, expected: string): ScimRefused {
  return new ScimRefused(400, `${attribute.name} must be ${expected}.`, 'invalidValue');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Unassigned: null, or an empty list (RFC 7643, section 2.5). */
export function isUnassigned(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Entra writes booleans as `"True"`, and `"False"`. */
function readBoolean(attribute: Attribute, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^true$/i.test(value)) return true;
  if (typeof value === 'string' && /^false$/i.test(value)) return false;
  throw invalidValue(attribute, 'true or false');
}

function readText(attribute: Attribute, value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') throw invalidValue(attribute, 'a text');
  if (text.length > TEXT_CHARS_MAX) throw invalidValue(attribute, `shorter than ${TEXT_CHARS_MAX} characters`);
  return text;
}

function readNumber(attribute: Attribute, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw invalidValue(attribute, 'a number');
  if (attribute.type === 'integer' && !Number.isInteger(number)) throw invalidValue(attribute, 'a whole number');
  return number;
}

function readTime(attribute: Attribute, value: unknown): string {
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw invalidValue(attribute, 'a time like 2026-11-23T10:00:00Z');
  return new Date(at).toISOString();
}

function readComplex(attribute: Attribute, value: unknown): Record<string, unknown> {
  // Entra gives a manager as the bare id: RFC 7643, section 2.4 makes `value` the default sub-attribute.
  const given = isRecord(value) ? value : { value };
  if (!isRecord(value) && findSubAttribute(attribute, 'value') === undefined)
    throw invalidValue(attribute, 'an object');
  const read: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(given)) {
    const sub = findSubAttribute(attribute, name);
    if (!sub || sub.mutability === 'readOnly' || isUnassigned(item)) continue;
    read[sub.name] = readSimple(sub, item);
  }
  return read;
}

function readSimple(attribute: Attribute, value: unknown): unknown {
  switch (attribute.type) {
    case 'boolean':
      return readBoolean(attribute, value);
    case 'integer':
    case 'decimal':
      return readNumber(attribute, value);
    case 'dateTime':
      return readTime(attribute, value);
    case 'complex':
      return readComplex(attribute, value);
    default:
      return readText(attribute, value);
  }
}

/** An older form of Entra wraps the value of a single-valued attribute: `[{ "$ref": null, "value": "x" }]`. */
function unwrapSingle(attribute: Attribute, value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 1) return value;
  const only: unknown = value[0];
  return attribute.type !== 'complex' && isRecord(only) && 'value' in only ? only['value'] : only;
}

function keepOnePrimary(elements: readonly unknown[]): unknown[] {
  let seen = false;
  return elements.map((element) => {
    if (!isRecord(element) || element['primary'] !== true) return element;
    if (!seen) {
      seen = true;
      return element;
    }
    return { ...element, primary: false };
  });
}

/** The value of one attribute in canonical form; undefined when it is unassigned. */
export function readValue(attribute: Attribute, value: unknown): unknown {
  if (isUnassigned(value)) return undefined;
  if (!attribute.multiValued) return readSimple(attribute, unwrapSingle(attribute, value));
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > ELEMENTS_MAX) throw invalidValue(attribute, `at most ${ELEMENTS_MAX} elements`);
  const elements = list.filter((item) => !isUnassigned(item)).map((item) => readSimple(attribute, item));
  const filled = elements.filter((item) => !isRecord(item) || Object.keys(item).length > 0);
  return filled.length === 0 ? undefined : keepOnePrimary(filled);
}

function readAttributes(attributes: readonly Attribute[], given: Record<string, unknown>): Record<string, unknown> {
  const byName = new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]));
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const attribute = byName.get(name.toLowerCase());
    if (!attribute || attribute.mutability === 'readOnly') continue;
    const item = readValue(attribute, value);
    if (item !== undefined) read[attribute.name] = item;
  }
  return read;
}

/** Reads a whole resource from a request. Unknown and read-only attributes are left out (RFC 7644, section 3.3). */
export function readResource(type: ResourceType, body: unknown): Resource {
  if (!isRecord(body)) throw new ScimRefused(400, 'The body must be a JSON object.', 'invalidSyntax');
  const resource: Resource = readAttributes([...COMMON_ATTRIBUTES, ...type.core.attributes], body);
  for (const extension of type.extensions) {
    const key = Object.keys(body).find((name) => name.toLowerCase() === extension.id.toLowerCase());
    const given = key === undefined ? undefined : body[key];
    if (isUnassigned(given)) continue;
    if (!isRecord(given)) throw new ScimRefused(400, `${extension.id} must be an object.`, 'invalidValue');
    const read = readAttributes(extension.attributes, given);
    if (Object.keys(read).length > 0) resource[extension.id] = read;
  }
  checkRequired(type, resource);
  return resource;
}

export function checkRequired(type: ResourceType, resource: Resource): void {
  for (const { name, required } of type.core.attributes) {
    const value = resource[name];
    if (required && (typeof value !== 'string' || value.trim() === '')) {
      throw new ScimRefused(400, `${name} is required.`, 'invalidValue');
    }
  }
}
