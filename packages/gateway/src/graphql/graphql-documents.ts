import { createHash } from 'node:crypto';
import {
  buildSchema,
  type DocumentNode,
  getVariableValues,
  type GraphQLSchema,
  OverlappingFieldsCanBeMergedRule,
  specifiedRules,
  validate,
} from 'graphql';
import type { GraphqlSchemaEntry } from '@cordon/policy';
import type { BlobStore } from '../blob-store.ts';

const PERSISTED_MAX = 5_000;
const PERSISTED_BYTES_MAX = 32 * 1024 * 1024;
const SCHEMAS_MAX = 32;
const MESSAGE_CHARS_MAX = 200;
/** Comparing every pair of fields is quadratic, and a conflict is the server's to refuse: both fields were judged. */
const RULES = specifiedRules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule);

/** What a gateway process remembers about GraphQL: schemas in force, and documents that it has judged by their hash. */
export class GraphqlDocuments {
  readonly #blobs: BlobStore;
  readonly #schemas = new Map<string, Promise<GraphQLSchema>>();
  readonly #persisted = new Map<string, string>();
  #persistedBytes = 0;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Rejects when control doesn't have the schema; the next call asks again. */
  schema(entry: GraphqlSchemaEntry): Promise<GraphQLSchema> {
    const known = this.#schemas.get(entry.sha256);
    if (known) return known;
    // Control made this text from a schema that it had checked; what was signed is its hash.
    const loading = this.#blobs
      .get(entry.sha256)
      .then((sdl) => buildSchema(sdl.toString('utf8'), { noLocation: true, assumeValidSDL: true }));
    if (this.#schemas.size >= SCHEMAS_MAX) this.#schemas.clear();
    this.#schemas.set(entry.sha256, loading);
    loading.catch(() => this.#schemas.delete(entry.sha256));
    return loading;
  }

  /** A document under its hash. False when it isn't what the hash says. */
  remember(appId: string, sha256: string, query: string): boolean {
    if (createHash('sha256').update(query).digest('hex') !== sha256) return false;
    const key = `${appId} ${sha256}`;
    if (this.#persisted.has(key)) return true;
    this.#persistedBytes += query.length;
    if (this.#persisted.size >= PERSISTED_MAX || this.#persistedBytes > PERSISTED_BYTES_MAX) {
      this.#persisted.clear();
      this.#persistedBytes = query.length;
    }
    this.#persisted.set(key, query);
    return true;
  }

  recall(appId: string, sha256: string): string | undefined {
    return this.#persisted.get(`${appId} ${sha256}`);
  }
}

/** How a document or its variables don't fit a schema; undefined when they do. */
export function findSchemaViolation(
  schema: GraphQLSchema,
  document: DocumentNode,
  request: { readonly operationName: string | undefined; readonly variables: Record<string, unknown> },
): string | undefined {
  const [error] = validate(schema, document, RULES, { maxErrors: 1 });
  if (error) return error.message.slice(0, MESSAGE_CHARS_MAX);
  const operation = document.definitions.find(
    (one) =>
      one.kind === 'OperationDefinition' &&
      (request.operationName === undefined || one.name?.value === request.operationName),
  );
  if (operation?.kind !== 'OperationDefinition') return undefined;
  const result = getVariableValues(schema, operation.variableDefinitions ?? [], request.variables, { maxErrors: 1 });
  // The message quotes the value, which may be a secret: only where it is wrong is told.
  const wrong = result.errors?.[0]?.message;
  return wrong === undefined
    ? undefined
    : (/^Variable "\$[A-Za-z0-9_]+"/.exec(wrong)?.[0] ?? 'A variable') + ' does not fit its type';
}
