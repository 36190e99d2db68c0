import { z } from 'zod';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const ROWS_MAX = 60;
const VALUE_CHARS_MAX = 2_000;
/** Multi-valued attributes of which one element, chosen by its type, is kept (RFC 7643, section 4.1.2). */
const LISTS: ReadonlySet<string> = new Set(['emails', 'phoneNumbers']);
const SIMPLE_PATH = /^[a-z][A-Za-z0-9_-]*(\.[a-z][A-Za-z0-9_-]*)?$/;
const EXTENSION_PATH = /^(urn:[A-Za-z0-9:._-]+):([a-z][A-Za-z0-9_-]*)$/;
/** Cordon decides these itself: they say who it is and whether the account is on. */
const OWN: ReadonlySet<string> = new Set(['id', 'externalId', 'active', 'schemas', 'meta', 'groups', 'password']);

const to = z
  .string()
  .max(300)
  .refine((path) => (SIMPLE_PATH.test(path) || EXTENSION_PATH.test(path)) && !OWN.has(path), {
    error: 'A path such as userName, name.givenName, emails.work or urn:…:User:department; not one Cordon sets itself.',
  });

/** One row of a mapping: an attribute of the target, and what of the person it holds, or a constant. */
export const mappingSchema = z
  .array(
    z.union([
      z.strictObject({ to, from: z.string().min(1).max(300) }),
      z.strictObject({ to, value: z.union([z.string().max(VALUE_CHARS_MAX), z.boolean()]) }),
    ]),
  )
  .min(1)
  .max(ROWS_MAX)
  .refine((rows) => rows.some((row) => row.to === 'userName'), { error: 'A mapping must say what userName is.' })
  .refine((rows) => new Set(rows.map((row) => row.to)).size === rows.length, { error: 'A path is there twice.' });
export type Mapping = z.output<typeof mappingSchema>;

export const DEFAULT_MAPPING: Mapping = [
  { to: 'userName', from: 'login' },
  { to: 'displayName', from: 'name' },
  { to: 'emails.work', from: 'email' },
  { to: 'name.givenName', from: 'directory.name.givenName' },
  { to: 'name.familyName', from: 'directory.name.familyName' },
  { to: 'title', from: 'directory.title' },
  { to: `${ENTERPRISE}:department`, from: `directory.${ENTERPRISE}:department` },
];

/** Attributes by path. */
export type Flat = Readonly<Record<string, string | boolean>>;
export const flatSchema = z.record(z.string(), z.union([z.string(), z.boolean()]));

export interface SourcePerson {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  /** What the corporate directory says of them, as its own document; empty for a local account. */
  readonly directory: Readonly<Record<string, unknown>>;
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function member(holder: unknown, name: string): unknown {
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** Reads one path of a SCIM document. */
export function readPath(document: unknown, path: string): string | boolean | undefined {
  const extension = EXTENSION_PATH.exec(path);
  let value: unknown;
  if (extension) value = member(member(document, extension[1] ?? ''), extension[2] ?? '');
  else {
    const [head = '', tail] = path.split('.');
    value = member(document, head);
    if (tail !== undefined && LISTS.has(head)) {
      const list: readonly unknown[] = Array.isArray(value) ? value : [];
      value = member(
        list.find((item) => member(item, 'type') === tail),
        'value',
      );
    } else if (tail !== undefined) value = member(value, tail);
  }
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

function readSource(person: SourcePerson, from: string): string | boolean | undefined {
  const inDirectory = /^directory\.(.+)$/.exec(from)?.[1];
  const value = inDirectory === undefined ? member(person, from) : readPath(person.directory, inDirectory);
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.slice(0, VALUE_CHARS_MAX);
  return typeof value === 'boolean' ? value : undefined;
}

/** What the target should hold of a person, without externalId and active. */
export function applyMapping(mapping: Mapping, person: SourcePerson): Flat {
  const wanted: Record<string, string | boolean> = {};
  for (const row of mapping) {
    const value = 'from' in row ? readSource(person, row.from) : row.value;
    if (value !== undefined) wanted[row.to] = value;
  }
  return wanted;
}

/** As a SCIM user (RFC 7643, section 4.1), to be created. */
export function toDocument(wanted: Flat, externalId: string): Json {
  const document: Json = { externalId, active: true };
  const schemas = new Set([CORE]);
  for (const [path, value] of Object.entries(wanted)) {
    const extension = EXTENSION_PATH.exec(path);
    if (extension) {
      const [, urn = '', name = ''] = extension;
      schemas.add(urn);
      document[urn] = { ...(isObject(document[urn]) ? document[urn] : {}), [name]: value };
      continue;
    }
    const [head = '', tail] = path.split('.');
    if (tail === undefined) document[head] = value;
    else if (LISTS.has(head)) document[head] = withElement(document[head], tail, value);
    else document[head] = { ...(isObject(document[head]) ? document[head] : {}), [tail]: value };
  }
  return { schemas: [...schemas], ...document };
}

/** A list in which the element of this type has this value; the others stay. */
function withElement(list: unknown, type: string, value: string | boolean | undefined): Json[] {
  const others = (Array.isArray(list) ? list : []).filter(isObject);
  const kept = others.filter((item) => item['type'] !== type);
  if (value === undefined) return kept;
  const before = others.find((item) => item['type'] === type);
  return [...kept, { ...(before ?? { primary: kept.every((item) => item['primary'] !== true) }), type, value }];
}

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

/** Operations (RFC 7644, section 3.5.2) that bring these paths of what the target holds to what is wanted. */
export function toPatch(paths: readonly string[], wanted: Flat, remote: Json): PatchOperation[] {
  const lists = new Map<string, unknown>();
  const operations: PatchOperation[] = [];
  for (const path of paths) {
    const [head = '', tail] = path.split('.');
    const value = wanted[path];
    if (!EXTENSION_PATH.test(path) && tail !== undefined && LISTS.has(head)) {
      lists.set(head, withElement(lists.get(head) ?? remote[head], tail, value));
    } else operations.push(value === undefined ? { op: 'remove', path } : { op: 'replace', path, value });
  }
  for (const [path, value] of lists) operations.push({ op: 'replace', path, value });
  return operations;
}
