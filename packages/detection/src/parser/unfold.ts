import { splitPath } from '../field-path.ts';
import { type StreamDocument } from './parser-schema.ts';

const SPLIT_MAX = 10_000;
const JSON_TEXT_BYTES_MAX = 1024 * 1024;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(root: unknown, keys: readonly string[]): unknown {
  let value = root;
  for (const key of keys) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** A copy of the object with one value replaced; only the objects on the way are copied. */
function withValue(root: unknown, keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  return isRecord(root) ? { ...root, [key]: withValue(root[key], rest, value) } : root;
}

function pairsToObject(list: readonly unknown[], pair: StreamDocument['pairs'][number]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  const valuePaths = pair.value.map(splitPath);
  for (const item of list) {
    const name = valueAt(item, splitPath(pair.name));
    if (typeof name !== 'string') continue;
    const found = valuePaths.map((keys) => valueAt(item, keys)).find((one) => one !== undefined);
    const value = openParameters(found, pair);
    // A plain assignment to `__proto__` would be lost.
    Object.defineProperty(object, name, { value: value ?? null, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

/** Google nests lists of parameters in a parameter's value. */
function openParameters(value: unknown, pair: StreamDocument['pairs'][number]): unknown {
  if (Array.isArray(value)) return value.map((one) => openParameters(one, pair));
  const nested = isRecord(value) ? value['parameter'] : undefined;
  return Array.isArray(nested) ? pairsToObject(nested, pair) : value;
}

function openJson(text: string): unknown {
  if (text.length > JSON_TEXT_BYTES_MAX) return text;
  try {
    const opened: unknown = JSON.parse(text);
    return typeof opened === 'object' && opened !== null ? opened : text;
  } catch {
    // Not JSON after all: the text stays as it is.
    return text;
  }
}

type Shape = Pick<StreamDocument, 'pairs' | 'json' | 'keys'> & {
  readonly unwrap?: string | undefined;
  readonly split?: string | undefined;
};

/** Gives top-level keys the vendor's spelling back. An event that has it already is passed on untouched. */
function respell(keys: readonly string[], event: unknown): unknown {
  if (keys.length === 0 || !isRecord(event)) return event;
  const spelling = new Map(keys.map((key) => [key.toLowerCase(), key]));
  const odd = Object.keys(event).some((key) => (spelling.get(key.toLowerCase()) ?? key) !== key);
  if (!odd) return event;
  return Object.fromEntries(
    Object.entries(event).map(([key, value]) => [spelling.get(key.toLowerCase()) ?? key, value]),
  );
}

function reshape(shape: Shape, event: unknown): unknown {
  let shaped = respell(shape.keys, event);
  for (const path of shape.json) {
    const keys = splitPath(path);
    const value = valueAt(shaped, keys);
    if (typeof value === 'string' && /^\s*[[{]/.test(value)) shaped = withValue(shaped, keys, openJson(value));
  }
  for (const pair of shape.pairs) {
    const keys = splitPath(pair.path);
    const value = valueAt(shaped, keys);
    if (Array.isArray(value)) shaped = withValue(shaped, keys, pairsToObject(value, pair));
  }
  return shaped;
}

/** Takes a vendor's record out of its envelope: one record may hold several events. */
export function unfold(shape: Shape, record: unknown): unknown[] {
  const inner = shape.unwrap === undefined ? undefined : valueAt(record, splitPath(shape.unwrap));
  const root = inner ?? record;
  return (Array.isArray(root) ? root.slice(0, SPLIT_MAX) : [root]).flatMap((event: unknown) => {
    const keys = shape.split === undefined ? [] : splitPath(shape.split);
    const list = shape.split === undefined ? undefined : valueAt(event, keys);
    if (!Array.isArray(list) || !isRecord(event)) return [reshape(shape, event)];
    const rest = { ...event };
    delete rest[keys[0] ?? ''];
    return list
      .slice(0, SPLIT_MAX)
      .map((part: unknown) => reshape(shape, isRecord(part) ? { ...rest, ...part } : rest));
  });
}
