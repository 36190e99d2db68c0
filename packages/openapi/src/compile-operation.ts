import type { Description } from './document.ts';
import { isObject, type JsonObject, listMember, member, objectMember, resolveLocal, textMember } from './json-value.ts';
import { parseTemplate } from './path-template.ts';
import type { Schema, SchemaCompiler } from './schema.ts';
import type { CompiledParameter, Content, Operation, OperationDetail } from './table.ts';

const ID_LENGTH_MAX = 512;
const SUMMARY_LENGTH_MAX = 120;
const TAGS_MAX = 20;
const REFERENCE_HOPS_MAX = 10;
const READ_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Set by the connection or by the gateway, not by the caller (OpenAPI 3.0.3 section 4.7.12.1 and hop-by-hop rules). */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization', 'user-agent', 'host', 'content-length']);

export interface CompiledOperation {
  readonly head: Operation;
  readonly detail: OperationDetail;
}

/** One operation of a path item; null when it has none for this method, or one that can't be used. */
export function compileOperation(
  description: Description,
  schemas: SchemaCompiler,
  { path, method, item }: { path: string; method: string; item: JsonObject },
): CompiledOperation | null {
  const reader = new Reader(description, schemas);
  const pathItem = reader.follow(item, ['paths', path]);
  const raw = member(pathItem, method);
  if (raw === undefined) return null;
  const at = ['paths', path, method];
  const template = parseTemplate(path);
  if (!isObject(raw) || template === null) {
    schemas.report('error', at, template === null ? 'path template is malformed; left out' : 'not an object; left out');
    return null;
  }
  const parameters = reader.parameters(pathItem, raw, at);
  const upper = method.toUpperCase();
  const head: Operation = {
    id: operationId(raw, upper, path),
    method: upper,
    path,
    tags: listMember(raw, 'tags')
      .filter((tag) => typeof tag === 'string')
      .slice(0, TAGS_MAX),
    summary: (textMember(raw, 'summary') ?? '').slice(0, SUMMARY_LENGTH_MAX),
    access: READ_METHODS.has(upper) ? 'read' : 'write',
    deprecated: member(raw, 'deprecated') === true,
    server: serverOf(raw) ?? serverOf(pathItem) ?? null,
    multiSegment: template.names.filter((name) => template.open.has(name) || parameters.multiSegment.has(name)),
  };
  return {
    head,
    detail: { parameters: parameters.compiled, body: reader.body(raw, at), responses: reader.responses(raw, at) },
  };
}

function operationId(raw: JsonObject, method: string, path: string): string {
  const id = textMember(raw, 'operationId')?.trim();
  return id !== undefined && id !== '' && id.length <= ID_LENGTH_MAX ? id : `${method} ${path}`;
}

function serverOf(holder: JsonObject): string | undefined {
  const [server] = listMember(holder, 'servers');
  return isObject(server) ? textMember(server, 'url') : undefined;
}

class Reader {
  readonly #root: JsonObject;
  readonly #schemas: SchemaCompiler;

  constructor(description: Description, schemas: SchemaCompiler) {
    this.#root = description.root;
    this.#schemas = schemas;
  }

  /** The object itself, or what its `$ref` leads to. */
  follow(value: unknown, at: readonly (string | number)[]): JsonObject {
    let current = value;
    for (let hops = 0; isObject(current) && hops < REFERENCE_HOPS_MAX; hops += 1) {
      const reference = textMember(current, '$ref');
      if (reference === undefined) return current;
      current = resolveLocal(this.#root, reference);
      if (current === undefined) this.#schemas.report('warning', at, `"${reference}" points nowhere; ignored`);
    }
    return {};
  }

  parameters(pathItem: JsonObject, operation: JsonObject, at: readonly (string | number)[]) {
    const found = new Map<string, JsonObject>();
    const lists = [listMember(pathItem, 'parameters'), listMember(operation, 'parameters')];
    for (const raw of lists.flat()) {
      const parameter = this.follow(raw, at);
      // An operation's parameter replaces the path item's of the same name and place.
      found.set(`${textMember(parameter, 'in')} ${textMember(parameter, 'name')}`, parameter);
    }
    const compiled: CompiledParameter[] = [];
    const multiSegment = new Set<string>();
    for (const raw of found.values()) {
      const parameter = this.#parameter(raw, [...at, 'parameters']);
      if (parameter === null) continue;
      compiled.push(parameter);
      if (parameter.in === 'path' && member(raw, 'x-multi-segment') === true) multiSegment.add(parameter.name);
    }
    return { compiled, multiSegment };
  }

  #parameter(raw: JsonObject, at: readonly (string | number)[]): CompiledParameter | null {
    const name = textMember(raw, 'name');
    const place = textMember(raw, 'in');
    if (name === undefined || (place !== 'path' && place !== 'query' && place !== 'header')) return null;
    if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return null;
    const [media] = Object.entries(objectMember(raw, 'content'));
    const json = media !== undefined && /[/+]json\b/.test(media[0]);
    const rawSchema = media ? member(this.follow(media[1], at), 'schema') : member(raw, 'schema');
    const style = textMember(raw, 'style') ?? (place === 'query' ? 'form' : 'simple');
    const explode = member(raw, 'explode');
    return {
      name: place === 'header' ? name.toLowerCase() : name,
      in: place,
      required: place === 'path' || member(raw, 'required') === true,
      shape: json ? 'scalar' : this.#shape(rawSchema),
      style,
      explode: typeof explode === 'boolean' ? explode : style === 'form' || style === 'deepObject',
      json,
      schema: rawSchema === undefined ? true : this.#schemas.compile(rawSchema, [...at, name, 'schema']),
    };
  }

  /** How the text is to be taken apart before it is checked. */
  #shape(rawSchema: unknown, hops = 0): CompiledParameter['shape'] {
    const schema = this.follow(rawSchema, []);
    const type = member(schema, 'type');
    const types: unknown[] = Array.isArray(type) ? type : [type];
    if (types.includes('array')) return 'array';
    if (types.includes('object') || member(schema, 'properties') !== undefined) return 'object';
    if (hops >= REFERENCE_HOPS_MAX) return 'scalar';
    const alternatives = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => listMember(schema, key));
    const shapes = alternatives.map((item) => this.#shape(item, hops + 1));
    return shapes.find((shape) => shape !== 'scalar') ?? 'scalar';
  }

  body(operation: JsonObject, at: readonly (string | number)[]): OperationDetail['body'] {
    const raw = member(operation, 'requestBody');
    if (raw === undefined) return null;
    const body = this.follow(raw, [...at, 'requestBody']);
    return { required: member(body, 'required') === true, content: this.#content(body, [...at, 'requestBody']) };
  }

  responses(operation: JsonObject, at: readonly (string | number)[]): OperationDetail['responses'] {
    const entries = Object.entries(objectMember(operation, 'responses')).filter(([status]) =>
      /^(?:[1-5](?:\d\d|XX)|default)$/i.test(status),
    );
    return Object.fromEntries(
      entries.map(([status, raw]) => {
        const place = [...at, 'responses', status];
        return [
          status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(),
          this.#content(this.follow(raw, place), place),
        ];
      }),
    );
  }

  #content(holder: JsonObject, at: readonly (string | number)[]): Content {
    return Object.fromEntries(
      Object.entries(objectMember(holder, 'content'))
        .filter(([type]) => type !== '__proto__')
        .map(([type, media]): [string, Schema] => {
          const schema = member(this.follow(media, at), 'schema');
          const compiled =
            schema === undefined ? true : this.#schemas.compile(schema, [...at, 'content', type, 'schema']);
          return [(type.split(';')[0] ?? '').trim().toLowerCase(), compiled];
        }),
    );
  }
}
