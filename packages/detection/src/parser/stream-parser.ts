import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import { ANY_KEY, anyAt, existsAt, splitPath, textOf } from '../field-path.ts';
import { type DetectionEvent } from '../signal.ts';
import { globTest, parseWildcards } from '../sigma/wildcard.ts';
import { parseEventTime } from './event-time.ts';
import { ocsfNumbers, ocsfSeverityId, ocsfStatusId, OCSF_VERSION } from './ocsf-class.ts';
import { type ParserDocument, type SourceDocument, type StreamDocument } from './parser-schema.ts';
import { isRecord, unfold } from './unfold.ts';

const VALUES_MAX = 200;
const OPERATIONS_MAX = 10_000;

type Read = (raw: unknown) => unknown;

interface Attribute {
  readonly keys: readonly string[];
  readonly read: Read;
}

/** Keys of the raw event that a mapping reads; `true` ends a path. */
type UsedPaths = Map<string, UsedPaths | true>;

/** One stream of a product, compiled once. */
export interface StreamParser {
  readonly product: string;
  readonly service: string;
  readonly document: StreamDocument;
  /** Whether a record is of this stream, by the paths that tell streams apart. */
  recognises(record: unknown): boolean;
  /** One vendor record as events. `receivedAt` stands in where the record has no readable time. */
  parse(record: unknown, receivedAt: number): DetectionEvent[];
}

export function compileStream(parser: ParserDocument, stream: StreamDocument): StreamParser {
  const when = stream.when.flatMap(recognition);
  const readTime = firstOf(stream.time);
  const readOperation = firstOf(stream.operation);
  const readId = stream.id ? firstOf(stream.id) : (): unknown => undefined;
  const attributes = Object.entries(stream.fields).map(([name, source]): Attribute => ({
    keys: splitPath(name),
    read: compileSource(source),
  }));
  const classify = compileClasses(stream);
  const used = usedPaths(stream);
  const product = { uid: parser.product, name: parser.title, vendor_name: parser.vendor };

  const toEvent = (raw: unknown, receivedAt: number): DetectionEvent => {
    const time = parseEventTime(readTime(raw)) ?? receivedAt;
    const operation = textOrEmpty(readOperation(raw));
    const vendorId = textOrEmpty(readId(raw));
    const id = vendorId === '' ? contentId(raw) : vendorId;
    const ocsf: Record<string, unknown> = {
      ...classify(operation),
      time,
      metadata: { version: OCSF_VERSION, product, log_name: stream.service, uid: id },
      api: { operation },
    };
    for (const attribute of attributes) {
      const value = attribute.read(raw);
      if (value !== undefined) assign(ocsf, attribute.keys, asOcsf(attribute.keys, value));
    }
    ocsf['status_id'] = ocsfStatusId(ocsf['status']);
    ocsf['severity_id'] = ocsfSeverityId(ocsf['severity']);
    ocsf['unmapped'] = unmapped(raw, used);
    return { id, time, product: parser.product, service: stream.service, raw, ocsf };
  };

  return {
    product: parser.product,
    service: stream.service,
    document: stream,
    recognises: (record) => {
      const candidate = unfold({ ...stream, split: undefined, pairs: [], json: [] }, record)[0] ?? record;
      return when.every((test) => test(candidate) || test(record));
    },
    parse: (record, receivedAt) => unfold(stream, record).map((raw) => toEvent(raw, receivedAt)),
  };
}

function recognition(condition: string | Readonly<Record<string, string>>): ((record: unknown) => boolean)[] {
  if (typeof condition === 'string') {
    const keys = splitPath(condition);
    return [(record) => existsAt(record, keys)];
  }
  return Object.entries(condition).map(([path, expected]) => {
    const keys = splitPath(path);
    return (record) => anyAt(record, keys, (value) => textOf(value).toLowerCase() === expected.toLowerCase());
  });
}

function textOrEmpty(value: unknown): string {
  return value === undefined || value === null ? '' : textOf(value);
}

/** Events without an id of their own get one from their content, so that a second delivery counts once. */
function contentId(raw: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(raw) ?? '')
    .digest('hex')
    .slice(0, 32);
}

function firstOf(paths: readonly string[]): Read {
  const compiled = paths.map(splitPath);
  return (raw) => {
    for (const keys of compiled) {
      const found = firstAt(raw, keys);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The first value at the path that isn't empty. */
function firstAt(raw: unknown, keys: readonly string[]): unknown {
  let value = raw;
  for (const key of keys) {
    if (key === ANY_KEY || Array.isArray(value)) return firstOfMany(raw, keys);
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    // Checked above to be an object that has the key.
    value = (value as Record<string, unknown>)[key];
  }
  if (Array.isArray(value)) return firstOfMany(raw, keys);
  return value === '' || value === null ? undefined : value;
}

function firstOfMany(raw: unknown, keys: readonly string[]): unknown {
  let found: unknown;
  anyAt(raw, keys, (value) => {
    if (value === '') return false;
    found = value;
    return true;
  });
  return found;
}

function allOf(paths: readonly string[]): Read {
  const compiled = paths.map(splitPath);
  return (raw) => {
    const found: unknown[] = [];
    for (const keys of compiled) {
      anyAt(raw, keys, (value) => found.push(value) >= VALUES_MAX);
      if (found.length > 0) return found;
    }
    return undefined;
  };
}

type SourceOptions = Partial<Exclude<SourceDocument, { from: string[]; map?: never }>>;

function compileCount(paths: readonly string[], only: true | string): Read {
  const read = allOf(paths);
  return (raw) => {
    const values = read(raw);
    if (!Array.isArray(values)) return 0;
    if (only === true) return values.length;
    return values.filter((value) => textOf(value).toLowerCase() === only.toLowerCase()).length;
  };
}

function compileJoin(paths: readonly string[], between: string): Read {
  const read = allOf(paths);
  return (raw) => {
    const values = read(raw);
    return Array.isArray(values) ? values.map(textOf).join(between) : undefined;
  };
}

function compileDifference(read: Read, readOther: Read, convert: Read): Read {
  return (raw) => {
    const [value, other] = [convert(read(raw)), convert(readOther(raw))];
    return typeof value === 'number' && typeof other === 'number' ? value - other : undefined;
  };
}

function compileSource(source: SourceDocument): Read {
  const options: SourceOptions = source;
  const paths = options.from ?? [];
  if (options.count !== undefined) return compileCount(paths, options.count);
  if (options.join !== undefined) return compileJoin(paths, options.join);
  const read = options.many === true ? allOf(paths) : firstOf(paths);
  const map = options.map && new Map(Object.entries(options.map).map(([key, value]) => [key.toLowerCase(), value]));
  const extract = options.extract === undefined ? undefined : RE2JS.compile(options.extract);
  const convert = (value: unknown): unknown => {
    let converted = value;
    if (extract) {
      const matcher = extract.matcher(textOf(converted));
      if (!matcher.find()) return undefined;
      converted = matcher.group(1) ?? undefined;
    }
    // With a default, a value that the map doesn't know is that default.
    if (map) converted = map.get(textOf(converted).toLowerCase()) ?? options.default ?? converted;
    if (options.prefix !== undefined) converted = options.prefix + textOf(converted);
    if (options.as === 'time') return parseEventTime(converted);
    if (options.as === 'number') {
      const number = Number(converted);
      return Number.isFinite(number) ? number : undefined;
    }
    return converted;
  };
  if (options.minus !== undefined) return compileDifference(read, firstOf([options.minus]), convert);
  return (raw) => {
    const value = read(raw);
    if (value === undefined) return options.default;
    return (Array.isArray(value) ? value.map(convert) : convert(value)) ?? options.default;
  };
}

function compileClasses(stream: StreamDocument): (operation: string) => Record<string, unknown> {
  const rules = stream.activities.map((one) => ({
    tests: one.operation.map((pattern) => globTest(parseWildcards(pattern.toLowerCase()))),
    numbers: ocsfNumbers(one.class, one.activity),
  }));
  const otherwise = ocsfNumbers(stream.otherwise.class, stream.otherwise.activity);
  const known = new Map<string, Record<string, unknown>>();
  return (operation) => {
    const remembered = known.get(operation);
    if (remembered) return remembered;
    const folded = operation.toLowerCase();
    const found = rules.find((rule) => rule.tests.some((test) => test(folded)))?.numbers ?? otherwise;
    if (known.size < OPERATIONS_MAX) known.set(operation, found);
    return found;
  };
}

const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set([
  'uid',
  'name',
  'email_addr',
  'ip',
  'user_agent',
  'status',
  'message',
]);

/** OCSF types these attributes as text; vendors often number what they identify. */
function asOcsf(keys: readonly string[], value: unknown): unknown {
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return scalar && TEXT_ATTRIBUTES.has(keys.at(-1) ?? '') ? String(value) : value;
}

function assign(target: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  let at = target;
  for (const key of keys.slice(0, -1)) {
    const next = at[key];
    const child: Record<string, unknown> = isRecord(next) ? next : {};
    at[key] = child;
    at = child;
  }
  at[keys.at(-1) ?? ''] = value;
}

function usedPaths(stream: StreamDocument): UsedPaths {
  const used: UsedPaths = new Map();
  const sources = Object.values(stream.fields).flatMap((source) => source.from ?? []);
  for (const path of [...sources, ...stream.time, ...stream.operation, ...(stream.id ?? [])]) {
    let at = used;
    const keys = splitPath(path);
    for (const [depth, key] of keys.entries()) {
      const next = at.get(key);
      if (next === true) break;
      if (depth === keys.length - 1) at.set(key, true);
      else {
        const child: UsedPaths = next ?? new Map();
        at.set(key, child);
        at = child;
      }
    }
  }
  return used;
}

/** What no mapping reads stays, under OCSF's `unmapped`: nothing a vendor sent is dropped. */
function unmapped(raw: unknown, used: UsedPaths): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  if (!isRecord(raw)) return { value: raw };
  for (const [key, value] of Object.entries(raw)) {
    const use = used.get(key);
    if (use === true) continue;
    if (use === undefined) {
      rest[key] = value;
    } else if (isRecord(value)) {
      const inner = unmapped(value, use);
      if (Object.keys(inner).length > 0) rest[key] = inner;
    } else {
      // Lists are mapped by some of their elements only; the whole list stays.
      rest[key] = value;
    }
  }
  return rest;
}
