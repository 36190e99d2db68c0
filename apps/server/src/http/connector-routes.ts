import {
  connectionInput,
  connectionPatch,
  countEntities,
  ENTITIES_PAGE_MAX,
  listChanges,
  listConnections,
  listEntities,
  listRuns,
  listStreamStates,
  listSyncs,
  loadConnection,
  loadRun,
  type Sync,
  SYNCS_PAGE_MAX,
} from '@cordon/connectors';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import type { ConnectorParts } from '../roles/connector-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import {
  actionRequest,
  actionRunBody,
  changeBody,
  connectionBody,
  connectionDetail,
  connectionRow,
  connectorBody,
  describeManifest,
  entityRow,
  openConnection,
  openRun,
  openStates,
  syncBody,
} from './connector-bodies.ts';
import { addConnectorPostureRoutes } from './connector-posture-routes.ts';
import { addPostureOverviewRoutes } from './posture-overview-routes.ts';
import { addPostureExportRoutes } from './posture-export-routes.ts';
import { idParameter } from './estate-bodies.ts';

export interface ConnectorRouteDeps extends ConnectorParts {
  readonly db: Database;
  readonly clock: Clock;
}

const tags = ['connectors'];
const limitOf = (max: number) => z.coerce.number().int().min(1).max(max).default(Math.min(100, max));
const openSync = (sync: Sync) => ({
  ...sync,
  streams: sync.streams.map((stream) => ({ ...stream, problems: [...stream.problems] })),
});

/** Tools that are read and acted on through their own interfaces. The worker does the work; these ask for it. */
export function addConnectorRoutes(server: ApiServer, deps: ConnectorRouteDeps): void {
  addConnectionRoutes(server, deps);
  addSyncRoutes(server, deps);
  addEntityRoutes(server, deps);
  addActionRoutes(server, deps);
  addConnectorPostureRoutes(server, deps);
  addPostureExportRoutes(server, deps);
  addPostureOverviewRoutes(server, deps);
}

function addConnectionRoutes(server: ApiServer, deps: ConnectorRouteDeps): void {
  const { db } = deps;
  const lastSync = async (id: string) => {
    const [sync] = await listSyncs(db, { connectionId: id, limit: 1 });
    return sync ? openSync(sync) : null;
  };
  server.get(
    '/api/v1/connectors',
    {
      config: { permission: 'connector.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(connectorBody) }) } },
    },
    async () => ({ items: deps.manifests.all.map(({ manifest }) => connectorBody.parse(describeManifest(manifest))) }),
  );
  server.get(
    '/api/v1/connections',
    {
      config: { permission: 'connector.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(connectionRow) }) } },
    },
    async () => {
      const connections = await listConnections(db);
      return {
        items: await Promise.all(
          connections.map(async (one) => ({ ...openConnection(one), lastSync: await lastSync(one.id) })),
        ),
      };
    },
  );
  server.post(
    '/api/v1/connections',
    {
      config: { permission: 'connector.write' },
      schema: { tags, body: connectionInput, response: { 201: connectionBody } },
    },
    async (request, reply) =>
      reply.status(201).send(openConnection(await deps.connections.create(actorOf(request), request.body))),
  );
  server.get(
    '/api/v1/connections/:id',
    {
      config: { permission: 'connector.read' },
      schema: { tags, params: idParameter, response: { 200: connectionDetail } },
    },
    async (request) => {
      const one = await loadConnection(db, request.params.id);
      const streams = openStates(await listStreamStates(db, one.id));
      return {
        ...openConnection(one),
        streams,
        counts: await countEntities(db, one.id),
        lastSync: await lastSync(one.id),
      };
    },
  );
  server.patch(
    '/api/v1/connections/:id',
    {
      config: { permission: 'connector.write' },
      schema: { tags, params: idParameter, body: connectionPatch, response: { 200: connectionBody } },
    },
    async (request) => openConnection(await deps.connections.update(actorOf(request), request.params.id, request.body)),
  );
  server.delete(
    '/api/v1/connections/:id',
    { config: { permission: 'connector.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await deps.connections.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}

function addSyncRoutes(server: ApiServer, { db, syncs }: ConnectorRouteDeps): void {
  server.post(
    '/api/v1/connections/:id/syncs',
    {
      config: { permission: 'connector.sync' },
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ streams: z.array(z.string().max(64)).min(1).max(200).optional() }),
        response: { 202: syncBody },
      },
    },
    async (request, reply) => {
      const { streams } = request.body;
      const sync = await syncs.start(actorOf(request), request.params.id, streams === undefined ? {} : { streams });
      return reply.status(202).send(openSync(sync));
    },
  );
  server.get(
    '/api/v1/connections/:id/syncs',
    {
      config: { permission: 'connector.read' },
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({ limit: limitOf(SYNCS_PAGE_MAX) }),
        response: { 200: z.object({ items: z.array(syncBody) }) },
      },
    },
    async (request) => {
      await loadConnection(db, request.params.id);
      const items = await listSyncs(db, { connectionId: request.params.id, limit: request.query.limit });
      return { items: items.map(openSync) };
    },
  );
  server.post(
    '/api/v1/connections/:id/cancel',
    {
      config: { permission: 'connector.sync' },
      schema: { tags, params: idParameter, response: { 200: z.object({ cancelling: z.boolean() }) } },
    },
    async (request) => ({ cancelling: await syncs.cancel(actorOf(request), request.params.id) }),
  );
}

function addEntityRoutes(server: ApiServer, { db }: ConnectorRouteDeps): void {
  server.get(
    '/api/v1/entities',
    {
      config: { permission: 'connector.read' },
      schema: {
        tags,
        querystring: z.object({
          connectionId: z.uuid().optional(),
          kind: z.string().max(32).optional(),
          stream: z.string().max(64).optional(),
          text: z.string().max(200).optional(),
          gone: z.stringbool().optional(),
          after: z.string().max(2_000).optional(),
          limit: limitOf(ENTITIES_PAGE_MAX),
        }),
        response: { 200: z.object({ items: z.array(entityRow), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const asked = Object.entries(request.query).filter(([, value]) => value !== undefined);
      const page = await listEntities(db, Object.fromEntries(asked));
      return { items: page.items.map((row) => ({ ...row, entity: { ...row.entity } })), next: page.next };
    },
  );
  server.get(
    '/api/v1/connections/:id/changes',
    {
      config: { permission: 'connector.read' },
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({
          syncId: z.uuid().optional(),
          before: z.coerce.number().int().min(1).optional(),
          limit: limitOf(ENTITIES_PAGE_MAX),
        }),
        response: { 200: z.object({ items: z.array(changeBody) }) },
      },
    },
    async (request) => {
      const { syncId, before, limit } = request.query;
      await loadConnection(db, request.params.id);
      const items = await listChanges(db, {
        connectionId: request.params.id,
        limit,
        ...(syncId === undefined ? {} : { syncId }),
        ...(before === undefined ? {} : { before }),
      });
      return { items: items.map((one) => ({ ...one, fields: [...one.fields] })) };
    },
  );
}

function addActionRoutes(server: ApiServer, { db, connectorActions }: ConnectorRouteDeps): void {
  server.post(
    '/api/v1/connections/:id/actions',
    {
      config: { permission: 'connector.act' },
      schema: { tags, params: idParameter, body: actionRequest, response: { 202: actionRunBody } },
    },
    async (request, reply) => {
      const { undoOf, ...rest } = request.body;
      const wish = { connectionId: request.params.id, ...rest, ...(undoOf === undefined ? {} : { undoOf }) };
      return reply.status(202).send(openRun(await connectorActions.request(actorOf(request), wish)));
    },
  );
  server.get(
    '/api/v1/connections/:id/actions',
    {
      config: { permission: 'connector.read' },
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({ limit: limitOf(200) }),
        response: { 200: z.object({ items: z.array(actionRunBody) }) },
      },
    },
    async (request) => {
      const items = await listRuns(db, { connectionId: request.params.id, limit: request.query.limit });
      return { items: items.map(openRun) };
    },
  );
  server.get(
    '/api/v1/connector-actions/:id',
    {
      config: { permission: 'connector.read' },
      schema: { tags, params: idParameter, response: { 200: actionRunBody } },
    },
    async (request) => openRun((await loadRun(db, request.params.id)).run),
  );
}
