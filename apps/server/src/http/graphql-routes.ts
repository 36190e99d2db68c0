import { type Estate, SCHEMA_BYTES_MAX } from '@cordon/estate';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

const tags = ['graphql'];

const schemaBody = z
  .object({
    sha256: z.string(),
    bytes: z.int(),
    types: z.int(),
    /** Root fields: what grants name. */
    operations: z.array(
      z.object({ id: z.string(), access: z.enum(['read', 'write']), summary: z.string(), deprecated: z.boolean() }),
    ),
    updatedAt: z.int(),
  })
  .nullable();

type Summary = Awaited<ReturnType<Estate['graphql']['schema']>>;

const plain = (summary: Summary) => summary && { ...summary, operations: [...summary.operations] };

/** The schemas of GraphQL endpoints; their other settings are the app's. */
export function addGraphqlRoutes(server: ApiServer, { estate }: { readonly estate: Estate }): void {
  server.get(
    '/api/v1/apps/:id/graphql/schema',
    { config: { permission: 'app.read' }, schema: { tags, params: idParameter, response: { 200: schemaBody } } },
    async (request) => plain(await estate.graphql.schema(actorOf(request), request.params.id)),
  );
  server.put(
    '/api/v1/apps/:id/graphql/schema',
    {
      config: { permission: 'app.write' },
      bodyLimit: 2 * SCHEMA_BYTES_MAX,
      schema: {
        tags,
        params: idParameter,
        // SDL, or the JSON of an introspection.
        body: z.strictObject({ document: z.string().min(1) }),
        response: { 200: schemaBody },
      },
    },
    async (request) =>
      plain(await estate.graphql.setSchema(actorOf(request), request.params.id, request.body.document)),
  );
  server.delete(
    '/api/v1/apps/:id/graphql/schema',
    { config: { permission: 'app.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await estate.graphql.removeSchema(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
