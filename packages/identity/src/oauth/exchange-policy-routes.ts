import { IntegrationId } from '@cordon/kernel';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime } from '../schemas.ts';
import type { ExchangePolicy } from './exchange-policies.ts';

const tags = ['oauth clients'];
const RESOURCES_MAX = 50;
const integrationId = z.uuid().transform((value) => IntegrationId.parse(value));
const params = z.object({ from: integrationId, to: integrationId });

const policyResponse = z
  .object({
    from: z.string(),
    to: z.string(),
    resources: z.array(z.string()),
    reason: z.string(),
    createdBy: z.string(),
    createdAt: z.string(),
  })
  .meta({ id: 'ExchangePolicy' });

const show = ({ resources, createdAt, ...policy }: ExchangePolicy): z.output<typeof policyResponse> => ({
  ...policy,
  resources: [...resources],
  createdAt: isoTime(createdAt),
});

/** Which integrations' tokens may be exchanged by which other's clients. */
export function exchangePolicyRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { exchangePolicies } = identity;
  return async (app) => {
    app.get(
      '/api/v1/exchange-policies',
      {
        config: { permission: 'integration.read' },
        schema: {
          tags,
          summary: 'Whose tokens may be exchanged by whom, and for which apps (RFC 8693)',
          response: { 200: z.object({ items: z.array(policyResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await exchangePolicies.list(actor)).map(show) };
      },
    );
    app.put(
      '/api/v1/exchange-policies/:from/:to',
      {
        config: { permission: 'integration.credential' },
        schema: {
          tags,
          summary: 'Let clients of one integration exchange tokens of another one of the same owner',
          params,
          body: z.strictObject({
            resources: z.array(z.url().max(500)).min(1).max(RESOURCES_MAX),
            reason: z.string().trim().min(3).max(2_000),
          }),
          response: { 200: policyResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return show(await exchangePolicies.set(actor, { ...request.params, ...request.body }));
      },
    );
    app.delete(
      '/api/v1/exchange-policies/:from/:to',
      {
        config: { permission: 'integration.credential' },
        schema: { tags, summary: 'No more exchanges between the two', params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await exchangePolicies.remove(actor, request.params);
        return reply.status(204).send(null);
      },
    );
  };
}
