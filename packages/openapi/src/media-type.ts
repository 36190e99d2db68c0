import type { Schema } from './schema.ts';
import type { Content } from './table.ts';

const TYPE = /^\s*([A-Za-z0-9!#$&^_.+-]+)\/([A-Za-z0-9!#$&^_.+-]+)\s*(?:;|$)/;

/** `type/subtype` in lower case, without parameters; null when malformed. */
export function mediaType(contentType: string): string | null {
  const match = TYPE.exec(contentType);
  return match ? `${match[1]}/${match[2]}`.toLowerCase() : null;
}

/** A parameter such as `boundary`, unquoted; null when absent. */
export function mediaParameter(contentType: string, name: string): string | null {
  const found = contentType
    .split(';')
    .slice(1)
    .map((part) => part.trim().split('='))
    .find(([key]) => key?.toLowerCase() === name);
  return found
    ? found
        .slice(1)
        .join('=')
        .replace(/^"(.*)"$/, '$1')
    : null;
}

export function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

/**
 * The described schema for a media type: exact, then any JSON for JSON (`application/vnd.github+json` for
 * `application/json`), then a range of types, then bytes of any kind (GitHub describes uploads so and takes images).
 * Undefined when the description doesn't have it.
 */
export function schemaFor(content: Content, type: string): Schema | undefined {
  const json = isJsonType(type) ? Object.keys(content).find(isJsonType) : undefined;
  const candidates = [type, json, `${type.split('/')[0]}/*`, '*/*', 'application/octet-stream'];
  const found = candidates.find((candidate) => candidate !== undefined && Object.hasOwn(content, candidate));
  return found === undefined ? undefined : content[found];
}
