import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull } from '../schemas.ts';
import { SCIM_TOKEN_DAYS_MAX, type ScimToken } from './scim-tokens.ts';

const tags = ['provisioning'];
const HOUR_MS = 60 * 60_000;
const OVERLAP_HOURS_MAX = 168;

const tokenResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: z.string(),
    expiresAt: z.string(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'ScimToken' });
const madeResponse = z.object({ token: tokenResponse, value: z.string(), endpoint: z.string() });
const params = z.object({ id: z.uuid() });

function showToken(token: ScimToken): z.output<typeof tokenResponse> {
  return {
    id: token.id,
    name: token.name,
    createdAt: isoTime(token.createdAt),
    expiresAt: isoTime(token.expiresAt),
    lastUsedAt: isoTimeOrNull(token.lastUsedAt),
  };
}

/** What an owner sets up for a corporate directory: its tokens. */
export function scimAdminRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(tokenRoutes(identity));
  };
}

function tokenRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { scimTokens } = identity;
  const made = ({ token, value }: { token: ScimToken; value: string }): z.output<typeof madeResponse> => ({
    token: showToken(token),
    value,
    endpoint: `${identity.publicUrl}/scim/v2`,
  });
  return async (app) => {
    app.get(
      '/api/v1/scim/tokens',
      {
        config: { permission: 'scim.write' },
        schema: { tags, summary: 'SCIM tokens', response: { 200: z.object({ tokens: z.array(tokenResponse) }) } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { tokens: (await scimTokens.list(actor)).map(showToken) };
      },
    );

    app.post(
      '/api/v1/scim/tokens',
      {
        config: { permission: 'scim.write' },
        schema: {
          tags,
          summary: 'Make a SCIM token; its value is shown once',
          body: z.object({
            name: z.string().trim().min(1).max(100),
            days: z.int().min(1).max(SCIM_TOKEN_DAYS_MAX).default(180),
          }),
          response: { 201: madeResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        return reply.status(201).send(made(await scimTokens.create(actor, request.body)));
      },
    );

    app.post(
      '/api/v1/scim/tokens/:id/rotate',
      {
        config: { permission: 'scim.write' },
        schema: {
          tags,
          summary: 'A new token in place of one, which works on for some hours',
          params,
          body: z.object({ overlapHours: z.int().min(0).max(OVERLAP_HOURS_MAX).default(24) }),
          response: { 201: madeResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const overlapMs = request.body.overlapHours * HOUR_MS;
        return reply.status(201).send(made(await scimTokens.rotate(actor, request.params.id, overlapMs)));
      },
    );

    app.delete(
      '/api/v1/scim/tokens/:id',
      {
        config: { permission: 'scim.write' },
        schema: { tags, summary: 'Revoke a SCIM token', params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await scimTokens.revoke(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}
