import type { Database } from '@cordon/kernel';
import {
  DELIVERY_PAGE_MAX,
  type Endpoint,
  endpointInput,
  endpointPatch,
  listDeliveries,
  listEndpoints,
  loadEndpoint,
  rotationInput,
  signingRotationInput,
} from '@cordon/webhooks';
import { z } from 'zod';
import type { WebhookParts } from '../roles/webhook-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';
import { deliveryBody, deliveryDetail, endpointBody, endpointWithSecret, schemeBody } from './webhook-bodies.ts';

export interface WebhookRouteDeps {
  readonly db: Database;
  readonly gatewayUrl: string;
  readonly webhookParts: WebhookParts;
}

const tags = ['webhooks'];
const deliveryParameter = idParameter.extend({ delivery: z.uuid() });
const read = { config: { permission: 'webhook.read' as const } };
const write = { config: { permission: 'webhook.write' as const } };

/** Endpoints for vendors' webhooks. Deliveries themselves come in at the gateways: docs/guide/webhooks.md. */
export function addWebhookRoutes(server: ApiServer, deps: WebhookRouteDeps): void {
  const { db } = deps;
  const shown = (endpoint: Endpoint) => ({
    ...endpoint,
    secrets: [...endpoint.secrets],
    address: `${deps.gatewayUrl.replace(/\/$/, '')}/hooks/${endpoint.id}`,
  });
  server.get(
    '/api/v1/webhook-schemes',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(schemeBody) }) } } },
    async () => ({
      items: [...deps.webhookParts.schemes.values()].map(({ scheme, docs }) => ({
        name: scheme.name,
        title: scheme.title,
        hint: scheme.secret.hint,
        docs,
      })),
    }),
  );
  server.get(
    '/api/v1/webhooks',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({ appId: z.uuid().optional() }),
        response: { 200: z.object({ items: z.array(endpointBody) }) },
      },
    },
    async (request) => ({ items: (await listEndpoints(db, request.query.appId)).map(shown) }),
  );
  server.post(
    '/api/v1/webhooks',
    { ...write, schema: { tags, body: endpointInput, response: { 201: endpointWithSecret } } },
    async (request, reply) => {
      const { endpoint, signingSecret } = await deps.webhookParts.webhooks.create(actorOf(request), request.body);
      return reply.status(201).send({ endpoint: shown(endpoint), signingSecret });
    },
  );
  server.get(
    '/api/v1/webhooks/:id',
    { ...read, schema: { tags, params: idParameter, response: { 200: endpointBody } } },
    async (request) => shown(await loadEndpoint(db, request.params.id)),
  );
  server.patch(
    '/api/v1/webhooks/:id',
    { ...write, schema: { tags, params: idParameter, body: endpointPatch, response: { 200: endpointBody } } },
    async (request) =>
      shown(await deps.webhookParts.webhooks.update(actorOf(request), request.params.id, request.body)),
  );
  server.delete(
    '/api/v1/webhooks/:id',
    { ...write, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await deps.webhookParts.webhooks.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  addSecretRoutes(server, deps, shown);
  addDeliveryRoutes(server, deps);
}

function addSecretRoutes(
  server: ApiServer,
  deps: WebhookRouteDeps,
  shown: (endpoint: Endpoint) => z.output<typeof endpointBody>,
): void {
  server.post(
    '/api/v1/webhooks/:id/secret',
    { ...write, schema: { tags, params: idParameter, body: rotationInput, response: { 200: endpointBody } } },
    async (request) =>
      shown(await deps.webhookParts.webhooks.rotate(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/webhooks/:id/signing-secret',
    {
      ...write,
      schema: { tags, params: idParameter, body: signingRotationInput, response: { 200: endpointWithSecret } },
    },
    async (request) => {
      const { id } = request.params;
      const made = await deps.webhookParts.webhooks.rotateSigning(actorOf(request), id, request.body);
      return { endpoint: shown(made.endpoint), signingSecret: made.signingSecret };
    },
  );
}

function addDeliveryRoutes(server: ApiServer, deps: WebhookRouteDeps): void {
  server.get(
    '/api/v1/webhooks/:id/deliveries',
    {
      ...read,
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(DELIVERY_PAGE_MAX).default(50),
          before: z.uuid().optional(),
          status: deliveryBody.shape.status.optional(),
        }),
        response: { 200: z.object({ items: z.array(deliveryBody) }) },
      },
    },
    async (request) => {
      const { limit, before, status } = request.query;
      const page = { limit, ...(before === undefined ? {} : { before }), ...(status === undefined ? {} : { status }) };
      return { items: await listDeliveries(deps.db, request.params.id, page) };
    },
  );
  server.get(
    '/api/v1/webhooks/:id/deliveries/:delivery',
    {
      config: { permission: 'webhook.payload' },
      schema: { tags, params: deliveryParameter, response: { 200: deliveryDetail } },
    },
    async (request) => {
      const { id, delivery } = request.params;
      const view = await deps.webhookParts.deliveries.view(actorOf(request), id, delivery);
      return {
        ...view,
        content: view.content && { ...view.content, headers: { ...view.content.headers } },
        attempts: view.attempts.map((attempt) => ({ ...attempt, headers: { ...attempt.headers } })),
      };
    },
  );
  server.post(
    '/api/v1/webhooks/:id/deliveries/:delivery/redeliver',
    { ...write, schema: { tags, params: deliveryParameter, response: { 202: deliveryBody } } },
    async (request, reply) => {
      const { id, delivery } = request.params;
      return reply.status(202).send(await deps.webhookParts.deliveries.redeliver(actorOf(request), id, delivery));
    },
  );
  server.post(
    '/api/v1/webhooks/:id/redeliver-dead',
    { ...write, schema: { tags, params: idParameter, response: { 202: z.object({ deliveries: z.int() }) } } },
    async (request, reply) => {
      const deliveries = await deps.webhookParts.deliveries.redeliverDead(actorOf(request), request.params.id);
      return reply.status(202).send({ deliveries });
    },
  );
}
