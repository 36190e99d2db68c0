import { listGateways, type SnapshotService } from '@cordon/estate';
import { AUDIT_PAGE_MAX, type Clock, type Database, readAudit, verifyAudit } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import { gatewayBody } from './estate-bodies.ts';

const auditBody = z.object({
  seq: z.int(),
  at: z.int(),
  actor: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() }),
  action: z.string(),
  target: z.object({ type: z.string(), id: z.string().optional(), name: z.string().optional() }),
  detail: z.record(z.string(), z.unknown()),
  hash: z.string(),
});

export interface SystemRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly snapshots: SnapshotService;
  readonly gatewayUrl: string;
  readonly lake: Pick<Lake, 'ping'>;
}

/** Health, gateways and the audit trail. */
export function addSystemRoutes(server: ApiServer, deps: SystemRouteDeps): void {
  const { db, clock, snapshots } = deps;
  server.get(
    '/healthz',
    { config: { public: true }, schema: { hide: true, response: { 200: z.object({ status: z.literal('ok') }) } } },
    async () => ({ status: 'ok' as const }),
  );
  server.get(
    '/readyz',
    {
      config: { public: true },
      schema: {
        hide: true,
        response: { 200: z.object({ status: z.literal('ready') }), 503: z.object({ status: z.string() }) },
      },
    },
    async (_request, reply) => {
      const answers = await Promise.all([
        db.ping().then(
          () => true,
          () => false,
        ),
        deps.lake.ping(),
      ]);
      if (answers.includes(false)) return reply.status(503).send({ status: 'an engine does not answer' });
      return { status: 'ready' as const };
    },
  );
  server.get(
    '/api/v1/system',
    {
      config: { permission: 'app.read' },
      schema: {
        tags: ['system'],
        response: { 200: z.object({ gatewayUrl: z.string(), version: z.int(), epoch: z.int() }) },
      },
    },
    async () => ({ gatewayUrl: deps.gatewayUrl, ...snapshots.position() }),
  );
  server.get(
    '/api/v1/gateways',
    {
      config: { permission: 'system.read' },
      schema: { tags: ['system'], response: { 200: z.object({ items: z.array(gatewayBody) }) } },
    },
    async () => ({ items: await listGateways(db, clock.now()) }),
  );
  server.get(
    '/api/v1/audit',
    {
      config: { permission: 'audit.read' },
      schema: {
        tags: ['audit'],
        querystring: z.object({
          before: z.coerce.number().int().positive().optional(),
          limit: z.coerce.number().int().min(1).max(AUDIT_PAGE_MAX).default(100),
          targetType: z.string().max(64).optional(),
          targetId: z.string().max(128).optional(),
        }),
        response: { 200: z.object({ items: z.array(auditBody) }) },
      },
    },
    async (request) => {
      const { before, limit, targetType, targetId } = request.query;
      const target = targetType && targetId ? { target: { type: targetType, id: targetId } } : {};
      return { items: await readAudit(db, { limit, ...(before === undefined ? {} : { before }), ...target }) };
    },
  );
  server.post(
    '/api/v1/audit/verify',
    {
      config: { permission: 'audit.read' },
      schema: { tags: ['audit'], response: { 200: z.object({ records: z.int(), head: z.string() }) } },
    },
    async () => verifyAudit(db),
  );
}
