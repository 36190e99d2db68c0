import { listApps, listGrants, listIntegrations } from '@cordon/estate';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake, TrafficRow } from '@cordon/lake';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';

const WINDOW_MS_MAX = 31 * 86_400_000;

const measures = {
  calls: z.int(),
  refusals: z.int(),
  errors: z.int(),
  redacted: z.int(),
  requestBytes: z.number(),
  responseBytes: z.number(),
  latencyP50: z.number(),
  latencyP95: z.number(),
  lastAt: z.int().nullable(),
};
const edgeBody = z.object({ appId: z.string(), integrationId: z.string(), granted: z.boolean(), ...measures });
const mapBody = z.object({
  from: z.int(),
  to: z.int(),
  apps: z.array(z.object({ id: z.string(), name: z.string(), title: z.string(), hasCredential: z.boolean() })),
  integrations: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      status: z.enum(['active', 'suspended', 'revoked']),
      kind: z.string(),
    }),
  ),
  edges: z.array(edgeBody),
});

const NO_TRAFFIC = {
  calls: 0,
  refusals: 0,
  errors: 0,
  redacted: 0,
  requestBytes: 0,
  responseBytes: 0,
  latencyP50: 0,
  latencyP95: 0,
  lastAt: null,
};

function measuresOf(row: TrafficRow): Pick<TrafficRow, keyof typeof measures> {
  const { calls, refusals, errors, redacted, requestBytes, responseBytes, latencyP50, latencyP95, lastAt } = row;
  return { calls, refusals, errors, redacted, requestBytes, responseBytes, latencyP50, latencyP95, lastAt };
}

/** Apps and integrations, an edge for each pair that has a grant or had traffic in the window. */
export function addMapRoutes(
  server: ApiServer,
  { db, lake, clock }: { readonly db: Database; readonly lake: Lake; readonly clock: Clock },
): void {
  server.get(
    '/api/v1/map',
    {
      config: { permission: 'map.read' },
      schema: {
        tags: ['map'],
        querystring: z.object({ windowMs: z.coerce.number().int().min(60_000).max(WINDOW_MS_MAX).default(3_600_000) }),
        response: { 200: mapBody },
      },
    },
    async (request) => {
      const to = clock.now();
      const from = to - request.query.windowMs;
      const [apps, integrations, grants, traffic] = await Promise.all([
        listApps(db),
        listIntegrations(db),
        listGrants(db),
        lake.traffic({ by: ['app', 'integration'], from, to }),
      ]);
      const edges = new Map<string, z.output<typeof edgeBody>>();
      for (const { appId, integrationId } of grants) {
        edges.set(`${integrationId} ${appId}`, { appId, integrationId, granted: true, ...NO_TRAFFIC });
      }
      const known = new Set([...apps, ...integrations].map(({ id }) => id));
      for (const row of traffic) {
        const { app, integration } = row;
        if (!app || !integration || !known.has(app.id) || !known.has(integration.id)) continue;
        const key = `${integration.id} ${app.id}`;
        const granted = edges.get(key)?.granted ?? false;
        edges.set(key, { appId: app.id, integrationId: integration.id, granted, ...measuresOf(row) });
      }
      return {
        from,
        to,
        apps: apps.map(({ id, name, title, credential }) => ({ id, name, title, hasCredential: credential !== null })),
        integrations: integrations.map(({ id, name, status, kind }) => ({ id, name, status, kind })),
        edges: [...edges.values()],
      };
    },
  );
  server.get(
    '/api/v1/traffic',
    {
      config: { permission: 'event.read' },
      schema: {
        tags: ['map'],
        querystring: z.object({
          query: z.string().max(4_000).optional(),
          windowMs: z.coerce.number().int().min(60_000).max(WINDOW_MS_MAX).default(3_600_000),
          by: z.enum(['app', 'integration', 'operation', 'decision', 'reason']).default('operation'),
          limit: z.coerce.number().int().min(1).max(1_000).default(100),
        }),
        response: { 200: z.object({ items: z.array(z.object({ key: z.string(), name: z.string(), ...measures })) }) },
      },
    },
    async (request) => {
      const { query, windowMs, by, limit } = request.query;
      const to = clock.now();
      const scope = query === undefined ? {} : { query };
      const rows = await lake.traffic({ ...scope, by: [by], from: to - windowMs, to, limit });
      return {
        items: rows.map((row) => ({
          key: row.app?.id ?? row.integration?.id ?? row.operation ?? row.decision ?? row.reason ?? '',
          name: row.app?.name ?? row.integration?.name ?? row.operation ?? row.decision ?? row.reason ?? '',
          ...measuresOf(row),
        })),
      };
    },
  );
}
