import { createHash } from 'node:crypto';
import { buildClientSchema, buildSchema, type GraphQLSchema, type IntrospectionQuery, printSchema } from 'graphql';
import { DescriptionInvalid } from '../errors.ts';

export const SCHEMA_BYTES_MAX = 16 * 1024 * 1024;
const TOKENS_MAX = 2_000_000;
const OPERATIONS_MAX = 5_000;

/** A root field: what grants name. */
export interface GraphqlOperation {
  readonly id: string;
  readonly access: 'read' | 'write';
  readonly summary: string;
  readonly deprecated: boolean;
}

export interface CompiledSchema {
  readonly sdl: Buffer;
  readonly sha256: string;
  readonly types: number;
  readonly operations: readonly GraphqlOperation[];
}

function readSchema(source: string): GraphQLSchema {
  const text = source.trim();
  if (!text.startsWith('{')) return buildSchema(text, { noLocation: true, maxTokens: TOKENS_MAX });
  const parsed: unknown = JSON.parse(text);
  const inside = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined; // an own or absent member
  const result = inside(parsed, 'data') ?? parsed;
  if (inside(result, '__schema') === undefined) throw new Error('neither SDL nor the result of an introspection');
  return buildClientSchema(result as IntrospectionQuery); // which checks what it is given
}

/**
 * Reads a schema as SDL or as the JSON of an introspection.
 *
 * @throws {DescriptionInvalid}
 */
export function compileGraphqlSchema(source: string): CompiledSchema {
  if (Buffer.byteLength(source) > SCHEMA_BYTES_MAX) {
    throw new DescriptionInvalid(`The schema exceeds ${SCHEMA_BYTES_MAX} bytes.`);
  }
  let schema: GraphQLSchema;
  try {
    schema = readSchema(source);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DescriptionInvalid(`The schema cannot be read: ${why.slice(0, 300)}`, {}, error);
  }
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  const operations = roots.flatMap(([kind, type]) =>
    Object.values(type?.getFields() ?? {}).map((field): GraphqlOperation => ({
      id: `graphql.${kind}.${field.name}`,
      access: kind === 'mutation' ? 'write' : 'read',
      summary: (field.description ?? '').split('\n', 1)[0]?.slice(0, 200) ?? '',
      deprecated: field.deprecationReason != null,
    })),
  );
  if (operations.length === 0) throw new DescriptionInvalid('The schema has no root fields.');
  const sdl = Buffer.from(printSchema(schema));
  const sha256 = createHash('sha256').update(sdl).digest('hex');
  const types = Object.keys(schema.getTypeMap()).filter((name) => !name.startsWith('__')).length;
  return { sdl, sha256, types, operations: operations.slice(0, OPERATIONS_MAX) };
}
