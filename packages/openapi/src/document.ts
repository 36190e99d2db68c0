import { parse as parseYaml, YAMLParseError } from 'yaml';
import { DescriptionInvalid, DescriptionTooBig } from './errors.ts';
import { isObject, type JsonObject, member, textMember } from './json-value.ts';

const MIB = 1024 * 1024;
export const DESCRIPTION_BYTES_MAX = 64 * MIB;
/** Aliases expand; a few hundred serve real documents, more is a "billion laughs". */
const YAML_ALIASES_MAX = 500;

export interface Description {
  readonly root: JsonObject;
  readonly dialect: '3.0' | '3.1';
}

/** Something in a description that was left out or read with tolerance. */
export interface DescriptionProblem {
  /** error: an operation was left out. warning: a part was loosened. */
  readonly severity: 'error' | 'warning';
  /** JSON Pointer into the description. */
  readonly pointer: string;
  readonly message: string;
}

/**
 * Reads JSON or YAML. Nothing is fetched: references must be local.
 *
 * @throws {DescriptionTooBig | DescriptionInvalid}
 */
export function parseDescription(bytes: Uint8Array, bytesMax = DESCRIPTION_BYTES_MAX): Description {
  if (bytes.byteLength > bytesMax) throw new DescriptionTooBig(`description exceeds ${bytesMax} bytes`, { bytesMax });
  const root = parseText(decode(bytes));
  if (!isObject(root)) throw new DescriptionInvalid('description is not an object');
  if (member(root, 'swagger') !== undefined) {
    throw new DescriptionInvalid(
      'this is Swagger 2.0; convert it to OpenAPI 3 first (for example with swagger2openapi)',
    );
  }
  const version = textMember(root, 'openapi') ?? '';
  const dialect = /^3\.([01])(?:\.|$)/.exec(version)?.[1];
  if (dialect === undefined) {
    throw new DescriptionInvalid(`"openapi" is ${JSON.stringify(version)}; 3.0 and 3.1 are understood`, { version });
  }
  if (!isObject(member(root, 'paths'))) throw new DescriptionInvalid('description has no "paths"');
  return { root, dialect: dialect === '0' ? '3.0' : '3.1' };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DescriptionInvalid('description is not UTF-8', {}, { cause });
  }
}

function parseText(text: string): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // YAML flow style also starts with a brace, and YAML's errors say line and column.
    }
  }
  try {
    return parseYaml(text, { maxAliasCount: YAML_ALIASES_MAX, prettyErrors: true, logLevel: 'error' });
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? cause.linePos?.[0].line : undefined;
    const message = cause instanceof Error ? cause.message.split('\n')[0] : 'unreadable';
    throw new DescriptionInvalid(`description is neither JSON nor YAML: ${message}`, { line }, { cause });
  }
}
