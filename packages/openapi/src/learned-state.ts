import { StateUnreadable } from './errors.ts';
import { isObject } from './json-value.ts';
import { type Content, type Method, newMethod, newPlace, type Place } from './learned-place.ts';
import { FORMAT_NAMES, newShape, type Shape, TYPE_NAMES } from './observed-shape.ts';

const DEPTH_MAX = 80;
const NODES_MAX = 100_000;
const TEXT_CHARS_MAX = 1_024;

/** What a learner knows, as JSON: words of paths, names of members, types and counts. Its layout is this file's own. */
export interface LearnedState {
  readonly v: 1;
  readonly root: unknown;
}

type Pairs = readonly (readonly [unknown, unknown])[];

export function writePlace(place: Place): unknown {
  return {
    ...(place.words.size > 0 ? { w: [...place.words].map(([word, next]) => [word, writePlace(next)]) } : {}),
    ...(place.variable ? { v: writePlace(place.variable) } : {}),
    ...(place.folded ? { f: 1 } : {}),
    ...(place.methods.size > 0 ? { m: [...place.methods].map(([name, method]) => [name, writeMethod(method)]) } : {}),
  };
}

function writeMethod(method: Method): unknown {
  return {
    n: method.calls,
    b: method.withBody,
    q: [...method.query].map(([name, shape]) => [name, writeShape(shape)]),
    r: writeContent(method.request),
    s: [...method.responses].map(([status, content]) => [status, writeContent(content)]),
  };
}

function writeContent(content: Content): unknown {
  return [...content].map(([type, shape]) => [type, writeShape(shape)]);
}

function writeShape(shape: Shape): unknown {
  return {
    n: shape.seen,
    t: [...shape.types],
    ...(shape.format === undefined ? {} : { f: shape.format }),
    ...(shape.objects > 0 ? { o: shape.objects } : {}),
    ...(shape.members.size > 0 ? { p: [...shape.members].map(([name, member]) => [name, writeShape(member)]) } : {}),
    ...(shape.map ? { a: writeShape(shape.map) } : {}),
    ...(shape.items ? { i: writeShape(shape.items) } : {}),
  };
}

/**
 * Reads a state back. `teacher`: whose traffic it is, noted at every operation and value.
 *
 * @throws {StateUnreadable}
 */
export function readState(state: unknown, teacher?: string): Place {
  if (!isObject(state) || state['v'] !== 1) throw new StateUnreadable('no state of a learner');
  return new StateReader(teacher).place(state['root'], 0);
}

class StateReader {
  readonly #teacher: string | undefined;
  #nodes = 0;

  constructor(teacher: string | undefined) {
    this.#teacher = teacher;
  }

  place(raw: unknown, depth: number): Place {
    const from = this.#node(raw, depth);
    const place = newPlace();
    for (const [word, next] of pairs(from['w'])) place.words.set(text(word), this.place(next, depth + 1));
    if (from['v'] !== undefined) place.variable = this.place(from['v'], depth + 1);
    place.folded = from['f'] === 1;
    for (const [name, method] of pairs(from['m'])) place.methods.set(text(name), this.#method(method, depth + 1));
    return place;
  }

  #method(raw: unknown, depth: number): Method {
    const from = this.#node(raw, depth);
    const method = newMethod();
    method.calls = count(from['n']);
    method.withBody = count(from['b']);
    if (this.#teacher !== undefined) method.taught.set(this.#teacher, method.calls);
    for (const [name, shape] of pairs(from['q'])) method.query.set(text(name), this.#shape(shape, depth + 1));
    this.#content(method.request, from['r'], depth);
    for (const [status, content] of pairs(from['s'])) {
      const response: Content = new Map();
      this.#content(response, content, depth);
      method.responses.set(count(status), response);
    }
    return method;
  }

  #content(into: Content, raw: unknown, depth: number): void {
    for (const [type, shape] of pairs(raw)) into.set(text(type), this.#shape(shape, depth + 1));
  }

  #shape(raw: unknown, depth: number): Shape {
    const from = this.#node(raw, depth);
    const shape = newShape();
    shape.seen = count(from['n']);
    for (const [type, seen] of pairs(from['t'])) {
      if (typeof type !== 'string' || !TYPE_NAMES.has(type)) throw new StateUnreadable('an unknown type');
      shape.types.set(type, count(seen));
    }
    const format = from['f'];
    if (format !== undefined && format !== null && (typeof format !== 'string' || !FORMAT_NAMES.has(format)))
      throw new StateUnreadable('an unknown format');
    shape.format = format;
    shape.objects = from['o'] === undefined ? 0 : count(from['o']);
    for (const [name, member] of pairs(from['p'])) shape.members.set(text(name), this.#shape(member, depth + 1));
    if (from['a'] !== undefined) shape.map = this.#shape(from['a'], depth + 1);
    if (from['i'] !== undefined) shape.items = this.#shape(from['i'], depth + 1);
    if (this.#teacher !== undefined) shape.taught.set(this.#teacher, new Set(shape.types.keys()));
    return shape;
  }

  #node(raw: unknown, depth: number): Record<string, unknown> {
    this.#nodes += 1;
    if (!isObject(raw) || depth > DEPTH_MAX || this.#nodes > NODES_MAX) throw new StateUnreadable('too deep or large');
    return raw;
  }
}

function pairs(raw: unknown): Pairs {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) throw new StateUnreadable('a list was expected');
  return raw.map((item: unknown) => {
    if (!Array.isArray(item) || item.length !== 2) throw new StateUnreadable('a pair was expected');
    return [item[0], item[1]];
  });
}

function text(raw: unknown): string {
  if (typeof raw !== 'string' || raw.length > TEXT_CHARS_MAX) throw new StateUnreadable('a name was expected');
  return raw;
}

function count(raw: unknown): number {
  if (typeof raw !== 'number' || !Number.isSafeInteger(raw) || raw < 0) throw new StateUnreadable('no count');
  return raw;
}
