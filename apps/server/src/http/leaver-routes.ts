import {
  type LeaverCommands,
  listRuns,
  listTargets,
  loadRun,
  RUN_KINDS,
  RUNS_PAGE_MAX,
  TARGET_STATES,
} from '@cordon/lifecycle';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface LeaverRouteDeps {
  readonly db: Database;
  readonly leavers: LeaverCommands;
}

const tags = ['leavers'];
const count = z.int();

const runBody = z.object({
  id: z.string(),
  kind: z.enum(RUN_KINDS),
  person: z.object({ id: z.string(), name: z.string() }),
  reason: z.string(),
  startedBy: z.string(),
  startedAt: z.int(),
  /** When everything was asked for. */
  dispatchedAt: z.int().nullable(),
  /** When nothing was open any more. */
  endedAt: z.int().nullable(),
  counts: z.object({ waiting: count, done: count, nothing: count, task: count, failed: count }),
});

const targetBody = z.object({
  key: z.string(),
  kind: z.string(),
  name: z.string(),
  act: z.string(),
  state: z.enum(TARGET_STATES),
  detail: z.string().nullable(),
  attempts: z.int(),
  at: z.int(),
  closedBy: z.string().nullable(),
});

/**
 * Joiners and movers begin with a change of groups or roles. Leavers: disabling a person begins one (`POST /api/v1/people/{id}/disable`, or SCIM); here is what became
 * of it.
 */
export function addLeaverRoutes(server: ApiServer, { db, leavers }: LeaverRouteDeps): void {
  const read = { config: { permission: 'person.read' } } as const;
  const write = { config: { permission: 'person.suspend' } } as const;
  server.get(
    '/api/v1/leavers',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(RUNS_PAGE_MAX).default(50),
          person: z.uuid().optional(),
          kind: z.enum(RUN_KINDS).default('leaver'),
        }),
        response: { 200: z.object({ items: z.array(runBody) }) },
      },
    },
    async ({ query }) => ({ items: await listRuns(db, query.limit, { personId: query.person, kinds: [query.kind] }) }),
  );
  server.get(
    '/api/v1/leavers/:id',
    {
      ...read,
      schema: {
        tags,
        params: idParameter,
        response: { 200: z.object({ run: runBody, targets: z.array(targetBody) }) },
      },
    },
    async ({ params }) => ({ run: await loadRun(db, params.id), targets: await listTargets(db, params.id) }),
  );
  server.post(
    '/api/v1/leavers/:id/retry',
    { ...write, schema: { tags, params: idParameter, response: { 202: z.object({ targets: z.int() }) } } },
    async (request, reply) =>
      reply.status(202).send({ targets: await leavers.retry(actorOf(request), request.params.id) }),
  );
  server.post(
    '/api/v1/leavers/:id/tasks',
    {
      ...write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ key: z.string().min(1).max(2_000), note: z.string().max(2_000) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { key, note } = request.body;
      await leavers.closeTask(actorOf(request), request.params.id, key, note);
      return reply.status(204).send(null);
    },
  );
}
