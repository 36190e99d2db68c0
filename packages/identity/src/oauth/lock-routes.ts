import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull } from '../schemas.ts';

const tags = ['locks'];
const kind = z.enum(['address', 'client', 'gateway']);

const lockResponse = z
  .object({
    kind,
    value: z.string(),
    failures: z.int(),
    since: z.string(),
    lockedUntil: z.string().nullable(),
    reason: z.string(),
  })
  .meta({ id: 'ClientLock' });

/** Addresses and clients that failed at the token endpoint again and again. */
export function lockRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/api/v1/locks',
      {
        config: { permission: 'lock.read' },
        schema: {
          tags,
          summary: 'Addresses and clients that failed at the token endpoint lately, and until when they are locked',
          response: { 200: z.object({ items: z.array(lockResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const items = await identity.guard.list(actor);
        return {
          items: items.map(({ since, lockedUntil, ...one }) => ({
            ...one,
            since: isoTime(since),
            lockedUntil: isoTimeOrNull(lockedUntil),
          })),
        };
      },
    );
    app.post(
      '/api/v1/locks/remove',
      {
        config: { permission: 'lock.write' },
        schema: {
          tags,
          summary: 'Let an address or client try again at once',
          body: z.strictObject({
            kind,
            value: z.string().min(1).max(200),
            reason: z.string().trim().min(3).max(2_000),
          }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { body } = request;
        await identity.guard.unlock(actor, body.kind, body.value, body.reason);
        return reply.status(204).send(null);
      },
    );
  };
}
