import { type Actor, AppId, appendAudit, authorize, authorizeOwn, type Transaction } from '@cordon/kernel';
import { NOBODY } from '../app-commands.ts';
import type { App } from '../app.ts';
import { loadApp, lockApp } from '../app-store.ts';
import type { EstateContext } from '../context.ts';
import { publish } from '../publication.ts';
import { compileGraphqlSchema } from './graphql-schema.ts';
import {
  deleteGraphqlSchema,
  findGraphqlSchema,
  graphqlSchemaKey,
  type GraphqlSchemaSummary,
  storeGraphqlSchema,
} from './graphql-store.ts';

/** Everything about GraphQL schemas that changes state. */
export function createGraphqlCommands(context: EstateContext) {
  const { db, clock } = context;

  const change = async (
    actor: Actor,
    id: string,
    write: (tx: Transaction, app: App, at: number) => Promise<{ action: string; detail: Record<string, unknown> }>,
  ): Promise<void> => {
    authorize(actor, 'app.write');
    const at = clock.now();
    await db.transaction(async (tx) => {
      const app = await lockApp(tx, AppId.parse(id));
      authorizeOwn(actor, 'app.write', app.owner?.id ?? NOBODY);
      const { action, detail } = await write(tx, app, at);
      await appendAudit(tx, { actor, action, target: { type: 'app', id: app.id, name: app.name }, detail, at });
    });
  };

  return {
    /** @param source SDL, or the JSON of an introspection */
    async setSchema(actor: Actor, id: string, source: string): Promise<GraphqlSchemaSummary | null> {
      authorize(actor, 'app.write');
      const schema = compileGraphqlSchema(source);
      const { sha256 } = schema;
      await change(actor, id, async (tx, app, at) => {
        await storeGraphqlSchema(tx, app.id, schema, new Date(at));
        const entry = { id: app.id, sha256, bytes: schema.sdl.byteLength };
        await publish(tx, { set: [[graphqlSchemaKey(app.id), entry]], at });
        return { action: 'app.graphql_schema_replaced', detail: { sha256, operations: schema.operations.length } };
      });
      return findGraphqlSchema(db, id);
    },

    removeSchema: (actor: Actor, id: string): Promise<void> =>
      change(actor, id, async (tx, app, at) => {
        await deleteGraphqlSchema(tx, app.id);
        await publish(tx, { remove: [graphqlSchemaKey(app.id)], at });
        return { action: 'app.graphql_schema_removed', detail: {} };
      }),

    async schema(actor: Actor, id: string): Promise<GraphqlSchemaSummary | null> {
      authorize(actor, 'app.read');
      const app = await loadApp(db, AppId.parse(id));
      return findGraphqlSchema(db, app.id);
    },
  };
}
