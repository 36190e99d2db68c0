import { canonicalPath } from './canonical-path.ts';
import type { JsonObject } from './json-value.ts';
import { mediaType } from './media-type.ts';
import { mergeShapes, newShape, observeValue, schemaOf, type Shape } from './observed-shape.ts';
import { looksVariable } from './variable-segment.ts';

/** Different words in one place before they are taken for values: Slack has some 150 methods side by side. */
const WORDS_MAX = 200;
const NODES_MAX = 20_000;
const QUERY_NAMES_MAX = 50;
const STATUSES_MAX = 20;
const TYPES_MAX = 10;
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']);

/** One call as seen: bodies parsed when they are JSON, undefined otherwise. */
export interface ObservedCall {
  readonly method: string;
  /** Path below the app's upstream, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly requestType: string | null;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseType: string | null;
  readonly responseBody: unknown;
}

export interface Proposal {
  /** An OpenAPI 3.1 document, ready for `compileDescription` after someone looked at it. */
  readonly description: JsonObject;
  readonly operations: number;
  /** Calls it is drawn from. */
  readonly calls: number;
}

export interface Learner {
  /** Keeps types and names, never values. Calls that failed (4xx, 5xx) teach nothing about what is allowed. */
  observe(call: ObservedCall): void;
  propose(options: { title: string; server: string }): Proposal;
}

interface Content {
  readonly types: Map<string, Shape>;
}

interface Method {
  calls: number;
  readonly query: Map<string, Shape>;
  readonly request: Content;
  withBody: number;
  readonly responses: Map<number, Content>;
}

interface Place {
  words: Map<string, Place>;
  /** Set as soon as a segment here looks like a value, or there are too many words. */
  variable: Place | null;
  /** Words here turned out to be values. */
  folded: boolean;
  readonly methods: Map<string, Method>;
}

/** Learns an undescribed API from its traffic and proposes a description of it. Bounded in memory. */
export function createLearner(): Learner {
  return new TrafficLearner();
}

class TrafficLearner implements Learner {
  readonly #root = newPlace();
  #places = 1;
  #calls = 0;

  observe(call: ObservedCall): void {
    const canonical = canonicalPath(call.path);
    if (!canonical.ok || !METHODS.has(call.method) || call.status >= 400) return;
    let place = this.#root;
    for (const segment of canonical.segments) {
      const next = this.#step(place, segment);
      if (!next) return;
      place = next;
    }
    this.#calls += 1;
    const method = place.methods.get(call.method) ?? newMethod();
    place.methods.set(call.method, method);
    record(method, call);
  }

  propose({ title, server }: { title: string; server: string }): Proposal {
    const paths: [string, JsonObject][] = [];
    collectPaths(this.#root, [], [], paths);
    const operations = paths.reduce(
      (sum, [, item]) => sum + Object.keys(item).filter((key) => key !== 'parameters').length,
      0,
    );
    const info = {
      title,
      version: '0-observed',
      description: `Proposed from ${this.#calls} observed calls; look it over.`,
    };
    const description = { openapi: '3.1.0', info, servers: [{ url: server }], paths: Object.fromEntries(paths) };
    return { description, operations, calls: this.#calls };
  }

  #step(place: Place, segment: string): Place | null {
    const word = place.words.get(segment);
    if (word) return word;
    if (place.words.size >= WORDS_MAX) fold(place);
    if (segment !== '' && (place.folded || looksVariable(segment))) {
      place.variable ??= this.#newPlace();
      return place.variable;
    }
    const created = this.#newPlace();
    if (created) place.words.set(segment, created);
    return created;
  }

  #newPlace(): Place | null {
    if (this.#places >= NODES_MAX) return null;
    this.#places += 1;
    return newPlace();
  }
}

function newPlace(): Place {
  return { words: new Map(), variable: null, folded: false, methods: new Map() };
}

/** What looked like words are values after all; the empty segment of a trailing slash stays what it is. */
function fold(place: Place): void {
  const trailing = place.words.get('');
  place.words.delete('');
  for (const word of place.words.values()) place.variable = place.variable ? mergePlaces(place.variable, word) : word;
  place.words = new Map(trailing ? [['', trailing]] : []);
  place.folded = true;
}

function newMethod(): Method {
  return { calls: 0, query: new Map(), request: { types: new Map() }, withBody: 0, responses: new Map() };
}

function record(method: Method, call: ObservedCall): void {
  method.calls += 1;
  for (const name of new Set(call.query.keys())) {
    if (looksVariable(name)) continue;
    const shape = bounded(method.query, name, QUERY_NAMES_MAX, newShape);
    if (shape) for (const text of call.query.getAll(name)) observeValue(shape, typedText(text));
  }
  if (call.requestType !== null) {
    method.withBody += 1;
    recordContent(method.request, call.requestType, call.requestBody);
  }
  const response = bounded(method.responses, call.status, STATUSES_MAX, () => ({ types: new Map<string, Shape>() }));
  if (response && call.responseType !== null) recordContent(response, call.responseType, call.responseBody);
}

function recordContent(content: Content, contentType: string, body: unknown): void {
  const type = mediaType(contentType);
  const shape = type === null ? undefined : bounded(content.types, type, TYPES_MAX, newShape);
  if (shape && body !== undefined) observeValue(shape, body);
}

/** Query values are text; what reads as a number or truth value is taken for one. */
function typedText(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function bounded<K, V>(map: Map<K, V>, key: K, max: number, create: () => V): V | undefined {
  const known = map.get(key);
  if (known !== undefined || map.size >= max) return known;
  const created = create();
  map.set(key, created);
  return created;
}

function mergePlaces(into: Place, from: Place): Place {
  for (const [name, place] of from.words) {
    const known = into.words.get(name);
    into.words.set(name, known ? mergePlaces(known, place) : place);
  }
  into.folded = into.folded || from.folded;
  if (from.variable) into.variable = into.variable ? mergePlaces(into.variable, from.variable) : from.variable;
  for (const [name, method] of from.methods) {
    const known = into.methods.get(name);
    into.methods.set(name, known ? mergeMethods(known, method) : method);
  }
  return into;
}

function mergeMethods(into: Method, from: Method): Method {
  into.calls += from.calls;
  into.withBody += from.withBody;
  mergeMaps(into.query, from.query, mergeShapes);
  mergeMaps(into.request.types, from.request.types, mergeShapes);
  mergeMaps(into.responses, from.responses, (a, b) => {
    mergeMaps(a.types, b.types, mergeShapes);
    return a;
  });
  return into;
}

function mergeMaps<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>, merge: (a: V, b: V) => V): void {
  for (const [key, value] of from) {
    const known = into.get(key);
    into.set(key, known === undefined ? value : merge(known, value));
  }
}

function collectPaths(
  place: Place,
  segments: readonly string[],
  names: readonly string[],
  paths: [string, JsonObject][],
): void {
  if (place.methods.size > 0) {
    const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
    const methods = [...place.methods].map(([name, method]) => [name.toLowerCase(), operationOf(method)] as const);
    paths.push([
      `/${segments.join('/')}`,
      { ...(names.length > 0 ? { parameters } : {}), ...Object.fromEntries(methods) },
    ]);
  }
  for (const [word, next] of [...place.words].sort(([a], [b]) => (a < b ? -1 : 1))) {
    collectPaths(next, [...segments, encodeURIComponent(word)], names, paths);
  }
  if (!place.variable) return;
  const name = parameterName(segments, names);
  collectPaths(place.variable, [...segments, `{${name}}`], [...names, name], paths);
}

/** `/users/{user}`: the singular of the word before it, numbered when taken. */
function parameterName(segments: readonly string[], taken: readonly string[]): string {
  const before = segments.at(-1)?.replaceAll(/[^A-Za-z0-9]/g, '') ?? '';
  const base = before === '' || segments.at(-1)?.startsWith('{') ? 'id' : before.replace(/ies$/, 'y').replace(/s$/, '');
  let name = base;
  for (let n = 2; taken.includes(name); n += 1) name = `${base}${n}`;
  return name;
}

function operationOf(method: Method): JsonObject {
  const parameters = [...method.query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, shape]) => ({ name, in: 'query', schema: schemaOf(shape) }));
  const responses = [...method.responses].map(
    ([status, content]) => [String(status), { description: 'observed', content: contentOf(content) }] as const,
  );
  const body = { required: method.withBody === method.calls, content: contentOf(method.request) };
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(method.withBody > 0 ? { requestBody: body } : {}),
    responses: Object.fromEntries(responses),
  };
}

function contentOf(content: Content): JsonObject {
  return Object.fromEntries(
    [...content.types].map(([type, shape]) => [type, shape.seen > 0 ? { schema: schemaOf(shape) } : {}]),
  );
}
