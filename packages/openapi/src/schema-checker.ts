import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats, { type FormatName } from 'ajv-formats';
import { RE2JS } from 're2js';
import { isObject, type JsonObject, listMember, objectMember } from './json-value.ts';
import { FORMATS, type Schema } from './schema.ts';

/** Compiled functions kept before all are dropped and made anew as needed; GitHub's busiest estates use some dozens. */
const COMPILED_MAX = 600;

export type Direction = 'request' | 'response';

/**
 * Compiles schemas on first use. Shared schemas are compiled once however many operations refer to them, which is what
 * keeps a large description affordable.
 */
export class SchemaChecker {
  readonly #shared: (index: number) => Schema;
  readonly #direction: Direction;
  readonly #coerce: boolean;
  #ajv: Ajv2020;
  #known = new Set<string>();
  #compiled = new Map<string, ValidateFunction>();

  /** @param coerce for text (parameters, forms): `"5"` is good for an integer. */
  constructor(shared: (index: number) => Schema, direction: Direction, coerce: boolean) {
    this.#shared = shared;
    this.#direction = direction;
    this.#coerce = coerce;
    this.#ajv = createAjv(coerce);
  }

  /** The check for a schema; `key` names it among all that this checker sees. */
  check(key: string, schema: () => Schema): ValidateFunction {
    const known = this.#compiled.get(key);
    if (known) return known;
    if (this.#compiled.size >= COMPILED_MAX) {
      this.#ajv = createAjv(this.#coerce);
      this.#known = new Set();
      this.#compiled = new Map();
    }
    const prepared = this.#prepare(schema());
    const compiled = this.#ajv.compile(prepared);
    this.#compiled.set(key, compiled);
    return compiled;
  }

  /** Adds what the schema refers to, and forgets members that don't travel in this direction. */
  #prepare(schema: Schema): Schema {
    const waiting: string[] = [];
    const prepared = this.#adapt(schema, waiting);
    for (let reference = waiting.pop(); reference !== undefined; reference = waiting.pop()) {
      if (this.#known.has(reference)) continue;
      this.#known.add(reference);
      this.#ajv.addSchema(this.#adapt(this.#shared(numberOf(reference)), waiting), reference);
    }
    return prepared;
  }

  #adapt(schema: Schema, waiting: string[]): Schema {
    if (typeof schema === 'boolean') return schema;
    const adapted: JsonObject = {};
    for (const [key, value] of Object.entries(schema)) {
      if (key === '$ref' && typeof value === 'string') waiting.push(value);
      if (key === 'readOnly' || key === 'writeOnly') continue;
      adapted[key] = key === 'enum' || key === 'const' ? value : this.#adaptValue(value, waiting);
    }
    const required = listMember(schema, 'required');
    if (required.length > 0) {
      const properties = objectMember(schema, 'properties');
      const needed = required.filter((name) => typeof name === 'string' && !this.#isAbsent(properties[name]));
      if (needed.length > 0) adapted['required'] = needed;
      else delete adapted['required'];
    }
    return adapted;
  }

  #adaptValue(value: unknown, waiting: string[]): unknown {
    if (Array.isArray(value)) return value.map((item: unknown) => this.#adaptValue(item, waiting));
    return isObject(value) ? this.#adapt(value, waiting) : value;
  }

  /** OpenAPI 3.0.3 section 4.7.24: a required readOnly member is required in responses only, writeOnly in requests. */
  #isAbsent(property: unknown): boolean {
    if (!isObject(property)) return false;
    const reference = property['$ref'];
    const target = typeof reference === 'string' ? this.#shared(numberOf(reference)) : property;
    return isObject(target) && target[this.#direction === 'request' ? 'readOnly' : 'writeOnly'] === true;
  }
}

function numberOf(reference: string): number {
  return Number(reference.slice(1));
}

function createAjv(coerce: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    // Our own compiler lets only well-formed schemas through.
    validateSchema: false,
    // One error is enough to refuse; all errors of a hostile body are work for an attacker to order.
    allErrors: false,
    coerceTypes: coerce ? 'array' : false,
    logger: false,
    code: { regExp: linearRegExp },
  });
  // Bundled types of a CommonJS default export: the function is the module itself.
  const add = addFormats as unknown as (target: Ajv2020, options: { formats: FormatName[]; mode: 'fast' }) => void;
  add(ajv, { formats: FORMATS as FormatName[], mode: 'fast' });
  return ajv;
}

/** RE2 in place of RegExp: a description's pattern can't be made to backtrack. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: 'linearRegExp' },
);
