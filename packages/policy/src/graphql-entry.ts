import { z } from 'zod';

const KIB = 1024;

/** How the gateway treats an app's GraphQL endpoint. */
export const graphqlSettings = z.strictObject({
  /** Paths below the upstream that speak GraphQL: `/graphql`. */
  paths: z
    .array(
      z
        .string()
        .regex(/^\/[A-Za-z0-9_./-]*$/, 'expected a plain path')
        .max(200),
    )
    .min(1)
    .max(8)
    .default(['/graphql']),
  introspection: z.enum(['refuse', 'allow']).default('refuse'),
  /** Queries by GET. Mutations by GET are always refused. */
  get: z.enum(['refuse', 'allow']).default('allow'),
  /** Apollo's automatic persisted queries, by SHA-256 of the document. */
  persistedQueries: z.enum(['refuse', 'allow']).default('allow'),
  documentBytesMax: z
    .int()
    .min(64)
    .max(1024 * KIB)
    .default(64 * KIB),
  tokensMax: z.int().min(10).max(100_000).default(10_000),
  depthMax: z.int().min(1).max(100).default(15),
  /** Fields after fragments are expanded. */
  fieldsMax: z.int().min(1).max(50_000).default(1000),
  aliasesMax: z.int().min(0).max(10_000).default(30),
  directivesMax: z.int().min(0).max(10_000).default(50),
  rootFieldsMax: z.int().min(1).max(1000).default(20),
  /** Objects that the document may ask for: page sizes (`first`, `last`, `limit`) multiply down the tree. */
  costMax: z.int().min(1).max(100_000_000).default(500_000),
  /** Operations in one request body; 1: no batching. */
  batchMax: z.int().min(1).max(100).default(1),
});
export type GraphqlSettings = z.output<typeof graphqlSettings>;

/** `graphql-schema:<AppId>`: the schema that documents are checked against, as SDL, fetched by content address. */
export const graphqlSchemaEntry = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});
export type GraphqlSchemaEntry = z.output<typeof graphqlSchemaEntry>;
