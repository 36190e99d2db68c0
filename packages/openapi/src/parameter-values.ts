import type { JsonObject } from './json-value.ts';
import type { CompiledParameter } from './table.ts';

const VALUES_MAX = 2000;

/** Where parameters come from. Header names in lower case. */
export interface ParameterSource {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
}

/** What a parameter's text says, taken apart as its style tells (OpenAPI 3.0.3 section 4.7.12.2). Undefined: absent. */
export function parameterValue(parameter: CompiledParameter, source: ParameterSource): unknown {
  if (parameter.in === 'query') return queryValue(parameter, source.query);
  const own = Object.hasOwn(source.path, parameter.name) ? source.path[parameter.name] : undefined;
  const text = parameter.in === 'path' ? own : source.header(parameter.name);
  return text === undefined ? undefined : textValue(parameter, text, ',');
}

function queryValue(parameter: CompiledParameter, query: URLSearchParams): unknown {
  const { name, shape, style, explode } = parameter;
  if (shape === 'object' && style === 'deepObject') return deepObject(name, query);
  // Exploded members are parameters of their own, which can't be told from others; nothing to check.
  if (shape === 'object' && explode && !query.has(name)) return undefined;
  const values = query.getAll(name);
  const [first] = values;
  if (first === undefined) return shape === 'array' ? bracketed(name, query) : undefined;
  // A scalar given twice stays a list, which its schema then refuses: servers disagree on which of the two counts.
  if ((shape === 'array' && explode) || values.length > 1) return values.slice(0, VALUES_MAX);
  const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
  return textValue(parameter, first, separator);
}

function textValue({ shape, explode, json }: CompiledParameter, text: string, separator: string): unknown {
  if (json) return parseJson(text);
  if (shape === 'scalar') return text;
  const parts = text.split(separator, VALUES_MAX);
  if (shape === 'array') return parts;
  const pairs = explode
    ? parts.map((part) => part.split('=', 2))
    : parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1]]] : []));
  return Object.fromEntries(
    pairs.filter(([key, value]) => key !== undefined && value !== undefined && key !== '__proto__'),
  );
}

/** `filter[state]=open` */
function deepObject(name: string, query: URLSearchParams): JsonObject | undefined {
  const entries = [...query.entries()]
    .filter(([key]) => key.startsWith(`${name}[`) && key.endsWith(']'))
    .slice(0, VALUES_MAX)
    .map(([key, value]) => [key.slice(name.length + 1, -1), value] as const)
    .filter(([key]) => key !== '__proto__' && !key.includes('['));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** `ids[]=1&ids[]=2`, which many SDKs send for exploded lists. */
function bracketed(name: string, query: URLSearchParams): string[] | undefined {
  const values = query.getAll(`${name}[]`).slice(0, VALUES_MAX);
  return values.length === 0 ? undefined : values;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // which then isn't of the described type
  }
}
