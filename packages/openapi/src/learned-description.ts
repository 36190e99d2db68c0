import type { JsonObject } from './json-value.ts';
import type { Content, Method, Place } from './learned-place.ts';
import { isRequired, schemaOf, type Shape, typesOf } from './observed-shape.ts';

const FIELDS_MAX = 400;
const CALLS_SURE = 100;
const CALLS_FAIR = 10;
/** A type that as small a part of the values had is told as odd. */
const ODD_SHARE = 0.02;

export interface LearnedField {
  readonly in: 'query' | 'request' | 'response';
  /** `owner.name`, `items[].id`; empty for the body itself. */
  readonly path: string;
  readonly types: readonly string[];
  readonly format: string | null;
  readonly seen: number;
  readonly required: boolean;
  /** Who showed it, by id; empty where nobody was named. */
  readonly teachers: readonly string[];
  /** Types that hardly any value had, with who brought them: a mistake, or someone who widens the description. */
  readonly odd: readonly { readonly type: string; readonly teachers: readonly string[] }[];
}

export interface LearnedOperation {
  readonly method: string;
  readonly path: string;
  readonly calls: number;
  readonly teachers: readonly { readonly id: string; readonly calls: number }[];
  /** How far it can be relied on: by how many calls, of how many integrations. */
  readonly confidence: 'low' | 'fair' | 'high';
  readonly fields: readonly LearnedField[];
}

export interface Described {
  readonly paths: JsonObject;
  readonly operations: readonly LearnedOperation[];
}

/** OpenAPI paths for what was seen, and the evidence for each operation. */
export function describePlaces(root: Place, closed: boolean): Described {
  const paths: [string, JsonObject][] = [];
  const operations: LearnedOperation[] = [];
  walk(root, [], [], (path, names, methods) => {
    const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
    paths.push([
      path,
      {
        ...(names.length > 0 ? { parameters } : {}),
        ...Object.fromEntries([...methods].map(([name, method]) => [name.toLowerCase(), operationOf(method, closed)])),
      },
    ]);
    for (const [name, method] of methods) operations.push(evidenceOf(name, path, method));
  });
  return { paths: Object.fromEntries(paths), operations };
}

type Visit = (path: string, names: readonly string[], methods: ReadonlyMap<string, Method>) => void;

function walk(place: Place, segments: readonly string[], names: readonly string[], visit: Visit): void {
  if (place.methods.size > 0) visit(`/${segments.join('/')}`, names, place.methods);
  for (const [word, next] of [...place.words].sort(([a], [b]) => (a < b ? -1 : 1))) {
    walk(next, [...segments, encodeURIComponent(word)], names, visit);
  }
  if (!place.variable) return;
  const name = parameterName(segments, names);
  walk(place.variable, [...segments, `{${name}}`], [...names, name], visit);
}

/** `/users/{user}`: the singular of the word before it, numbered when taken. */
function parameterName(segments: readonly string[], taken: readonly string[]): string {
  const before = segments.at(-1)?.replaceAll(/[^A-Za-z0-9]/g, '') ?? '';
  const base = before === '' || segments.at(-1)?.startsWith('{') ? 'id' : before.replace(/ies$/, 'y').replace(/s$/, '');
  let name = base;
  for (let n = 2; taken.includes(name); n += 1) name = `${base}${n}`;
  return name;
}

function operationOf(method: Method, closed: boolean): JsonObject {
  const parameters = [...method.query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, shape]) => ({ name, in: 'query', schema: schemaOf(shape) }));
  // Answers stay open: a vendor may add members at any time.
  const responses = [...method.responses].map(
    ([status, content]) => [String(status), { description: 'observed', content: contentOf(content, false) }] as const,
  );
  const body = { required: method.withBody === method.calls, content: contentOf(method.request, closed) };
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(method.withBody > 0 ? { requestBody: body } : {}),
    responses: Object.fromEntries(responses),
  };
}

function contentOf(content: Content, closed: boolean): JsonObject {
  return Object.fromEntries(
    [...content].map(([type, shape]) => [type, shape.seen > 0 ? { schema: schemaOf(shape, closed) } : {}]),
  );
}

function evidenceOf(name: string, path: string, method: Method): LearnedOperation {
  const fields: LearnedField[] = [];
  for (const [query, shape] of method.query) addField(fields, 'query', query, shape, false);
  for (const shape of method.request.values()) addFields(fields, 'request', '', shape, true);
  for (const [status, content] of method.responses)
    if (status < 300) for (const shape of content.values()) addFields(fields, 'response', '', shape, true);
  const sure = method.calls >= CALLS_SURE && method.taught.size !== 1;
  return {
    method: name,
    path,
    calls: method.calls,
    teachers: [...method.taught].map(([id, calls]) => ({ id, calls })).sort((a, b) => b.calls - a.calls),
    confidence: sure ? 'high' : method.calls >= CALLS_FAIR ? 'fair' : 'low',
    fields,
  };
}

function addFields(
  fields: LearnedField[],
  where: LearnedField['in'],
  path: string,
  shape: Shape,
  required: boolean,
): void {
  if (shape.seen === 0) return;
  const inner = shape.members.size > 0 || shape.items !== null || shape.map !== null;
  if (!inner || path !== '') addField(fields, where, path, shape, required);
  for (const [name, member] of [...shape.members].sort(([a], [b]) => (a < b ? -1 : 1)))
    addFields(fields, where, path === '' ? name : `${path}.${name}`, member, isRequired(shape, member));
  if (shape.items) addFields(fields, where, `${path}[]`, shape.items, false);
  if (shape.map) addFields(fields, where, path === '' ? '*' : `${path}.*`, shape.map, false);
}

function addField(
  fields: LearnedField[],
  where: LearnedField['in'],
  path: string,
  shape: Shape,
  required: boolean,
): void {
  if (fields.length >= FIELDS_MAX) return;
  const teachersOf = (type: string): string[] =>
    [...shape.taught].filter(([, types]) => types.has(type)).map(([teacher]) => teacher);
  const odd = [...shape.types]
    .filter(([type, count]) => type !== 'null' && type !== 'integer' && count / shape.seen <= ODD_SHARE)
    .map(([type]) => ({ type, teachers: teachersOf(type) }));
  fields.push({
    in: where,
    path,
    types: typesOf(shape),
    format: shape.format ?? null,
    seen: shape.seen,
    required,
    teachers: [...shape.taught.keys()],
    odd,
  });
}
