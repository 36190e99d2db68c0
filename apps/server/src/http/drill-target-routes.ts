import { targetInput } from '@cordon/drills';
import { z } from 'zod';
import type { DrillParts } from '../roles/drill-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

const targetBody = z.object({
  appId: z.string(),
  app: z.string(),
  operation: z.string(),
  path: z.string(),
  reason: z.string(),
  madeAt: z.int(),
  madeBy: z.string(),
});

/** Apps of the estate that somebody marked as an emulator or a test system, for drills to be played against. */
export function addDrillTargetRoutes(server: ApiServer, { drillParts }: { readonly drillParts: DrillParts }): void {
  const tags = ['drills'];
  const run = { config: { permission: 'drill.run' } } as const;
  server.get(
    '/api/v1/drill-targets',
    { ...run, schema: { tags, response: { 200: z.object({ items: z.array(targetBody) }) } } },
    async () => ({ items: await drillParts.targets.list() }),
  );
  server.put(
    '/api/v1/drill-targets',
    { ...run, schema: { tags, body: targetInput, response: { 200: targetBody } } },
    async (request) => drillParts.targets.mark(actorOf(request), request.body),
  );
  server.delete(
    '/api/v1/drill-targets/:app',
    { ...run, schema: { tags, params: z.object({ app: z.string().max(100) }), response: { 204: z.null() } } },
    async (request, reply) => {
      await drillParts.targets.unmark(actorOf(request), request.params.app);
      return reply.status(204).send(null);
    },
  );
}
