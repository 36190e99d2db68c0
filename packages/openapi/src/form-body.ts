import { isObject, type JsonObject } from './json-value.ts';

const FIELDS_MAX = 5000;
const NESTING_MAX = 10;

/**
 * Reads `application/x-www-form-urlencoded` into an object: repeated names become lists, brackets nest
 * (`card[number]=…`, `expand[]=…`, `items[0][price]=…`, as Stripe's SDK sends). Null when there are too many fields or
 * brackets, or names that contradict each other.
 */
export function parseForm(text: string): JsonObject | null {
  const form = emptyObject();
  let fields = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if ((fields += 1) > FIELDS_MAX || !assign(form, nameTokens(name), value)) return null;
  }
  return asLists(form) as JsonObject; // the outermost keys are names, never list positions
}

function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject; // `__proto__` must be a key like any other
}

function nameTokens(name: string): string[] {
  const open = name.indexOf('[');
  if (open <= 0 || !/^(?:\[[^[\]]*\])+$/.test(name.slice(open))) return [name];
  return [name.slice(0, open), ...name.slice(open + 1, -1).split('][')];
}

function assign(form: JsonObject, tokens: readonly string[], value: string): boolean {
  if (tokens.length > NESTING_MAX) return false;
  let holder = form;
  for (const token of tokens.slice(0, -1)) {
    const key = token === '' ? String(Object.keys(holder).length) : token;
    const next = (holder[key] ??= emptyObject());
    if (!isObject(next)) return false;
    holder = next;
  }
  const last = tokens.at(-1) ?? '';
  const key = last === '' && tokens.length > 1 ? String(Object.keys(holder).length) : last;
  const present = holder[key];
  if (isObject(present)) return false;
  if (present === undefined) holder[key] = value;
  else if (Array.isArray(present)) present.push(value);
  else holder[key] = [present, value];
  return true;
}

/** Objects whose keys are 0, 1, 2, … were lists. */
function asLists(value: unknown, outermost = true): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, asLists(item, false)]);
  if (!outermost && entries.length > 0 && entries.every(([key], index) => key === String(index)))
    return entries.map(([, item]) => item);
  const copy = emptyObject();
  for (const [key, item] of entries) copy[key] = item;
  return copy;
}
