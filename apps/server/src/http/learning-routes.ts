import { acceptInput, type Estate, type LearningProposal } from '@cordon/estate';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { appBody, idParameter } from './estate-bodies.ts';

const tags = ['learning'];
const NAMED_MAX = 100;

const standing = z.enum(['new', 'known', 'differs']);

const proposalBody = z.object({
  calls: z.int(),
  /** Calls seen and not learned from, because what is known had grown too large. */
  dropped: z.int(),
  teachers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      calls: z.int(),
      firstAt: z.int(),
      lastAt: z.int(),
      isLeftOut: z.boolean(),
    }),
  ),
  operations: z.array(
    z.object({
      method: z.string(),
      path: z.string(),
      calls: z.int(),
      teachers: z.array(z.object({ id: z.string(), calls: z.int() })),
      confidence: z.enum(['low', 'fair', 'high']),
      standing,
      describedAs: z.string().nullable(),
      fields: z.array(
        z.object({
          in: z.enum(['query', 'request', 'response']),
          path: z.string(),
          types: z.array(z.string()),
          format: z.string().nullable(),
          seen: z.int(),
          required: z.boolean(),
          teachers: z.array(z.string()),
          /** Types that hardly any value had, and who brought them. */
          odd: z.array(z.object({ type: z.string(), teachers: z.array(z.string()) })),
          standing,
        }),
      ),
    }),
  ),
  /** Described operations that no learned call was. */
  unseen: z.array(z.string()),
  /** Names this proposal; to be sent back when it is accepted. */
  digest: z.string(),
  /** OpenAPI 3.1. */
  description: z.record(z.string(), z.unknown()),
});

const names = z.union([z.string(), z.array(z.string()).max(NAMED_MAX)]);
const proposalQuery = z.strictObject({
  /** Ids of integrations whose calls don't count. */
  without: names.optional(),
  closed: z.enum(['true', 'false']).optional(),
});

const plain = (proposal: LearningProposal): z.output<typeof proposalBody> => ({
  ...proposal,
  teachers: [...proposal.teachers],
  unseen: [...proposal.unseen],
  operations: proposal.operations.map((operation) => ({
    ...operation,
    teachers: [...operation.teachers],
    fields: operation.fields.map((field) => ({
      ...field,
      types: [...field.types],
      teachers: [...field.teachers],
      odd: field.odd.map(({ type, teachers }) => ({ type, teachers: [...teachers] })),
    })),
  })),
});

/** What traffic teaches of apps that nobody described. Whether it is learned is the app's setting `learn`. */
export function addLearningRoutes(server: ApiServer, { estate }: { readonly estate: Estate }): void {
  server.get(
    '/api/v1/apps/:id/learning/proposal',
    {
      config: { permission: 'app.read' },
      schema: { tags, params: idParameter, querystring: proposalQuery, response: { 200: proposalBody } },
    },
    async (request) => {
      const { without = [], closed } = request.query;
      const input = { without: typeof without === 'string' ? [without] : without, closed: closed === 'true' };
      return plain(await estate.learning.proposal(actorOf(request), request.params.id, input));
    },
  );
  server.post(
    '/api/v1/apps/:id/learning/accept',
    {
      config: { permission: 'app.write' },
      schema: { tags, params: idParameter, body: acceptInput, response: { 200: appBody } },
    },
    async (request) => estate.learning.accept(actorOf(request), request.params.id, request.body),
  );
  server.delete(
    '/api/v1/apps/:id/learning/lessons',
    {
      config: { permission: 'app.write' },
      schema: {
        tags,
        params: idParameter,
        // Without an integration: everything.
        querystring: z.strictObject({ integration: z.string().max(128).optional() }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await estate.learning.forget(actorOf(request), request.params.id, request.query.integration ?? null);
      return reply.status(204).send(null);
    },
  );
}
