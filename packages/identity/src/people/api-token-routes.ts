import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, roleSchema } from '../schemas.ts';
import type { ApiToken } from './api-token-store.ts';

const tags = ['api-tokens'];
const DAY_MS = 24 * 60 * 60_000;
const DAYS_MAX = 366;

const apiTokenResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    personId: z.string().nullable(),
    roles: z.array(roleSchema),
    createdAt: z.string(),
    expiresAt: z.string(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'ApiToken' });

function showApiToken(token: ApiToken): z.output<typeof apiTokenResponse> {
  return {
    id: token.id,
    name: token.name,
    personId: token.personId,
    roles: [...token.roles],
    createdAt: isoTime(token.createdAt),
    expiresAt: isoTime(token.expiresAt),
    lastUsedAt: isoTimeOrNull(token.lastUsedAt),
  };
}

/** API tokens for the command line and automation. */
export function apiTokenRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { apiTokens } = identity;
  return async (app) => {
    app.get(
      '/api/v1/api-tokens',
      {
        config: { permission: 'api-token.self' },
        schema: {
          tags,
          summary: 'Own API tokens, or with person.read everyone’s',
          querystring: z.object({ everyone: z.stringbool().default(false) }),
          response: { 200: z.object({ tokens: z.array(apiTokenResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { tokens: (await apiTokens.list(actor, request.query.everyone)).map(showApiToken) };
      },
    );

    app.post(
      '/api/v1/api-tokens',
      {
        config: { permission: 'api-token.self' },
        schema: {
          tags,
          summary: 'Make an API token; its value is shown once',
          body: z.object({
            name: z.string().trim().min(1).max(100),
            roles: z.array(roleSchema).min(1).max(6),
            days: z.int().min(1).max(DAYS_MAX).default(90),
          }),
          response: { 201: z.object({ token: apiTokenResponse, value: z.string() }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { name, roles, days } = request.body;
        const expiresAt = identity.clock.now() + days * DAY_MS;
        const made = await apiTokens.create(actor, { name, roles, expiresAt });
        return reply.status(201).send({ token: showApiToken(made.token), value: made.value });
      },
    );

    app.delete(
      '/api/v1/api-tokens/:id',
      {
        config: { permission: 'api-token.self' },
        schema: {
          tags,
          summary: 'Revoke an API token: an own one, or with person.suspend anyone’s',
          params: z.object({ id: z.uuid() }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await apiTokens.revoke(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}
