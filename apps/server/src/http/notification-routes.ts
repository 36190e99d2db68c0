import {
  type createTargetCommands,
  DELIVERY_PAGE_MAX,
  listDeliveries,
  listTargets,
  type NotificationTarget,
  retryDeliveries,
  targetInput,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { deliveryBody, targetBody } from './detection-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface NotificationRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly targets: ReturnType<typeof createTargetCommands>;
}

const tags = ['notifications'];

const shown = (target: NotificationTarget): z.output<typeof targetBody> => ({
  ...target,
  to: [...target.to],
  privateAddresses: [...target.privateAddresses],
});

/** Who is told of alerts, and what became of it. */
export function addNotificationRoutes(server: ApiServer, { db, clock, targets }: NotificationRouteDeps): void {
  server.get(
    '/api/v1/notification-targets',
    {
      config: { permission: 'detection.write' },
      schema: { tags, response: { 200: z.object({ items: z.array(targetBody) }) } },
    },
    async () => ({ items: (await listTargets(db)).map(shown) }),
  );
  server.post(
    '/api/v1/notification-targets',
    { config: { permission: 'detection.write' }, schema: { tags, body: targetInput, response: { 201: targetBody } } },
    async (request, reply) => reply.status(201).send(shown(await targets.add(actorOf(request), request.body))),
  );
  server.delete(
    '/api/v1/notification-targets/:id',
    { config: { permission: 'detection.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await targets.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.get(
    '/api/v1/notification-deliveries',
    {
      config: { permission: 'detection.read' },
      schema: {
        tags,
        querystring: z.object({
          state: z.enum(['waiting', 'delivered', 'failed']).optional(),
          limit: z.coerce.number().int().min(1).max(DELIVERY_PAGE_MAX).default(100),
        }),
        response: { 200: z.object({ items: z.array(deliveryBody) }) },
      },
    },
    async (request) => ({ items: await listDeliveries(db, request.query) }),
  );
  server.post(
    '/api/v1/notification-deliveries/retry',
    {
      config: { permission: 'detection.write' },
      schema: {
        tags,
        body: z.strictObject({ targetId: z.string().max(100).optional() }),
        response: { 200: z.object({ deliveries: z.int() }) },
      },
    },
    async (request) => ({
      deliveries: await retryDeliveries({ db, clock }, actorOf(request), request.body.targetId),
    }),
  );
}
