import { alike, mergeShapes, newShape, observeValue, type Shape, type ShapeBudget } from './observed-shape.ts';
import { mediaType } from './media-type.ts';
import { looksVariable } from './variable-segment.ts';

/** Different words in one place before they are taken for values: Slack has some 150 methods side by side. */
export const WORDS_MAX = 200;
/** As many words that lead to the same are names of records, whatever they look like. */
const ALIKE_MIN = 3;
const QUERY_NAMES_MAX = 50;
const STATUSES_MAX = 20;
const TYPES_MAX = 10;

/** Media type to the shape of its bodies. */
export type Content = Map<string, Shape>;

export interface Method {
  calls: number;
  readonly query: Map<string, Shape>;
  readonly request: Content;
  withBody: number;
  readonly responses: Map<number, Content>;
  /** Calls by the integration that made them; empty while one integration's traffic is learned on its own. */
  readonly taught: Map<string, number>;
}

/** What follows one part of a path. */
export interface Place {
  words: Map<string, Place>;
  /** Set as soon as a segment here looks like a value, or there are too many words. */
  variable: Place | null;
  /** Words here turned out to be values. */
  folded: boolean;
  readonly methods: Map<string, Method>;
}

export function newPlace(): Place {
  return { words: new Map(), variable: null, folded: false, methods: new Map() };
}

export function newMethod(): Method {
  return {
    calls: 0,
    query: new Map(),
    request: new Map(),
    withBody: 0,
    responses: new Map(),
    taught: new Map(),
  };
}

/** What looked like words are values after all; the empty segment of a trailing slash stays what it is. */
export function fold(place: Place): void {
  const trailing = place.words.get('');
  place.words.delete('');
  for (const word of place.words.values()) place.variable = place.variable ? mergePlaces(place.variable, word) : word;
  place.words = new Map(trailing ? [['', trailing]] : []);
  place.folded = true;
}

/** Takes three and more words that lead to the same operations with the same fields for names of records. */
export function foldAlike(place: Place): void {
  for (const next of [...place.words.values(), ...(place.variable ? [place.variable] : [])]) foldAlike(next);
  const left = [...place.words].filter(([word]) => word !== '');
  while (left.length > 0) {
    const [first] = left.splice(0, 1);
    const group = [first!, ...left.filter(([, other]) => placesAlike(first![1], other))]; // spliced from what has one
    const asVariable = place.variable !== null && placesAlike(place.variable, first![1]);
    if (group.length < ALIKE_MIN && !asVariable) continue;
    for (const [word, next] of group) {
      place.words.delete(word);
      place.variable = place.variable ? mergePlaces(place.variable, next) : next;
      const at = left.findIndex(([name]) => name === word);
      if (at !== -1) left.splice(at, 1);
    }
    // What was one word in each of them may be several alike now.
    if (place.variable) foldAlike(place.variable);
  }
}

/** Whether two places offer the same: common methods whose bodies are alike, here or one step on. */
function placesAlike(a: Place, b: Place): boolean {
  let evidence = 0;
  for (const [name, method] of a.methods) {
    const other = b.methods.get(name);
    if (!other) continue;
    const same = methodsAlike(method, other);
    if (same === false) return false;
    if (same) evidence += 1;
  }
  for (const [word, next] of a.words) {
    const other = b.words.get(word);
    if (other && placesAlike(next, other)) evidence += 1;
  }
  // Records below records: one owner has many, another a single one that still looks like a word.
  const next = a.variable ?? first(a.words);
  const other = b.variable ?? first(b.words);
  if (evidence === 0 && next && other && placesAlike(next, other)) evidence += 1;
  return evidence > 0;
}

const first = (words: ReadonlyMap<string, Place>): Place | undefined => words.values().next().value;

/** Null: there is too little to tell. Answers go first: those are the tool's word, requests only the caller's. */
function methodsAlike(a: Method, b: Method): boolean | null {
  const answers = [...a.responses].flatMap(([status, content]) =>
    [...content].map(([type, shape]) => alike(shape, b.responses.get(status)?.get(type))),
  );
  const requests = [...a.request].map(([type, shape]) => alike(shape, b.request.get(type)));
  const told = answers.some((one) => one !== null) ? answers : requests;
  if (told.includes(false)) return false;
  return told.includes(true) ? true : null;
}

/** What one call showed of its operation. */
export interface SeenCall {
  readonly query: URLSearchParams;
  readonly requestType: string | null;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseType: string | null;
  readonly responseBody: unknown;
}

export function record(method: Method, call: SeenCall, budget: ShapeBudget): void {
  method.calls += 1;
  for (const name of new Set(call.query.keys())) {
    if (looksVariable(name)) continue;
    const shape = bounded(method.query, name, QUERY_NAMES_MAX, newShape);
    if (shape) for (const text of call.query.getAll(name)) observeValue(shape, typedText(text), budget);
  }
  if (call.requestType !== null) {
    method.withBody += 1;
    recordContent(method.request, call.requestType, call.requestBody, budget);
  }
  const response = bounded(method.responses, call.status, STATUSES_MAX, (): Content => new Map());
  if (response && call.responseType !== null) recordContent(response, call.responseType, call.responseBody, budget);
}

function recordContent(content: Content, contentType: string, body: unknown, budget: ShapeBudget): void {
  const type = mediaType(contentType);
  const shape = type === null ? undefined : bounded(content, type, TYPES_MAX, newShape);
  if (shape && body !== undefined) observeValue(shape, body, budget);
}

/** Values of queries and forms are text; what reads as a number or truth value is taken for one. */
export function typedText(text: string): unknown {
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

/** Joins two places; `from` must not be used afterwards. */
export function mergePlaces(into: Place, from: Place): Place {
  for (const [name, place] of from.words) {
    const known = into.words.get(name);
    into.words.set(name, known ? mergePlaces(known, place) : place);
  }
  into.folded ||= from.folded;
  if (from.variable) into.variable = into.variable ? mergePlaces(into.variable, from.variable) : from.variable;
  mergeMaps(into.methods, from.methods, mergeMethods);
  if (into.folded || into.words.size > WORDS_MAX) fold(into);
  return into;
}

function mergeMethods(into: Method, from: Method): Method {
  into.calls += from.calls;
  into.withBody += from.withBody;
  mergeMaps(into.query, from.query, mergeShapes);
  mergeMaps(into.request, from.request, mergeShapes);
  mergeMaps(into.responses, from.responses, (a, b) => {
    mergeMaps(a, b, mergeShapes);
    return a;
  });
  mergeMaps(into.taught, from.taught, (a, b) => a + b);
  return into;
}

function mergeMaps<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>, merge: (a: V, b: V) => V): void {
  for (const [key, value] of from) {
    const known = into.get(key);
    into.set(key, known === undefined ? value : merge(known, value));
  }
}
