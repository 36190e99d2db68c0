import {
  appInput,
  appPatch,
  credentialInput,
  DESCRIPTION_BYTES_MAX,
  type Estate,
  listApps,
  loadApp,
} from '@cordon/estate';
import { AppId, type Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { appBody, idParameter, operationBody } from './estate-bodies.ts';

export interface AppRouteDeps {
  readonly db: Database;
  readonly estate: Estate;
  /** The operations that a compiled description holds. */
  readonly operationsOf: (appId: string) => Promise<readonly z.output<typeof operationBody>[]>;
}

const tags = ['apps'];

export function addAppRoutes(server: ApiServer, { db, estate, operationsOf }: AppRouteDeps): void {
  server.get(
    '/api/v1/apps',
    { config: { permission: 'app.read' }, schema: { tags, response: { 200: z.object({ items: z.array(appBody) }) } } },
    async () => ({ items: await listApps(db) }),
  );
  server.post(
    '/api/v1/apps',
    { config: { permission: 'app.write' }, schema: { tags, body: appInput, response: { 201: appBody } } },
    async (request, reply) => reply.status(201).send(await estate.apps.create(actorOf(request), request.body)),
  );
  server.get(
    '/api/v1/apps/:id',
    { config: { permission: 'app.read' }, schema: { tags, params: idParameter, response: { 200: appBody } } },
    async (request) => loadApp(db, AppId.parse(request.params.id)),
  );
  server.patch(
    '/api/v1/apps/:id',
    {
      config: { permission: 'app.write' },
      schema: { tags, params: idParameter, body: appPatch, response: { 200: appBody } },
    },
    // The handler gets what was sent, checked; defaults are the stored values.
    async (request) => estate.apps.update(actorOf(request), request.params.id, request.body as object),
  );
  server.delete(
    '/api/v1/apps/:id',
    { config: { permission: 'app.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await estate.apps.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.put(
    '/api/v1/apps/:id/credential',
    {
      config: { permission: 'credential.write' },
      schema: { tags, params: idParameter, body: credentialInput, response: { 200: appBody } },
    },
    async (request) => estate.apps.setCredential(actorOf(request), request.params.id, request.body),
  );
  server.put(
    '/api/v1/apps/:id/description',
    {
      config: { permission: 'app.write' },
      bodyLimit: DESCRIPTION_BYTES_MAX + 1024,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ document: z.string().min(1) }),
        response: { 200: appBody },
      },
    },
    async (request) =>
      estate.apps.setDescription(actorOf(request), request.params.id, Buffer.from(request.body.document, 'utf8')),
  );
  server.get(
    '/api/v1/apps/:id/operations',
    {
      config: { permission: 'app.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(operationBody) }) } },
    },
    async (request) => ({ items: [...(await operationsOf(AppId.parse(request.params.id)))] }),
  );
}
