import {
  listExceptions,
  listHolds,
  listItems,
  listRules,
  listRuns,
  loadRun,
  retentionExceptionInput,
  retentionHoldInput,
  type RetentionItem,
  type RetentionRun,
  retentionRuleInput,
  retentionScope,
  RUN_STATUSES,
} from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import type { DataRouteDeps } from './data-routes.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

const tags = ['retention'];
const byId = z.strictObject({ id: z.string().min(1).max(200) });
const created = z.object({ id: z.string() });

const ruleBody = retentionRuleInput.extend({
  id: z.string(),
  everyDays: z.int().nullable(),
  nextAt: z.int().nullable(),
});

const runBody = z.object({
  id: z.string(),
  ruleId: z.string(),
  rule: retentionRuleInput.shape.settings,
  mode: z.enum(['dry-run', 'run']),
  status: z.enum(RUN_STATUSES),
  requestedBy: z.string(),
  requestedAt: z.int(),
  approvedBy: z.string().nullable(),
  /** Records by verdict: `due`, `held`, `excepted`, `young`, `undated`. */
  counts: z.record(z.string(), z.int()),
  /** Where a tool has no way. */
  unenforceable: z.array(
    z.object({ connectionId: z.string(), app: z.string(), object: z.string(), because: z.string() }),
  ),
  evidence: z.unknown(),
  evidenceSha256: z.string().nullable(),
  error: z.string().nullable(),
  endedAt: z.int().nullable(),
});

const itemBody = z.object({
  seq: z.int(),
  connectionId: z.string(),
  app: z.string(),
  object: z.string(),
  recordId: z.string(),
  clockAt: z.int(),
  verdict: z.string(),
  reason: z.string().nullable(),
  status: z.string(),
  actionRunId: z.string().nullable(),
  outcome: z.string().nullable(),
  verifiedAt: z.int().nullable(),
  error: z.string().nullable(),
});

const holdBody = z.object({
  id: z.string(),
  name: z.string(),
  scope: retentionScope,
  reason: z.string(),
  placedBy: z.string(),
  placedAt: z.int(),
  releasedBy: z.string().nullable(),
  releasedAt: z.int().nullable(),
});

const exceptionBody = z.object({
  id: z.string(),
  scope: retentionScope,
  reason: z.string(),
  expiresAt: z.int(),
  grantedBy: z.string(),
  grantedAt: z.int(),
});

const runOf = (run: RetentionRun) => ({
  ...run,
  requestedBy: run.requestedBy.name,
  requestedAt: run.requestedAt.getTime(),
  unenforceable: [...run.unenforceable],
  endedAt: run.endedAt?.getTime() ?? null,
});
const itemOf = (item: RetentionItem) => ({
  ...item,
  clockAt: item.clockAt.getTime(),
  verifiedAt: item.verifiedAt?.getTime() ?? null,
});

/** Retention rules, legal holds, exceptions, and runs with their evidence. */
export function addRetentionRoutes(server: ApiServer, deps: DataRouteDeps & { readonly db: Database }): void {
  const { db, dataParts } = deps;
  const { retention } = dataParts;
  server.get(
    '/api/v1/retention/rules',
    {
      config: { permission: 'retention.read' },
      schema: {
        tags,
        response: { 200: z.object({ items: z.array(ruleBody) }) },
      },
    },
    async () => ({
      items: (await listRules(db)).map((rule) => ({ ...rule, nextAt: rule.nextAt?.getTime() ?? null })),
    }),
  );
  server.post(
    '/api/v1/retention/rules',
    {
      config: { permission: 'retention.write' },
      schema: { tags, body: retentionRuleInput, response: { 201: created } },
    },
    async (request, reply) => reply.code(201).send(await retention.addRule(actorOf(request), request.body)),
  );
  server.put(
    '/api/v1/retention/rules/:id',
    {
      config: { permission: 'retention.write' },
      schema: { tags, params: byId, body: retentionRuleInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await retention.editRule(actorOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
  server.delete(
    '/api/v1/retention/rules/:id',
    { config: { permission: 'retention.write' }, schema: { tags, params: byId, response: { 204: z.null() } } },
    async (request, reply) => {
      await retention.removeRule(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  server.put(
    '/api/v1/retention/rules/:id/schedule',
    {
      config: { permission: 'retention.approve' },
      schema: {
        tags,
        params: byId,
        /** null: only when somebody asks. */
        body: z.strictObject({ everyDays: z.int().min(1).max(366).nullable() }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await retention.scheduleRule(actorOf(request), request.params.id, request.body.everyDays);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/retention/holds',
    {
      config: { permission: 'retention.write' },
      schema: { tags, body: retentionHoldInput, response: { 201: created } },
    },
    async (request, reply) => reply.code(201).send(await retention.hold(actorOf(request), request.body)),
  );
  server.delete(
    '/api/v1/retention/holds/:id',
    { config: { permission: 'retention.approve' }, schema: { tags, params: byId, response: { 204: z.null() } } },
    async (request, reply) => {
      await retention.release(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/retention/rules/:id/exceptions',
    {
      config: { permission: 'retention.write' },
      schema: { tags, params: byId, body: retentionExceptionInput, response: { 201: created } },
    },
    async (request, reply) =>
      reply.code(201).send(await retention.except(actorOf(request), request.params.id, request.body)),
  );
  addExemptionRoutes(server, db);
  addRunRoutes(server, deps);
}

function addExemptionRoutes(server: ApiServer, db: Database): void {
  server.get(
    '/api/v1/retention/holds',
    {
      config: { permission: 'retention.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(holdBody) }) } },
    },
    async () => ({
      items: (await listHolds(db)).map((hold) => ({
        ...hold,
        placedAt: hold.placedAt.getTime(),
        releasedAt: hold.releasedAt?.getTime() ?? null,
      })),
    }),
  );
  server.get(
    '/api/v1/retention/rules/:id/exceptions',
    {
      config: { permission: 'retention.read' },
      schema: { tags, params: byId, response: { 200: z.object({ items: z.array(exceptionBody) }) } },
    },
    async ({ params }) => ({
      items: (await listExceptions(db, params.id)).map((one) => ({
        ...one,
        expiresAt: one.expiresAt.getTime(),
        grantedAt: one.grantedAt.getTime(),
      })),
    }),
  );
}

function addRunRoutes(
  server: ApiServer,
  { db, dataParts: { retention } }: DataRouteDeps & { readonly db: Database },
): void {
  server.get(
    '/api/v1/retention/rules/:id/runs',
    {
      config: { permission: 'retention.read' },
      schema: { tags, params: byId, response: { 200: z.object({ items: z.array(runBody) }) } },
    },
    async (request) => ({ items: (await listRuns(db, request.params.id)).map(runOf) }),
  );
  server.post(
    '/api/v1/retention/rules/:id/runs',
    {
      config: { permission: 'retention.write' },
      schema: {
        tags,
        params: byId,
        body: z.strictObject({ mode: z.enum(['dry-run', 'run']) }),
        response: { 202: runBody },
      },
    },
    async (request, reply) =>
      reply.code(202).send(runOf(await retention.start(actorOf(request), request.params.id, request.body.mode))),
  );
  server.get(
    '/api/v1/retention/runs/:id',
    { config: { permission: 'retention.read' }, schema: { tags, params: byId, response: { 200: runBody } } },
    async (request) => runOf(await loadRun(db, request.params.id)),
  );
  server.get(
    '/api/v1/retention/runs/:id/items',
    {
      config: { permission: 'retention.read' },
      schema: {
        tags,
        params: byId,
        querystring: z.strictObject({ after: z.coerce.number().int().min(-1).default(-1) }),
        response: { 200: z.object({ items: z.array(itemBody) }) },
      },
    },
    async ({ params, query }) => ({ items: (await listItems(db, params.id, query.after)).map(itemOf) }),
  );
  server.post(
    '/api/v1/retention/runs/:id/approve',
    {
      config: { permission: 'retention.approve' },
      schema: { tags, params: byId, body: z.strictObject({}), response: { 202: runBody } },
    },
    async (request, reply) => reply.code(202).send(runOf(await retention.approve(actorOf(request), request.params.id))),
  );
}
