import { compileOperation, type CompiledOperation } from './compile-operation.ts';
import { type Description, type DescriptionProblem, parseDescription } from './document.ts';
import { DescriptionInvalid } from './errors.ts';
import { isObject, listMember, objectMember, textMember } from './json-value.ts';
import { SchemaCompiler } from './schema.ts';
import { cutCycles } from './schema-cycles.ts';
import { encodeTable } from './table.ts';

const OPERATIONS_MAX = 20_000;
const SERVERS_MAX = 20;
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

export interface CompiledDescription {
  /** The operation table; store it under its hash. */
  readonly blob: Buffer;
  /** Hex SHA-256 of the blob. */
  readonly sha256: string;
  readonly title: string;
  readonly version: string;
  readonly operations: number;
  /** At most a few hundred; empty for a clean description. */
  readonly problems: readonly DescriptionProblem[];
}

/**
 * Compiles an OpenAPI 3.0 or 3.1 description (JSON or YAML, UTF-8) to an operation table. Parts that can't be used are
 * left out or loosened, and listed as problems; nothing is fetched.
 *
 * @throws {DescriptionTooBig | DescriptionInvalid} when there is nothing to compile.
 */
export function compileDescription(bytes: Uint8Array, options: { bytesMax?: number } = {}): CompiledDescription {
  try {
    return compileParsed(parseDescription(bytes, options.bytesMax));
  } catch (cause) {
    // Schemas that lead to each other ten thousand deep run out of stack; no real description comes near.
    if (cause instanceof RangeError) throw new DescriptionInvalid('references lead too deep', {}, { cause });
    throw cause;
  }
}

function compileParsed(description: Description): CompiledDescription {
  const { root } = description;
  const schemas = new SchemaCompiler(description);
  const operations: CompiledOperation[] = [];
  const seen = { ids: new Set<string>(), routes: new Set<string>() };
  for (const [path, item] of Object.entries(objectMember(root, 'paths'))) {
    if (path.startsWith('x-')) continue;
    if (!path.startsWith('/') || !isObject(item)) {
      schemas.report('error', ['paths', path], 'path must start with / and hold an object; it is left out');
      continue;
    }
    for (const method of METHODS) {
      const operation = compileOperation(description, schemas, { path, method, item });
      if (operation && isNew(operation, seen, schemas)) operations.push(operation);
    }
    if (operations.length > OPERATIONS_MAX) throw new DescriptionInvalid(`more than ${OPERATIONS_MAX} operations`);
  }
  for (const number of cutCycles(schemas.shared)) {
    schemas.report(
      'warning',
      schemas.referenceOf(number).slice(1),
      'schema applies itself to the same value; that part is ignored',
    );
  }
  if (operations.length === 0)
    throw new DescriptionInvalid('description holds no usable operation', { problems: schemas.problems });
  const info = objectMember(root, 'info');
  const title = textMember(info, 'title') ?? '';
  const version = textMember(info, 'version') ?? '';
  const servers = listMember(root, 'servers')
    .map((server) => (isObject(server) ? textMember(server, 'url') : undefined))
    .filter((url) => url !== undefined)
    .slice(0, SERVERS_MAX);
  const head = { title, version, servers, operations: operations.map((operation) => operation.head) };
  const details = operations.map(({ detail }) => detail);
  return {
    ...encodeTable(head, details, schemas.shared),
    title,
    version,
    operations: operations.length,
    problems: schemas.problems,
  };
}

/** Ids and routes must be unique: the first one stands. */
function isNew(
  operation: CompiledOperation,
  seen: { ids: Set<string>; routes: Set<string> },
  schemas: SchemaCompiler,
): boolean {
  const { id, method, path } = operation.head;
  const route = `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`;
  const at = ['paths', path, method.toLowerCase()];
  if (seen.ids.has(id)) {
    schemas.report('error', at, `operationId "${id}" is used twice; this operation is left out`);
    return false;
  }
  if (seen.routes.has(route)) {
    schemas.report('error', at, 'the same method and path are described twice; this operation is left out');
    return false;
  }
  seen.ids.add(id);
  seen.routes.add(route);
  return true;
}
