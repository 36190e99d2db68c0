import { type ActionRun, loadRun } from '@cordon/connectors';
import { CLASSIFICATIONS, EDGE_NAMES, type GraphCommands, listCuts, NODE_KINDS, pathQuestion } from '@cordon/estate';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface GraphRouteDeps {
  readonly db: Database;
  readonly graph: GraphCommands;
}

const NODE_ID_CHARS_MAX = 600;
const RUNS_MAX = 200;
const tags = ['graph'];
const kind = z.enum(NODE_KINDS);
const edge = z.enum(EDGE_NAMES);
const classification = z.enum(CLASSIFICATIONS);
const counts = z.partialRecord(kind, z.int());

const nodeBody = z.object({
  id: z.string(),
  kind,
  name: z.string(),
  reference: z.object({
    type: z.enum(['app', 'integration', 'vendor', 'vault_credential', 'entity', 'connection', 'none']),
    id: z.string(),
    connectionId: z.string().optional(),
    entityKind: z.string().optional(),
  }),
  sanctioned: z.boolean().optional(),
  classification: classification.optional(),
  dataClass: z.string().optional(),
  app: z.string().optional(),
  status: z.string().optional(),
  owner: z.string().optional(),
  createdAt: z.number().optional(),
  lastUsedAt: z.number().optional(),
  expiresAt: z.number().optional(),
  scopes: z.array(z.string()).readonly().optional(),
});

const radiusBody = z.object({
  start: nodeBody,
  counts,
  total: z.int(),
  reached: z
    .array(z.object({ node: nodeBody, distance: z.int(), isPartial: z.boolean(), via: z.string(), by: edge }))
    .readonly(),
  data: z
    .array(
      z.object({
        id: z.string(),
        app: z.string(),
        dataClass: z.string(),
        classification,
        distance: z.int(),
        calls: z.number(),
        values: z.number(),
        lastAt: z.number().nullable(),
        seenCalls: z.number(),
        seenValues: z.number(),
      }),
    )
    .readonly(),
  worst: classification.nullable(),
  neighbours: z.array(
    z.object({
      node: nodeBody,
      kind: edge,
      direction: z.enum(['out', 'in']),
      calls: z.number(),
      values: z.number(),
      lastAt: z.number().nullable(),
    }),
  ),
});

const targetBody = z.object({
  act: z.enum(['revoke_integration', 'remove_grant', 'connector_action', 'manual']),
  id: z.string(),
  name: z.string(),
  why: z.string(),
  connectionId: z.string().optional(),
  action: z.string().optional(),
  input: z.record(z.string(), z.string()).readonly().optional(),
  canVerify: z.boolean().optional(),
  canUndo: z.boolean().optional(),
});
const planBody = z.object({ node: nodeBody, targets: z.array(targetBody).readonly(), digest: z.string() });
const cutBody = z.object({
  id: z.string(),
  node: z.object({ id: z.string(), name: z.string() }),
  reason: z.string(),
  digest: z.string(),
  results: z
    .array(
      z.object({
        target: targetBody,
        outcome: z.enum(['planned', 'done', 'requested', 'manual', 'failed']),
        evidence: z.string().nullable(),
        problem: z.string().nullable(),
        /** Of a connector's run: how it ended, and what it saw. */
        run: z
          .object({ status: z.string(), outcome: z.string().nullable(), summary: z.string().nullable() })
          .optional(),
      }),
    )
    .readonly(),
  createdAt: z.int(),
  createdBy: z.string(),
  endedAt: z.int().nullable(),
});
const nodeQuery = z.object({ node: z.string().min(1).max(NODE_ID_CHARS_MAX) });

/** Outcomes of the connectors' runs that cuts asked for. */
async function runsOf(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, ActionRun>> {
  const runs = await Promise.all(ids.slice(0, RUNS_MAX).map((id) => loadRun(db, id)));
  return new Map(runs.map(({ run }) => [run.id, run]));
}

export function addGraphRoutes(server: ApiServer, { db, graph }: GraphRouteDeps): void {
  server.get(
    '/api/v1/graph/nodes',
    {
      config: { permission: 'graph.read' },
      schema: {
        tags,
        querystring: z.object({ text: z.string().max(200).optional(), kind: kind.optional() }),
        response: {
          200: z.object({ items: z.array(nodeBody), counts, nodes: z.int(), edges: z.int(), at: z.int() }),
        },
      },
    },
    async (request) => graph.nodes(actorOf(request), request.query),
  );
  server.get(
    '/api/v1/graph/radius',
    {
      config: { permission: 'graph.read' },
      schema: {
        tags,
        querystring: nodeQuery.extend({ limit: z.coerce.number().int().min(1).max(2_000).default(300) }),
        response: { 200: radiusBody },
      },
    },
    async (request) => graph.radius(actorOf(request), request.query.node, request.query.limit),
  );
  server.post(
    '/api/v1/graph/paths',
    {
      config: { permission: 'graph.read' },
      schema: {
        tags,
        body: pathQuestion,
        response: {
          200: z.object({
            paths: z
              .array(z.object({ steps: z.array(z.object({ node: nodeBody, by: edge.nullable() })).readonly() }))
              .readonly(),
            total: z.int(),
            matched: z.object({ from: z.int(), to: z.int(), through: z.int().nullable() }),
          }),
        },
      },
    },
    async (request) => graph.paths(actorOf(request), request.body),
  );
  server.get(
    '/api/v1/graph/cut',
    { config: { permission: 'graph.read' }, schema: { tags, querystring: nodeQuery, response: { 200: planBody } } },
    async (request) => graph.planCut(actorOf(request), request.query.node),
  );
  server.post(
    '/api/v1/graph/cut',
    {
      config: { permission: 'graph.cut' },
      schema: {
        tags,
        body: z.strictObject({
          node: nodeQuery.shape.node,
          digest: z.string().length(64),
          reason: z.string().min(3, 'say why').max(2_000),
        }),
        response: { 200: cutBody },
      },
    },
    async (request) => graph.cut(actorOf(request), request.body.node, request.body),
  );
  server.get(
    '/api/v1/graph/cuts',
    {
      config: { permission: 'graph.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(cutBody) }) } },
    },
    async () => {
      const cuts = await listCuts(db);
      const asked = cuts.flatMap(({ results }) => results.filter(({ outcome }) => outcome === 'requested'));
      const runs = await runsOf(
        db,
        asked.flatMap(({ evidence }) => (evidence === null ? [] : [evidence])),
      );
      return {
        items: cuts.map((cut) => ({
          ...cut,
          results: cut.results.map((result) => {
            const run = result.evidence === null ? undefined : runs.get(result.evidence);
            if (!run) return result;
            return { ...result, run: { status: run.status, outcome: run.outcome, summary: run.summary } };
          }),
        })),
      };
    },
  );
}
