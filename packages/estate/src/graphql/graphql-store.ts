import type { ColumnType, Kysely } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { z } from 'zod';
import { tablesOf as estateTables } from '../tables.ts';
import type { CompiledSchema, GraphqlOperation } from './graphql-schema.ts';

interface GraphqlTables {
  graphql_schemas: {
    app_id: string;
    sha256: string;
    bytes: number;
    types: number;
    operations: ColumnType<unknown, string, string>;
    updated_at: Date;
  };
}

const operations = z.array(
  z.object({ id: z.string(), access: z.enum(['read', 'write']), summary: z.string(), deprecated: z.boolean() }),
);

/** What is known of an app's schema. */
export interface GraphqlSchemaSummary {
  readonly sha256: string;
  readonly bytes: number;
  readonly types: number;
  readonly operations: readonly GraphqlOperation[];
  readonly updatedAt: number;
}

export const graphqlSchemaKey = (appId: string): string => `graphql-schema:${appId}`;

function tablesOf(source: Queryable): Kysely<GraphqlTables> {
  return source.tables<GraphqlTables>();
}

export async function findGraphqlSchema(db: Queryable, appId: string): Promise<GraphqlSchemaSummary | null> {
  const row = await tablesOf(db)
    .selectFrom('graphql_schemas')
    .selectAll()
    .where('app_id', '=', appId)
    .executeTakeFirst();
  if (!row) return null;
  const { sha256, bytes, types } = row;
  return {
    sha256,
    bytes,
    types,
    operations: operations.parse(row.operations),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function storeGraphqlSchema(
  tx: Transaction,
  appId: string,
  schema: CompiledSchema,
  at: Date,
): Promise<void> {
  await estateTables(tx)
    .insertInto('blobs')
    .values({ sha256: schema.sha256, kind: 'graphql-schema', bytes: schema.sdl, created_at: at })
    .onConflict((conflict) => conflict.column('sha256').doNothing())
    .execute();
  const values = {
    sha256: schema.sha256,
    bytes: schema.sdl.byteLength,
    types: schema.types,
    operations: JSON.stringify(schema.operations),
    updated_at: at,
  };
  await tablesOf(tx)
    .insertInto('graphql_schemas')
    .values({ app_id: appId, ...values })
    .onConflict((conflict) => conflict.column('app_id').doUpdateSet(values))
    .execute();
}

export async function deleteGraphqlSchema(tx: Transaction, appId: string): Promise<void> {
  await tablesOf(tx).deleteFrom('graphql_schemas').where('app_id', '=', appId).execute();
}
