import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Connection, listConnections, listPostureChanges, readPosture } from '@cordon/connectors';
import {
  type Catalogue,
  controlsOf,
  FRAMEWORKS,
  loadCatalogue,
  resultsWhere,
  score,
  severities,
  results as resultNames,
  toAssessmentOfApps,
  toComplianceFinding,
  toCsv,
} from '@cordon/posture';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import { postureItem, postureScore } from './connector-posture-routes.ts';
import type { ConnectorRouteDeps } from './connector-routes.ts';
import { sendFile } from './vendor-routes.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const ITEMS_MAX = 5_000;
const CHANGES_OF_ONE_MAX = 50;
const CHANGES_MAX = 200;
const SOON_MS = 30 * 86_400_000;

const filter = z.object({
  framework: z.enum(FRAMEWORKS).optional(),
  control: z.string().max(40).optional(),
  severity: z.enum(severities).optional(),
  result: z.enum(resultNames).optional(),
  /** `nhi` for what concerns identities that are no people. */
  product: z.string().max(60).optional(),
  connectionId: z.uuid().optional(),
});
const of = z.object({ connectionId: z.string(), connection: z.string() });
const count = z.object({ id: z.string(), passed: z.int(), failed: z.int(), excepted: z.int(), unjudged: z.int() });
const overview = z.object({
  score: postureScore,
  tools: z.array(
    of.extend({ app: z.string(), title: z.string(), score: postureScore, evaluatedAt: z.int().nullable() }),
  ),
  /** The standing of each control of the framework that was asked for. */
  controls: z.array(count),
  /** The worst first; `total` counts those that were left off too. */
  items: z.array(postureItem.extend(of.shape)),
  total: z.int(),
  /** What moved lately, the newest first. */
  changes: z.array(
    of.extend({
      check: z.string(),
      kind: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
      reason: z.string(),
      at: z.int(),
    }),
  ),
  /** Exceptions that end within 30 days, or have ended while the check still fails; the first to end first. */
  ending: z.array(
    of.extend({
      check: z.string(),
      title: z.string(),
      state: z.enum(['active', 'expired']),
      reason: z.string(),
      approvedBy: z.string(),
      expiresAt: z.int(),
    }),
  ),
});

type Filter = z.output<typeof filter>;

/** How all connected tools stand together. */
export function addPostureOverviewRoutes(server: ApiServer, deps: ConnectorRouteDeps): void {
  const { db, clock, manifests } = deps;
  let loading: Promise<Catalogue> | undefined;
  const catalogue = (): Promise<Catalogue> => (loading ??= loadCatalogue(CONTENT));

  const readAll = async ({ connectionId, ...wanted }: Filter) => {
    const checks = await catalogue();
    const connections = (await listConnections(db)).filter(
      ({ id }) => connectionId === undefined || id === connectionId,
    );
    const tools = await Promise.all(
      connections.map(async (connection) => {
        const { items } = await readPosture(deps, connection);
        return { connection, items: resultsWhere(items, checks, { ...wanted, result: undefined }) };
      }),
    );
    return tools.filter(({ items }) => items.length > 0).map((tool) => ({ ...tool, checks }));
  };
  const ofTool = ({ id, name }: Connection) => ({ connectionId: id, connection: name });

  server.get(
    '/api/v1/posture',
    {
      config: { permission: 'connector.read' },
      schema: { tags: ['posture'], querystring: filter, response: { 200: overview } },
    },
    async ({ query }) => {
      const [tools, checks] = [await readAll(query), await catalogue()];
      const all = tools.flatMap(({ items }) => items);
      const listed = tools.flatMap(({ connection, items }) =>
        items
          .filter(({ result }) => query.result === undefined || result === query.result)
          .map((item) => ({ ...item, ...ofTool(connection) })),
      );
      listed.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.since - b.since);
      const now = clock.now();
      const ending = tools.flatMap(({ connection, items }) =>
        items.flatMap(({ check, title, result, exception }) =>
          result === 'fail' && exception !== null && exception.expiresAt <= now + SOON_MS
            ? [{ ...exception, ...ofTool(connection), check, title }]
            : [],
        ),
      );
      const changes = await Promise.all(
        tools.map(async ({ connection }) => {
          const found = await listPostureChanges(db, connection.id, CHANGES_OF_ONE_MAX);
          return found.map(({ id: _id, ...change }) => ({ ...change, ...ofTool(connection) }));
        }),
      );
      return {
        score: score(all),
        tools: tools.map(({ connection, items }) => ({
          ...ofTool(connection),
          app: connection.app,
          title: manifests.find(connection.app)?.manifest.title ?? connection.app,
          score: score(items),
          evaluatedAt: items[0]?.evaluatedAt ?? null,
        })),
        controls: query.framework === undefined ? [] : controlsOf(all, checks, query.framework),
        items: listed.slice(0, ITEMS_MAX),
        total: listed.length,
        changes: changes
          .flat()
          .toSorted((a, b) => b.at - a.at)
          .slice(0, CHANGES_MAX),
        ending: ending.toSorted((a, b) => a.expiresAt - b.expiresAt),
      };
    },
  );

  server.get(
    '/api/v1/posture/export',
    {
      config: { permission: 'connector.read' },
      schema: { tags: ['posture'], querystring: filter.extend({ format: z.enum(['csv', 'ocsf', 'oscal']) }) },
    },
    async ({ query: { format, result, ...query } }, reply) => {
      const checks = await catalogue();
      const tools = (await readAll(query)).map(({ connection, items }) => ({
        connection,
        items: items.filter((one) => result === undefined || one.result === result),
      }));
      if (format === 'csv') {
        const parts = tools.map(({ connection, items }, at) => toCsv(connection.name, items, checks, at === 0));
        return sendFile(reply, 'posture.csv', Buffer.from(parts.join('') || toCsv('', [], checks)));
      }
      if (format === 'ocsf') {
        const lines = tools.flatMap(({ connection: { id, name, app }, items }) =>
          items.map((item) => `${JSON.stringify(toComplianceFinding({ uid: id, name, type: app }, item, checks))}\n`),
        );
        return sendFile(reply, 'posture.ndjson', Buffer.from(lines.join('')));
      }
      // OSCAL takes UUIDs of version 4 and 5 only; ours are of version 7.
      const apps = tools.map(({ connection: { id, name }, items }) => ({
        app: { id: randomUUID(), name: `${name} (${id})` },
        results: items,
      }));
      const given = apps.length > 0 ? apps : [{ app: { id: randomUUID(), name: 'no tool' }, results: [] }];
      const document = toAssessmentOfApps(given, checks, { now: clock.now(), newUuid: () => randomUUID() });
      return sendFile(reply, 'posture.oscal.json', Buffer.from(JSON.stringify(document, null, 2)));
    },
  );
}
