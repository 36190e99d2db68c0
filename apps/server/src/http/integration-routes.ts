import {
  type Estate,
  grantInput,
  integrationInput,
  integrationPatch,
  listCutOffs,
  listGrants,
  listIntegrations,
  loadIntegration,
  StateConflict,
} from '@cordon/estate';
import { type Actor, type Database, IntegrationId } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { cutOffBody, grantBody, idParameter, integrationBody } from './estate-bodies.ts';

/** How a client learns that an approval was decided (CIBA); by polling when absent. */
const delivery = z
  .strictObject({ mode: z.enum(['ping', 'push']), endpoint: z.url({ protocol: /^https$/ }).max(1_000) })
  .optional();
const credentialRequest = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('client_secret_basic'), delivery }),
  z.strictObject({
    method: z.literal('private_key_jwt'),
    /** Public keys only; a private member is refused. */
    jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) }),
    delivery,
  }),
]);

const credentialBody = z.object({
  clientId: z.string(),
  /** Shown this once and never again. */
  clientSecret: z.string().nullable(),
  method: z.string(),
  tokenEndpoint: z.string(),
});

const clientBody = z.object({
  clientId: z.string(),
  method: z.string(),
  /** How it learns of approvals. */
  deliveryMode: z.enum(['poll', 'ping', 'push']),
  status: z.string(),
  createdAt: z.int(),
  lastTokenAt: z.int().nullable(),
});

export interface ClientDirectory {
  create(
    actor: Actor,
    integration: { id: string; name: string },
    request: z.output<typeof credentialRequest>,
  ): Promise<{ clientId: string; clientSecret: string | null }>;
  list(integrationId: string): Promise<z.output<typeof clientBody>[]>;
  remove(actor: Actor, integrationId: string, clientId: string): Promise<void>;
}

export interface IntegrationRouteDeps {
  readonly db: Database;
  readonly estate: Estate;
  readonly clients: ClientDirectory;
  readonly tokenEndpoint: string;
}

const reasonBody = z.strictObject({ reason: z.string().min(3, 'say why').max(2_000) });
const tags = ['integrations'];

export function addIntegrationRoutes(server: ApiServer, deps: IntegrationRouteDeps): void {
  const { db, estate } = deps;
  server.get(
    '/api/v1/integrations',
    {
      config: { permission: 'integration.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(integrationBody) }) } },
    },
    async () => ({ items: await listIntegrations(db) }),
  );
  server.post(
    '/api/v1/integrations',
    {
      config: { permission: 'integration.write' },
      schema: { tags, body: integrationInput, response: { 201: integrationBody } },
    },
    async (request, reply) => reply.status(201).send(await estate.integrations.create(actorOf(request), request.body)),
  );
  server.get(
    '/api/v1/integrations/:id',
    {
      config: { permission: 'integration.read' },
      schema: { tags, params: idParameter, response: { 200: integrationBody } },
    },
    async (request) => loadIntegration(db, IntegrationId.parse(request.params.id)),
  );
  server.patch(
    '/api/v1/integrations/:id',
    {
      config: { permission: 'integration.write' },
      schema: { tags, params: idParameter, body: integrationPatch, response: { 200: integrationBody } },
    },
    async (request) => estate.integrations.update(actorOf(request), request.params.id, request.body),
  );
  for (const verb of ['revoke', 'suspend'] as const) {
    server.post(
      `/api/v1/integrations/:id/${verb}`,
      {
        config: { permission: 'integration.revoke' },
        schema: {
          tags,
          params: idParameter,
          body: reasonBody,
          response: { 200: z.object({ integration: integrationBody, cutOffId: z.string(), epoch: z.int() }) },
        },
      },
      async (request) => estate.integrations[verb](actorOf(request), request.params.id, request.body.reason),
    );
  }
  server.post(
    '/api/v1/integrations/:id/restore',
    {
      config: { permission: 'integration.restore' },
      schema: { tags, params: idParameter, body: reasonBody, response: { 200: integrationBody } },
    },
    async (request) => estate.integrations.restore(actorOf(request), request.params.id, request.body.reason),
  );
  server.get(
    '/api/v1/integrations/:id/cut-offs',
    {
      config: { permission: 'integration.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(cutOffBody) }) } },
    },
    async (request) => ({
      items: (await listCutOffs(db, request.params.id)).map((one) => ({ ...one, gateways: [...one.gateways] })),
    }),
  );
  addCredentialRoutes(server, deps);
  addGrantRoutes(server, { db, estate });
}

function addCredentialRoutes(server: ApiServer, { db, clients, tokenEndpoint }: IntegrationRouteDeps): void {
  server.get(
    '/api/v1/integrations/:id/credentials',
    {
      config: { permission: 'integration.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(clientBody) }) } },
    },
    async (request) => ({ items: await clients.list(request.params.id) }),
  );
  server.post(
    '/api/v1/integrations/:id/credentials',
    {
      config: { permission: 'integration.credential' },
      schema: { tags, params: idParameter, body: credentialRequest, response: { 201: credentialBody } },
    },
    async (request, reply) => {
      const integration = await loadIntegration(db, IntegrationId.parse(request.params.id));
      if (integration.status !== 'active') {
        throw new StateConflict(`${integration.name} is ${integration.status}: restore it before it gets credentials.`);
      }
      const made = await clients.create(actorOf(request), integration, request.body);
      return reply.status(201).send({ ...made, method: request.body.method, tokenEndpoint });
    },
  );
  server.delete(
    '/api/v1/integrations/:id/credentials/:clientId',
    {
      config: { permission: 'integration.credential' },
      schema: { tags, params: idParameter.extend({ clientId: z.uuid() }), response: { 204: z.null() } },
    },
    async (request, reply) => {
      await clients.remove(actorOf(request), request.params.id, request.params.clientId);
      return reply.status(204).send(null);
    },
  );
}

function addGrantRoutes(server: ApiServer, { db, estate }: { db: Database; estate: Estate }): void {
  server.get(
    '/api/v1/grants',
    {
      config: { permission: 'grant.read' },
      schema: {
        tags: ['grants'],
        querystring: z.object({ integrationId: z.uuid().optional(), appId: z.uuid().optional() }),
        response: { 200: z.object({ items: z.array(grantBody) }) },
      },
    },
    async (request) => ({ items: await listGrants(db, request.query) }),
  );
  server.post(
    '/api/v1/grants',
    {
      config: { permission: 'grant.write' },
      schema: { tags: ['grants'], body: grantInput, response: { 201: grantBody } },
    },
    async (request, reply) => reply.status(201).send(await estate.grants.put(actorOf(request), request.body)),
  );
  server.delete(
    '/api/v1/grants/:id',
    {
      config: { permission: 'grant.write' },
      schema: { tags: ['grants'], params: idParameter, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await estate.grants.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
