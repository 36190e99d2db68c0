import {
  type ForwardCommands,
  FORWARD_KINDS,
  forwardInput,
  forwardPatch,
  type ForwardTarget,
  listForwards,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { JOURNAL_SETTLE_MS } from '@cordon/lake';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface ForwardRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly forwards: ForwardCommands;
}

const forwardBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(FORWARD_KINDS),
  query: z.string(),
  place: z.string(),
  settings: z.record(z.string(), z.unknown()),
  privateAddresses: z.array(z.string()),
  status: z.enum(['active', 'paused', 'failing']),
  /** Everything that the lake took before this moment is at the target. */
  forwardedTo: z.int(),
  /** How far behind that is, beyond the minute that every target stays behind. */
  lagMs: z.int(),
  sent: z.int(),
  refused: z.int(),
  failures: z.int(),
  nextAt: z.int().nullable(),
  lastError: z.string().nullable(),
  lastRefusal: z.string().nullable(),
  lastSentAt: z.int().nullable(),
  createdAt: z.int(),
  createdBy: z.string(),
});

/** The duty runs each second; less than that is no lag. */
const LAG_MS_MIN = 5_000;

function shown({ position, failures, nextAt, ...target }: ForwardTarget, now: number): z.output<typeof forwardBody> {
  const behind = now - position.at - JOURNAL_SETTLE_MS;
  return {
    ...target,
    settings: { ...target.settings },
    privateAddresses: [...target.privateAddresses],
    forwardedTo: position.at,
    lagMs: behind < LAG_MS_MIN ? 0 : behind,
    failures,
    nextAt: failures > 0 ? nextAt : null,
  };
}

const tags = ['forwarding'];
const config = { permission: 'detection.write' } as const;

/** Where events are forwarded to, and how far each target has got. */
export function addForwardRoutes(server: ApiServer, { db, clock, forwards }: ForwardRouteDeps): void {
  server.get(
    '/api/v1/forward-targets',
    {
      config: { permission: 'detection.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(forwardBody) }) } },
    },
    async () => ({ items: (await listForwards(db)).map((one) => shown(one, clock.now())) }),
  );
  server.post(
    '/api/v1/forward-targets',
    { config, schema: { tags, body: forwardInput, response: { 201: forwardBody } } },
    async (request, reply) =>
      reply.status(201).send(shown(await forwards.add(actorOf(request), request.body), clock.now())),
  );
  server.patch(
    '/api/v1/forward-targets/:id',
    { config, schema: { tags, params: idParameter, body: forwardPatch, response: { 200: forwardBody } } },
    async (request) => shown(await forwards.change(actorOf(request), request.params.id, request.body), clock.now()),
  );
  server.delete(
    '/api/v1/forward-targets/:id',
    { config, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await forwards.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
