import type { ValidateFunction } from 'ajv/dist/2020.js';
import { JSON_LIMITS, type JsonLimits } from './check-json.ts';
import { parseForm } from './form-body.ts';
import { isJsonType, mediaParameter, mediaType, schemaFor } from './media-type.ts';
import { isObject, type JsonObject, listMember } from './json-value.ts';
import { multipartFields } from './multipart-body.ts';
import { parameterValue, type ParameterSource } from './parameter-values.ts';
import { readJson } from './read-json.ts';
import { type Resolution, Router } from './router.ts';
import type { Schema } from './schema.ts';
import { schemaAt } from './schema-at.ts';
import { type DescribedField, schemaFields } from './schema-fields.ts';
import { SchemaChecker } from './schema-checker.ts';
import { type Content, decodeTable, type Operation, type OperationDetail } from './table.ts';
import { type Violation, violation, violationsOf } from './violation.ts';

const DETAILS_MAX = 300;

/** One app's operations: routing and validation. */
export interface Operations {
  readonly title: string;
  readonly version: string;
  /** All operations in the description's order. */
  readonly list: readonly Operation[];
  get(id: string): Operation | undefined;
  /**
   * @param method upper case
   * @param pathname path as received below the app's upstream, without query
   */
  resolve(method: string, pathname: string): Resolution;
  /** Path, query and header parameters. Empty: all is well. */
  checkParameters(operation: Operation, source: ParameterSource): Violation[];
  /**
   * A request's body with its Content-Type (null: none given). A body of null is one that is there but not held: only
   * whether and as what it may be sent is checked.
   */
  checkBody(
    operation: Operation,
    contentType: string | null,
    body: Uint8Array | null,
    limits?: JsonLimits,
  ): Violation[];
  /**
   * What the description says of one value of a request, by its place: a parameter's name, or the tokens of a JSON
   * Pointer into the body. Undefined where nothing is said.
   */
  schemaAt(
    operation: Operation,
    place: 'path' | 'query' | 'header' | 'body',
    tokens: readonly string[],
    contentType: string | null,
  ): JsonObject | undefined;
  /** The fields that bodies hold: `write` of requests, `read` of successful answers. */
  fields(operation: Operation): { readonly read: readonly DescribedField[]; readonly write: readonly DescribedField[] };
  /** A response's body. Undescribed statuses and types give no violation unless the status has no `default`. */
  checkResponse(operation: Operation, status: number, contentType: string | null, body: Uint8Array): Violation[];
}

/**
 * Operations from a stored table.
 *
 * @param options.upstream the app's base URL. Where its path doesn't already end with the description's base path
 * (`/v1` of `https://api.example.com/v1`), that base is expected in front of every path.
 * @throws {TableInvalid}
 */
export function createOperations(blob: Uint8Array, options: { upstream?: string } = {}): Operations {
  return new TableOperations(blob, options.upstream);
}

class TableOperations implements Operations {
  readonly title: string;
  readonly version: string;
  readonly list: readonly Operation[];
  readonly #byId: ReadonlyMap<string, number>;
  readonly #router: Router;
  readonly #base: string;
  readonly #table: ReturnType<typeof decodeTable>;
  readonly #details = new Map<number, OperationDetail>();
  #checkers: Checkers | null = null;

  constructor(blob: Uint8Array, upstream: string | undefined) {
    this.#table = decodeTable(blob);
    const { head } = this.#table;
    this.title = head.title;
    this.version = head.version;
    this.list = head.operations;
    this.#byId = new Map(head.operations.map(({ id }, index) => [id, index]));
    this.#router = new Router(head.operations);
    this.#base = basePath(head.servers[0], upstream);
  }

  get(id: string): Operation | undefined {
    const index = this.#byId.get(id);
    return index === undefined ? undefined : this.list[index];
  }

  resolve(method: string, pathname: string): Resolution {
    if (this.#base === '') return this.#router.resolve(method, pathname);
    if (!pathname.startsWith(`${this.#base}/`)) {
      // Judged for tricks all the same, so that the caller may trust the path of `unknown`.
      const resolution = this.#router.resolve(method, pathname);
      return resolution.kind === 'refused' ? resolution : { kind: 'unknown', path: resolution.path };
    }
    const resolution = this.#router.resolve(method, pathname.slice(this.#base.length));
    return resolution.kind === 'refused' ? resolution : { ...resolution, path: this.#base + resolution.path };
  }

  checkParameters(operation: Operation, source: ParameterSource): Violation[] {
    const { parameters } = this.#detail(operation);
    if (parameters.length === 0) return [];
    const given = { path: emptyRecord(), query: emptyRecord(), header: emptyRecord() };
    for (const parameter of parameters) {
      const value = parameterValue(parameter, source);
      if (value !== undefined) given[parameter.in][parameter.name] = value;
    }
    const check = this.#checker().text.check(`parameters ${operation.id}`, () => parametersSchema(parameters));
    return failures(check, given, null);
  }

  checkBody(
    operation: Operation,
    contentType: string | null,
    body: Uint8Array | null,
    limits = JSON_LIMITS,
  ): Violation[] {
    const described = this.#detail(operation).body;
    if (body?.byteLength === 0) {
      return described?.required ? [violation('body', '', 'required', 'is required')] : [];
    }
    if (described === null) return [violation('body', '', 'unexpected', 'is not expected by this operation')];
    const { content } = described;
    if (Object.keys(content).length === 0) return [];
    const type = contentType === null ? null : mediaType(contentType);
    const schema = type === null ? undefined : schemaFor(content, type);
    if (type === null || schema === undefined) {
      return [violation('body', '', 'mediaType', `must be sent as ${Object.keys(content).join(' or ')}`)];
    }
    if (body === null) return [];
    return this.#checkContent(`body ${operation.id} ${type}`, type, contentType ?? '', schema, body, limits);
  }

  schemaAt(
    operation: Operation,
    place: 'path' | 'query' | 'header' | 'body',
    tokens: readonly string[],
    contentType: string | null,
  ): JsonObject | undefined {
    const detail = this.#detail(operation);
    const shared = (index: number): Schema => this.#table.schema(index);
    if (place !== 'body') {
      const [name = '', ...rest] = tokens;
      const wanted = place === 'header' ? name.toLowerCase() : name;
      const found = detail.parameters.find(
        (one) => one.in === place && (place === 'header' ? one.name.toLowerCase() : one.name) === wanted,
      );
      return found && schemaAt(found.schema, rest, shared);
    }
    const type = contentType === null ? null : mediaType(contentType);
    const schema = type === null || detail.body === null ? undefined : schemaFor(detail.body.content, type);
    return schema === undefined ? undefined : schemaAt(schema, tokens, shared);
  }

  fields(operation: Operation): { read: DescribedField[]; write: DescribedField[] } {
    const { body, responses } = this.#detail(operation);
    const shared = (index: number): Schema => this.#table.schema(index);
    const of = (content: Content | undefined): DescribedField[] =>
      Object.values(content ?? {})
        .slice(0, 1)
        .flatMap((schema) => schemaFields(schema, shared));
    const good = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
    return { read: of(good), write: of(body?.content) };
  }

  checkResponse(operation: Operation, status: number, contentType: string | null, body: Uint8Array): Violation[] {
    const { responses } = this.#detail(operation);
    const content = contentOf(responses, status);
    if (content === undefined) return [violation('body', '', 'status', `has status ${status}, which is not described`)];
    if (body.byteLength === 0 || contentType === null || Object.keys(content).length === 0) return [];
    const type = mediaType(contentType);
    const schema = type === null ? undefined : schemaFor(content, type);
    if (type === null || schema === undefined || !isJsonType(type)) return [];
    const read = readJson(body);
    if ('fault' in read) return [violation('body', read.fault.pointer, 'json', read.fault.message)];
    const check = this.#checker().response.check(`response ${operation.id} ${status} ${type}`, () => schema);
    return failures(check, read.value, 'body');
  }

  #checkContent(
    key: string,
    type: string,
    contentType: string,
    schema: Schema,
    body: Uint8Array,
    limits: JsonLimits,
  ): Violation[] {
    if (isJsonType(type)) {
      const read = readJson(body, limits);
      if ('fault' in read) return [violation('body', read.fault.pointer, 'json', read.fault.message)];
      return failures(
        this.#checker().request.check(key, () => schema),
        read.value,
        'body',
      );
    }
    if (type === 'application/x-www-form-urlencoded') {
      const form = parseForm(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
      if (form === null) return [violation('body', '', 'form', 'has too many or contradictory form fields')];
      return failures(
        this.#checker().text.check(key, () => schema),
        form,
        'body',
      );
    }
    if (type === 'multipart/form-data') return this.#checkMultipart(contentType, schema, body);
    return [];
  }

  #checkMultipart(contentType: string, schema: Schema, body: Uint8Array): Violation[] {
    const fields = multipartFields(body, mediaParameter(contentType, 'boundary') ?? '');
    if (fields === null) return [violation('body', '', 'form', 'is not well-formed multipart/form-data')];
    const target = this.#follow(schema);
    return listMember(target, 'required')
      .filter((name) => typeof name === 'string' && !fields.includes(name))
      .map((name) => violation('body', `/${String(name)}`, 'required', 'is required'));
  }

  #follow(schema: Schema): JsonObject {
    let current: unknown = schema;
    for (let hops = 0; isObject(current) && typeof current['$ref'] === 'string' && hops < 10; hops += 1) {
      current = this.#table.schema(Number(current['$ref'].slice(1)));
    }
    return isObject(current) ? current : {};
  }

  #detail(operation: Operation): OperationDetail {
    const index = this.#byId.get(operation.id) ?? -1;
    const known = this.#details.get(index);
    if (known) return known;
    const detail = this.#table.detail(index);
    if (this.#details.size >= DETAILS_MAX) this.#details.clear();
    this.#details.set(index, detail);
    return detail;
  }

  #checker(): Checkers {
    this.#checkers ??= createCheckers((index) => this.#table.schema(index));
    return this.#checkers;
  }
}

interface Checkers {
  readonly request: SchemaChecker;
  readonly text: SchemaChecker;
  readonly response: SchemaChecker;
}

function createCheckers(shared: (index: number) => Schema): Checkers {
  return {
    request: new SchemaChecker(shared, 'request', false),
    text: new SchemaChecker(shared, 'request', true),
    response: new SchemaChecker(shared, 'response', false),
  };
}

function basePath(server: string | undefined, upstream: string | undefined): string {
  const described = pathOf(server);
  return upstream !== undefined && pathOf(upstream).endsWith(described) ? '' : described;
}

/** Path of a server URL, which may be relative (`/v1`) or hold variables (`https://{site}.example.com/v1`). */
function pathOf(url: string | undefined): string {
  const path = (url ?? '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '');
  return path.startsWith('/') ? path : '';
}

function contentOf(responses: OperationDetail['responses'], status: number): Content | undefined {
  return responses[String(status)] ?? responses[`${Math.floor(status / 100)}XX`] ?? responses['default'];
}

function parametersSchema(parameters: OperationDetail['parameters']): Schema {
  const properties = Object.fromEntries(
    (['path', 'query', 'header'] as const).map((place) => {
      const here = parameters.filter((parameter) => parameter.in === place);
      const required = here.filter((parameter) => parameter.required).map(({ name }) => name);
      const schemas = Object.fromEntries(here.map(({ name, schema }) => [name, schema]));
      return [place, { type: 'object', properties: schemas, ...(required.length > 0 ? { required } : {}) }];
    }),
  );
  return { type: 'object', properties };
}

function emptyRecord(): JsonObject {
  return Object.create(null) as JsonObject; // a parameter may be called `__proto__`
}

function failures(check: ValidateFunction, value: unknown, place: Violation['in'] | null): Violation[] {
  return check(value) ? [] : violationsOf(place, check.errors ?? []);
}
