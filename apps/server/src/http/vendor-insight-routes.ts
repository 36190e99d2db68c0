import { type ClientCommands, cutClientInput } from '@cordon/discovery';
import type { Clock, Database } from '@cordon/kernel';
import {
  dueNow,
  feedInput,
  latestScores,
  badClientInput,
  listBadClients,
  listFeeds,
  listHosts,
  listNews,
  listNotices,
  listScores,
  problemsOf,
  receiveVendorNotice,
  vendorNoticeInput,
} from '@cordon/vendors';
import { z } from 'zod';
import type { VendorInsight } from '../roles/vendor-insight-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { plainRuns, runBody } from './discovery-routes.ts';
import { idParameter } from './estate-bodies.ts';
import {
  feedBody,
  historyBody,
  hostBody,
  newsBody,
  noticeBody,
  plainFeed,
  plainScore,
  plainWeighed,
  simulationBody,
  weighedBody,
} from './vendor-insight-bodies.ts';
import { sendFile } from './vendor-routes.ts';

export interface VendorInsightRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly vendorInsight: VendorInsight;
  readonly foundClients: ClientCommands;
}

const tags = ['vendors'];
const read = { permission: 'vendor.read' } as const;
const write = { permission: 'vendor.write' } as const;
const params = idParameter;

function addScore(server: ApiServer, { db, vendorInsight: { scores } }: VendorInsightRouteDeps): void {
  const row = z.object({ vendorId: z.string(), inherent: z.int(), residual: z.int() });
  server.get(
    '/api/v1/vendor-scores',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(row) }) } } },
    async () => ({ items: [...(await latestScores(db))].map(([vendorId, score]) => ({ vendorId, ...score })) }),
  );
  server.get(
    '/api/v1/vendors/:id/score',
    { config: read, schema: { tags, params, response: { 200: weighedBody } } },
    async (request) => plainWeighed(await scores.read(actorOf(request), request.params.id)),
  );
  server.get(
    '/api/v1/vendors/:id/score/history',
    { config: read, schema: { tags, params, response: { 200: z.object({ items: z.array(historyBody) }) } } },
    async (request) => ({ items: (await listScores(db, request.params.id)).map(plainScore) }),
  );
  server.post(
    '/api/v1/vendors/:id/score/simulations',
    {
      config: read,
      schema: {
        tags,
        params,
        body: z.strictObject({ mend: z.array(z.string().max(300)).max(200) }),
        response: { 200: simulationBody },
      },
    },
    async (request) => {
      const { before, after, fixed } = await scores.simulate(actorOf(request), request.params.id, request.body.mend);
      return { before: plainScore(before), after: plainScore(after), fixed: [...fixed] };
    },
  );
  server.put(
    '/api/v1/vendors/:id/contradictions/:contradictionId/decision',
    {
      config: write,
      schema: {
        tags,
        params: params.extend({ contradictionId: z.uuid() }),
        /** Null takes the dismissal back. */
        body: z.strictObject({ reason: z.string().max(500).nullable() }),
        response: { 200: weighedBody },
      },
    },
    async (request) => {
      const { id, contradictionId } = request.params;
      return plainWeighed(await scores.dismiss(actorOf(request), id, contradictionId, request.body.reason));
    },
  );
}

function addHosts(server: ApiServer, { db, clock }: VendorInsightRouteDeps): void {
  server.get(
    '/api/v1/vendors/:id/hosts',
    { config: read, schema: { tags, params, response: { 200: z.object({ items: z.array(hostBody) }) } } },
    async (request) => {
      const hosts = await listHosts(db, request.params.id);
      const problems = (one: (typeof hosts)[number]) =>
        one.observation === null ? [] : problemsOf(one.observation, clock.now());
      return { items: hosts.map((one) => ({ ...one, problems: problems(one) })) };
    },
  );
  server.post(
    '/api/v1/vendors/:id/hosts/look',
    { config: write, schema: { tags, params, response: { 202: z.object({ hosts: z.int() }) } } },
    async (request, reply) => reply.status(202).send({ hosts: await dueNow(db, request.params.id, clock.now()) }),
  );
  server.get(
    '/api/v1/vendors/:id/news',
    { config: read, schema: { tags, params, response: { 200: z.object({ items: z.array(newsBody) }) } } },
    async (request) => ({
      items: (await listNews(db, request.params.id)).map((one) => ({ ...one, detail: { ...one.detail } })),
    }),
  );
  server.get(
    '/api/v1/vendor-news',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(newsBody) }) } } },
    async () => ({ items: (await listNews(db)).map((one) => ({ ...one, detail: { ...one.detail } })) }),
  );
}

function addNotices(server: ApiServer, { db, vendorInsight: { watch, feeds } }: VendorInsightRouteDeps): void {
  const notices = z.object({ items: z.array(noticeBody) });
  server.get(
    '/api/v1/vendors/:id/notices',
    { config: read, schema: { tags, params, response: { 200: notices } } },
    async (request) => ({ items: await listNotices(db, request.params.id) }),
  );
  server.get('/api/v1/vendor-notices', { config: read, schema: { tags, response: { 200: notices } } }, async () => ({
    items: await listNotices(db),
  }));
  server.post(
    '/api/v1/vendors/:id/notices',
    { config: write, schema: { tags, params, body: vendorNoticeInput, response: { 201: notices } } },
    async (request, reply) => {
      await receiveVendorNotice(watch, actorOf(request), request.params.id, request.body);
      return reply.status(201).send({ items: await listNotices(db, request.params.id) });
    },
  );
  server.get(
    '/api/v1/vendor-feeds',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(feedBody) }) } } },
    async () => ({
      items: (await listFeeds(db)).map(plainFeed),
    }),
  );
  server.post(
    '/api/v1/vendor-feeds',
    { config: write, schema: { tags, body: feedInput, response: { 201: feedBody } } },
    async (request, reply) => {
      const feed = await feeds.create(actorOf(request), request.body);
      return reply.status(201).send(plainFeed(feed));
    },
  );
  server.delete(
    '/api/v1/vendor-feeds/:id',
    { config: write, schema: { tags, params, response: { 204: z.null() } } },
    async (request, reply) => {
      await feeds.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}

function addClients(
  server: ApiServer,
  { db, foundClients, vendorInsight: { badClients, findGrants } }: VendorInsightRouteDeps,
): void {
  const client = z.object({
    clientId: z.string(),
    reason: z.string(),
    source: z.string(),
    at: z.int(),
    /** How many were ever found. */
    grants: z.int(),
    /** Those that a tool shows now. */
    found: z.array(z.object({ text: z.string(), connectionId: z.string() })),
  });
  const answer = z.object({ items: z.array(client), runs: z.array(runBody) });
  server.get('/api/v1/compromised-clients', { config: read, schema: { tags, response: { 200: answer } } }, async () => {
    const clients = await listBadClients(db);
    const told = new Set(clients.flatMap((one) => (one.told.length > 0 ? one.clientId : [])));
    const grants = Map.groupBy(told.size === 0 ? [] : await findGrants(told), (one) => one.clientId);
    const items = clients.map(({ told: refs, ...one }) => ({
      ...one,
      grants: refs.length,
      found: (grants.get(one.clientId) ?? []).map(({ text, connectionId }) => ({ text, connectionId })),
    }));
    return { items, runs: plainRuns(await foundClients.runs()) };
  });
  server.post(
    '/api/v1/compromised-clients/cuts',
    {
      config: { permission: 'discovery.decide' },
      schema: { tags, body: cutClientInput, response: { 202: z.object({ runId: z.string() }) } },
    },
    async (request, reply) => reply.status(202).send(await foundClients.cut(actorOf(request), request.body)),
  );
  server.post(
    '/api/v1/compromised-clients',
    { config: write, schema: { tags, body: badClientInput, response: { 204: z.null() } } },
    async (request, reply) => {
      await badClients.add(actorOf(request), request.body);
      return reply.status(204).send(null);
    },
  );
  server.delete(
    '/api/v1/compromised-clients/:clientId',
    {
      config: write,
      schema: { tags, params: z.object({ clientId: z.string().max(300) }), response: { 204: z.null() } },
    },
    async (request, reply) => {
      await badClients.remove(actorOf(request), request.params.clientId);
      return reply.status(204).send(null);
    },
  );
}

function addExports(server: ApiServer, { vendorInsight: { exports } }: VendorInsightRouteDeps): void {
  server.get('/api/v1/vendors/:id/export.pdf', { config: read, schema: { tags, params } }, async (request, reply) => {
    const { name, bytes } = await exports.pdf(actorOf(request), request.params.id);
    return sendFile(reply, name, bytes);
  });
  server.get('/api/v1/vendors/:id/export.oscal', { config: read, schema: { tags, params } }, async (request, reply) => {
    const { name, bytes } = await exports.oscal(actorOf(request), request.params.id);
    return sendFile(reply, name, bytes);
  });
  server.get(
    '/api/v1/vendor-export-certificate',
    { config: read, schema: { tags, response: { 200: z.object({ certificate: z.string() }) } } },
    async (request) => ({ certificate: await exports.certificate(actorOf(request)) }),
  );
}

/** What is weighed, seen and told of vendors, and the file that goes to others. */
export function addVendorInsightRoutes(server: ApiServer, deps: VendorInsightRouteDeps): void {
  addScore(server, deps);
  addHosts(server, deps);
  addNotices(server, deps);
  addClients(server, deps);
  addExports(server, deps);
}
