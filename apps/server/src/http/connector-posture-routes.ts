import { listPostureChanges, loadConnection, readPosture } from '@cordon/connectors';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import type { ConnectorRouteDeps } from './connector-routes.ts';
import { idParameter } from './estate-bodies.ts';

const CHANGES_MAX = 200;
const severity = z.enum(['critical', 'high', 'medium', 'low', 'info']);
const result = z.enum(['pass', 'fail', 'not_visible', 'not_applicable', 'error']);

export const postureItem = z.object({
  check: z.string(),
  title: z.string(),
  product: z.string(),
  severity,
  result,
  reason: z.string(),
  evidence: z.array(z.object({ path: z.string(), value: z.string().optional() })),
  since: z.int(),
  evaluatedAt: z.int(),
  exception: z
    .object({
      state: z.enum(['active', 'expired']),
      reason: z.string(),
      approvedBy: z.string(),
      expiresAt: z.int(),
    })
    .nullable(),
});

export const postureScore = z.object({
  /** 0 to 100; null when nothing that counts could be seen. */
  score: z.number().nullable(),
  /** The part of the weight that could be seen, 0 to 1. */
  visibility: z.number(),
  passed: z.int(),
  failed: z.int(),
  excepted: z.int(),
  notVisible: z.int(),
  notApplicable: z.int(),
  errors: z.int(),
});

const postureBody = z.object({
  score: postureScore,
  items: z.array(postureItem),
  changes: z.array(
    z.object({
      id: z.int(),
      check: z.string(),
      kind: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
      reason: z.string(),
      at: z.int(),
    }),
  ),
});

const exceptionInput = z.strictObject({
  check: z.string().min(1).max(128),
  reason: z.string().min(1).max(2_000),
  /** Milliseconds since the epoch; a year ahead at most. */
  expiresAt: z.int().min(0),
});

const tags = ['posture'];

/** How the settings of a connected tool compare with the checks of its product. */
export function addConnectorPostureRoutes(server: ApiServer, deps: ConnectorRouteDeps): void {
  const { db } = deps;
  server.get(
    '/api/v1/connections/:id/posture',
    {
      config: { permission: 'connector.read' },
      schema: { tags, params: idParameter, response: { 200: postureBody } },
    },
    async (request) => {
      const connection = await loadConnection(db, request.params.id);
      const { score, items } = await readPosture(deps, connection);
      return {
        score,
        items: items.map((item) => ({ ...item })),
        changes: await listPostureChanges(db, connection.id, CHANGES_MAX),
      };
    },
  );
  server.post(
    '/api/v1/connections/:id/posture/exceptions',
    {
      config: { permission: 'connector.write' },
      schema: { tags, params: idParameter, body: exceptionInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await deps.posture.except(actorOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
}
