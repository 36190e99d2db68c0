import {
  connectionAnswer,
  credentialInput,
  type Estate,
  readUpstreams,
  redirectUri,
  rotationInput,
} from '@cordon/estate';
import { AppId, type Clock, type Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { credentialBody, idParameter } from './estate-bodies.ts';

const tags = ['credentials'];
const one = z.object({ id: z.uuid(), credentialId: z.uuid() });
const list = z.object({ items: z.array(credentialBody) });
/** Null: the app's own credential. */
const place = z.strictObject({ integrationId: z.uuid().nullable().default(null) });
const write = { permission: 'credential.write' } as const;

const upstreamsBody = z.object({
  upstreams: z.array(
    z.object({
      origin: z.string(),
      breaker: z.enum(['closed', 'open', 'half-open']),
      inFlight: z.int(),
      queued: z.int(),
      gateways: z.int(),
    }),
  ),
  budgets: z.array(z.object({ bucket: z.string(), limit: z.number(), remaining: z.number(), resetAt: z.number() })),
});

export interface VaultRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly estate: Estate;
  readonly publicUrl: string;
}

/** Vendor credentials of an app. No route gives a secret back. */
export function addVaultRoutes(server: ApiServer, { estate, publicUrl, db, clock }: VaultRouteDeps): void {
  const { vault } = estate;
  server.get(
    '/api/v1/apps/:id/credentials',
    {
      config: { permission: 'app.read' },
      schema: {
        tags,
        params: idParameter,
        response: { 200: list.extend({ redirectUri: z.string() }) },
      },
    },
    async (request) => ({
      items: await vault.list(actorOf(request), request.params.id),
      redirectUri: redirectUri(publicUrl, request.params.id),
    }),
  );
  server.get(
    '/api/v1/apps/:id/upstreams',
    {
      config: { permission: 'app.read' },
      schema: { tags: ['apps'], params: idParameter, response: { 200: upstreamsBody } },
    },
    async (request) => readUpstreams(db, AppId.parse(request.params.id), clock.now()),
  );
  server.put(
    '/api/v1/apps/:id/credentials',
    { config: write, schema: { tags, params: idParameter, body: credentialInput, response: { 200: list } } },
    async (request) => ({ items: await vault.set(actorOf(request), request.params.id, request.body) }),
  );
  server.delete(
    '/api/v1/apps/:id/credentials',
    { config: write, schema: { tags, params: idParameter, body: place, response: { 200: list } } },
    async (request) => ({
      items: await vault.remove(actorOf(request), request.params.id, request.body.integrationId),
    }),
  );
  server.post(
    '/api/v1/apps/:id/credentials/rotate',
    { config: write, schema: { tags, params: idParameter, body: rotationInput, response: { 200: list } } },
    async (request) => ({ items: await vault.rotate(actorOf(request), request.params.id, request.body) }),
  );
  server.post(
    '/api/v1/apps/:id/credentials/roll-back',
    { config: write, schema: { tags, params: idParameter, body: place, response: { 200: list } } },
    async (request) => ({
      items: await vault.rollBack(actorOf(request), request.params.id, request.body.integrationId),
    }),
  );
  server.post(
    '/api/v1/apps/:id/credentials/:credentialId/renew',
    { config: write, schema: { tags, params: one, response: { 200: list } } },
    async (request) => ({
      items: await vault.renew(actorOf(request), request.params.id, request.params.credentialId),
    }),
  );
  server.post(
    '/api/v1/apps/:id/credentials/:credentialId/verify',
    { config: write, schema: { tags, params: one, response: { 200: list } } },
    async (request) => ({
      items: await vault.verify(actorOf(request), request.params.id, request.params.credentialId),
    }),
  );
  server.post(
    '/api/v1/apps/:id/credentials/:credentialId/connect',
    {
      config: write,
      schema: {
        tags,
        params: one,
        response: { 200: z.object({ authorizeUrl: z.string(), redirectUri: z.string() }) },
      },
    },
    async (request) => vault.connect(actorOf(request), request.params.id, request.params.credentialId),
  );
  server.post(
    '/api/v1/credential-connections',
    { config: write, schema: { tags, body: connectionAnswer, response: { 200: list } } },
    async (request) => ({ items: await vault.finishConnection(actorOf(request), request.body) }),
  );
}
