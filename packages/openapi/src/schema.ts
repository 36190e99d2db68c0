import { RE2JS } from 're2js';
import type { Description, DescriptionProblem } from './document.ts';
import { isObject, type JsonObject, listMember, member, pointerOf, resolveLocal, textMember } from './json-value.ts';

/** Deeper nesting (without references) is not a schema anybody wrote. */
const DEPTH_MAX = 100;
const PATTERN_LENGTH_MAX = 2000;
const PROBLEMS_MAX = 200;

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
const SCALARS = new Set(['string', 'number', 'integer', 'boolean', 'null']);
/** Formats that are checked; the rest (uri-template, password, vendor's own) say nothing that could be. */
export const FORMATS = [
  'date-time',
  'date',
  'time',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
  'int32',
  'int64',
  'byte',
];
const COUNTS = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
];
const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];
const SCHEMAS = [
  'additionalProperties',
  'propertyNames',
  'items',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
];
const SCHEMA_LISTS = ['allOf', 'anyOf', 'prefixItems'];
const SCHEMA_MAPS = ['properties', 'patternProperties', 'dependentSchemas'];

export type Schema = JsonObject | boolean;
type Tokens = readonly (string | number)[];

/**
 * Turns a description's schemas into plain JSON Schema 2020-12 that can't surprise the validator: known keywords of the
 * right type only, no prose, references by number into one list of shared schemas.
 */
export class SchemaCompiler {
  readonly problems: DescriptionProblem[] = [];
  /** Shared schemas; `{ $ref: 's3' }` is the fourth. */
  readonly shared: Schema[] = [];
  readonly #description: Description;
  readonly #numbers = new Map<string, number>();

  constructor(description: Description) {
    this.#description = description;
  }

  /** The reference under which a shared schema was found, such as `#/components/schemas/Pet`. */
  referenceOf(number: number): string {
    return [...this.#numbers].find(([, known]) => known === number)?.[0] ?? '#';
  }

  report(severity: DescriptionProblem['severity'], at: Tokens | string, message: string): void {
    if (this.problems.length >= PROBLEMS_MAX) return;
    this.problems.push({ severity, pointer: typeof at === 'string' ? at : pointerOf(at), message });
  }

  compile(raw: unknown, at: Tokens, depth = 0): Schema {
    if (typeof raw === 'boolean') return raw;
    if (!isObject(raw)) return this.#loosen(at, 'schema is not an object; anything is accepted');
    if (depth > DEPTH_MAX) return this.#loosen(at, `schema nests deeper than ${DEPTH_MAX}; anything is accepted`);
    const reference = textMember(raw, '$ref');
    if (reference !== undefined) return this.#reference(reference, raw, at, depth);
    return this.#keywords(raw, at, depth);
  }

  #reference(reference: string, raw: JsonObject, at: Tokens, depth: number): Schema {
    const target = this.#share(reference, at);
    // OpenAPI 3.0.3 section 4.7.23: siblings of $ref are ignored; 3.1 follows JSON Schema and keeps them.
    if (this.#description.dialect === '3.0' || typeof target === 'boolean' || Object.keys(raw).length === 1)
      return target;
    const { $ref: _, ...siblings } = raw;
    const rest = this.#keywords(siblings, at, depth);
    return typeof rest === 'object' && Object.keys(rest).length > 0 ? { allOf: [target, rest] } : target;
  }

  #share(reference: string, at: Tokens): Schema {
    const known = this.#numbers.get(reference);
    if (known !== undefined) return { $ref: `s${known}` };
    if (!reference.startsWith('#')) return this.#loosen(at, `"${reference}" is not local; anything is accepted`);
    const target = resolveLocal(this.#description.root, reference);
    if (target === undefined) return this.#loosen(at, `"${reference}" points nowhere; anything is accepted`);
    const number = this.shared.length;
    // Registered before it is compiled: schemas refer to themselves.
    this.#numbers.set(reference, number);
    this.shared.push(true);
    this.shared[number] = this.compile(target, [reference]);
    return { $ref: `s${number}` };
  }

  #keywords(raw: JsonObject, at: Tokens, depth: number): Schema {
    const schema: JsonObject = {};
    for (const key of COUNTS) copyIf(raw, schema, key, (value) => Number.isSafeInteger(value) && Number(value) >= 0);
    for (const key of NUMBERS) copyIf(raw, schema, key, Number.isFinite);
    copyIf(raw, schema, 'multipleOf', (value) => Number.isFinite(value) && Number(value) > 0);
    copyIf(raw, schema, 'format', (value) => typeof value === 'string' && FORMATS.includes(value));
    for (const key of ['readOnly', 'writeOnly']) copyIf(raw, schema, key, (value) => value === true);
    copyIf(raw, schema, 'enum', (value) => Array.isArray(value) && value.length > 0);
    copyIf(raw, schema, 'const', () => true);
    for (const key of SCHEMAS)
      if (Object.hasOwn(raw, key)) schema[key] = this.compile(raw[key], [...at, key], depth + 1);
    for (const key of SCHEMA_LISTS) this.#list(raw, schema, key, key, at, depth);
    for (const key of SCHEMA_MAPS) this.#map(raw, schema, key, at, depth);
    // Vendors' alternatives overlap (GitHub has hundreds that do), and a discriminator is a hint, not a constraint:
    // a value that fits several alternatives is good enough.
    if (Object.hasOwn(raw, 'oneOf')) this.#oneOf(raw, schema, at, depth);
    this.#required(raw, schema);
    this.#pattern(raw, schema, at);
    this.#type(raw, schema, at);
    this.#uniqueItems(raw, schema);
    return this.#description.dialect === '3.0' ? fromDialect30(raw, schema) : schema;
  }

  #list(raw: JsonObject, schema: JsonObject, from: string, to: string, at: Tokens, depth: number): void {
    const items = listMember(raw, from);
    if (items.length > 0) schema[to] = items.map((item, n) => this.compile(item, [...at, from, n], depth + 1));
  }

  #oneOf(raw: JsonObject, schema: JsonObject, at: Tokens, depth: number): void {
    const alternatives: JsonObject = {};
    this.#list(raw, alternatives, 'oneOf', 'anyOf', at, depth);
    if (schema['anyOf'] === undefined) Object.assign(schema, alternatives);
    else schema['allOf'] = [...listMember(schema, 'allOf'), alternatives];
  }

  #map(raw: JsonObject, schema: JsonObject, key: string, at: Tokens, depth: number): void {
    const map = member(raw, key);
    if (!isObject(map)) return;
    const compiled = Object.entries(map)
      .filter(([name]) => name !== '__proto__' && (key !== 'patternProperties' || this.#linear(name, [...at, key])))
      .map(([name, item]) => [name, this.compile(item, [...at, key, name], depth + 1)] as const);
    if (compiled.length > 0) schema[key] = Object.fromEntries(compiled);
  }

  #required(raw: JsonObject, schema: JsonObject): void {
    const names = new Set(listMember(raw, 'required').filter((name) => typeof name === 'string'));
    if (names.size > 0) schema['required'] = [...names];
  }

  #pattern(raw: JsonObject, schema: JsonObject, at: Tokens): void {
    const pattern = textMember(raw, 'pattern');
    if (pattern !== undefined && this.#linear(pattern, [...at, 'pattern'])) schema['pattern'] = pattern;
  }

  /** Patterns run in linear time on RE2; what RE2 can't express (look-around, back references) isn't checked. */
  #linear(pattern: string, at: Tokens): boolean {
    try {
      if (pattern.length > PATTERN_LENGTH_MAX) throw new Error('too long');
      RE2JS.compile(pattern);
      return true;
    } catch {
      this.report('warning', at, 'pattern needs more than linear time or is malformed; it is not checked');
      return false;
    }
  }

  #type(raw: JsonObject, schema: JsonObject, at: Tokens): void {
    const given = member(raw, 'type');
    if (given === undefined) return;
    const types = (Array.isArray(given) ? given : [given]).filter(
      (type) => typeof type === 'string' && TYPES.has(type),
    );
    if (types.length === 0)
      this.report('warning', [...at, 'type'], `type ${JSON.stringify(given)} is unknown; any type is accepted`);
    else schema['type'] = types.length === 1 ? types[0] : types;
  }

  /** Comparing every pair of objects is quadratic; scalars are compared by hash. */
  #uniqueItems(raw: JsonObject, schema: JsonObject): void {
    const items = member(schema, 'items');
    const type = isObject(items) ? member(items, 'type') : undefined;
    if (member(raw, 'uniqueItems') === true && typeof type === 'string' && SCALARS.has(type))
      schema['uniqueItems'] = true;
  }

  #loosen(at: Tokens, message: string): true {
    this.report('warning', at, message);
    return true;
  }
}

function copyIf(raw: JsonObject, schema: JsonObject, key: string, valid: (value: unknown) => boolean): void {
  const value = member(raw, key);
  if (value !== undefined && valid(value)) schema[key] = value;
}

/** OpenAPI 3.0 says `nullable` and boolean exclusive bounds where JSON Schema has type arrays and numbers. */
function fromDialect30(raw: JsonObject, schema: JsonObject): Schema {
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (member(raw, exclusive) === true && schema[bound] !== undefined) {
      schema[exclusive] = schema[bound];
      delete schema[bound];
    }
  }
  if (member(raw, 'nullable') !== true) return schema;
  const { type } = schema;
  if (typeof type === 'string') {
    const withNull: JsonObject = { ...schema, type: [type, 'null'] };
    if (Array.isArray(schema['enum']) && !schema['enum'].includes(null))
      withNull['enum'] = [...(schema['enum'] as unknown[]), null];
    return withNull;
  }
  return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: 'null' }] };
}
