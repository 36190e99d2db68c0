import { canonicalPath } from './canonical-path.ts';
import type { JsonObject } from './json-value.ts';
import { describePlaces, type LearnedOperation } from './learned-description.ts';
import {
  fold,
  foldAlike,
  mergePlaces,
  newMethod,
  newPlace,
  type Place,
  record,
  type SeenCall,
  typedText,
  WORDS_MAX,
} from './learned-place.ts';
import { type LearnedState, readState, writePlace } from './learned-state.ts';
import { looksVariable } from './variable-segment.ts';

const NODES_MAX = 20_000;
const SHAPES_MAX = 50_000;
const FORM_FIELDS_MAX = 200;
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']);

/** One call as seen: bodies parsed when they are JSON or a form, undefined otherwise. */
export interface ObservedCall extends SeenCall {
  readonly method: string;
  /** Path below the app's upstream, without query. */
  readonly path: string;
}

export interface Proposal {
  /** An OpenAPI 3.1 document, ready for `compileDescription` after someone looked at it. */
  readonly description: JsonObject;
  readonly operations: number;
  /** Calls it is drawn from. */
  readonly calls: number;
  /** What speaks for each operation and field, and who showed it. */
  readonly evidence: readonly LearnedOperation[];
}

export interface Learner {
  /** Calls learned from, in this process or elsewhere. */
  readonly calls: number;
  /** Keeps types and names, never values. Calls that failed (4xx, 5xx) teach nothing about what is allowed. */
  observe(call: ObservedCall): void;
  /** Everything known, for another learner, here or elsewhere. */
  state(): LearnedState;
  /**
   * Adds what another learner knows.
   *
   * @param teacher whose traffic that was: kept with every operation and field that it showed
   * @throws {StateUnreadable}
   */
  absorb(state: unknown, teacher?: string): void;
  /** @param options.closed bodies of requests may hold no members but those seen */
  propose(options: { title: string; server: string; closed?: boolean }): Proposal;
}

/** Learns an undescribed API from its traffic and proposes a description of it. Bounded in memory. */
export function createLearner(): Learner {
  return new TrafficLearner();
}

class TrafficLearner implements Learner {
  #root = newPlace();
  #places = 1;
  readonly #shapes = { left: SHAPES_MAX };
  calls = 0;

  observe(call: ObservedCall): void {
    const canonical = canonicalPath(call.path);
    if (!canonical.ok || !METHODS.has(call.method) || call.status >= 400) return;
    let place = this.#root;
    for (const segment of canonical.segments) {
      const next = this.#step(place, segment);
      if (!next) return;
      place = next;
    }
    this.calls += 1;
    const method = place.methods.get(call.method) ?? newMethod();
    place.methods.set(call.method, method);
    record(method, call, this.#shapes);
  }

  state(): LearnedState {
    foldAlike(this.#root);
    return { v: 1, root: writePlace(this.#root) };
  }

  absorb(state: unknown, teacher?: string): void {
    this.#root = mergePlaces(this.#root, readState(state, teacher));
    foldAlike(this.#root);
    ({ calls: this.calls, places: this.#places } = count(this.#root));
  }

  propose({ title, server, closed = false }: { title: string; server: string; closed?: boolean }): Proposal {
    foldAlike(this.#root);
    const { paths, operations } = describePlaces(this.#root, closed);
    const info = {
      title,
      version: '0-observed',
      description: `Proposed from ${this.calls} observed calls; look it over.`,
    };
    const description = { openapi: '3.1.0', info, servers: [{ url: server }], paths };
    return { description, operations: operations.length, calls: this.calls, evidence: operations };
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

function count(place: Place): { calls: number; places: number } {
  let calls = 0;
  let places = 1;
  for (const method of place.methods.values()) calls += method.calls;
  for (const next of [...place.words.values(), ...(place.variable ? [place.variable] : [])]) {
    const below = count(next);
    calls += below.calls;
    places += below.places;
  }
  return { calls, places };
}

/** A form's fields as an object of types that a schema can name; nested names (`a[b]`) are left out. */
export function observedForm(text: string): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.size >= FORM_FIELDS_MAX) break;
    if (/[[\]]/.test(name)) continue;
    const known = fields.get(name);
    const typed = typedText(value);
    fields.set(name, known === undefined ? typed : Array.isArray(known) ? [...known, typed] : [known, typed]);
  }
  return Object.fromEntries(fields);
}
