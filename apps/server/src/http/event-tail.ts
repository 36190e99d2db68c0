import type { ServerResponse } from 'node:http';
import type { Follower, Lake, StoredEvent } from '@cordon/lake';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

const POLL_MS = 500;
const TAIL_MS_MAX = 30 * 60_000;
/** Whether the reader may still read is asked this often: whoever left or lost a role sees nothing more. */
const RECHECK_MS = 2_000;
export const TAILS_MAX = 50;
/** So that one person's forgotten windows leave room for others. */
export const TAILS_PER_ACTOR_MAX = 10;
const BATCH_MAX = 500;
/** A reader that lags this far is let go rather than held in memory. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

type Follow = Pick<Lake, 'follow'>;

/** Counts open tails in all and by actor; `take` gives null where there are too many. */
function createPlaces() {
  const byActor = new Map<string, number>();
  let all = 0;
  return {
    take(actorId: string): (() => void) | null {
      const own = byActor.get(actorId) ?? 0;
      if (all >= TAILS_MAX || own >= TAILS_PER_ACTOR_MAX) return null;
      all += 1;
      byActor.set(actorId, own + 1);
      return () => {
        all -= 1;
        const left = (byActor.get(actorId) ?? 1) - 1;
        if (left > 0) byActor.set(actorId, left);
        else byActor.delete(actorId);
      };
    },
  };
}

function lineOf({ id, time, ingestedAt, event }: StoredEvent): string {
  return `${JSON.stringify({ id, time, ingestedAt, event })}\n`;
}

async function pause(ms: number, closed: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, closed]);
  clearTimeout(timer);
}

async function writeEvents(
  response: ServerResponse,
  follower: Follower,
  first: readonly StoredEvent[],
  mayGoOn: () => Promise<boolean>,
): Promise<void> {
  const closed = Promise.withResolvers<void>();
  response.once('close', () => closed.resolve());
  const end = Date.now() + TAIL_MS_MAX;
  let checkedAt = Date.now();
  let events = first;
  response.write('\n');
  while (!response.destroyed && Date.now() < end && response.writableLength < BACKLOG_BYTES_MAX) {
    for (const event of events) response.write(lineOf(event));
    await pause(events.length === BATCH_MAX ? 0 : POLL_MS, closed.promise);
    if (response.destroyed) return;
    events = await follower.next(BATCH_MAX);
    if (Date.now() - checkedAt < RECHECK_MS) continue;
    checkedAt = Date.now();
    if (!(await mayGoOn())) return;
  }
}

/** Events as the lake takes them, one JSON object a line, until the reader goes or half an hour has passed. */
export function addTail(server: ApiServer, lake: Follow): void {
  const places = createPlaces();
  const open = new Set<ServerResponse>();
  // An open answer would hold the server's end until it is killed.
  server.addHook('preClose', async () => {
    for (const response of open) response.end();
  });

  const tail = async (
    request: FastifyRequest,
    reply: FastifyReply,
    follower: Follower,
    leave: () => void,
  ): Promise<FastifyReply> => {
    try {
      // The first look finds a query that is wrong while an error can still be answered as one.
      const first = await follower.next(BATCH_MAX);
      reply.hijack();
      const response = reply.raw;
      open.add(response);
      try {
        response.writeHead(200, {
          'content-type': 'application/x-ndjson',
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'x-accel-buffering': 'no',
        });
        await writeEvents(response, follower, first, () => server.isStillAllowed(request));
      } catch (error) {
        request.log.warn({ err: error }, 'a tail ended early');
      } finally {
        open.delete(response);
        response.end();
      }
      return reply;
    } finally {
      leave();
    }
  };

  server.get(
    '/api/v1/events/tail',
    {
      config: { permission: 'event.read' },
      schema: {
        tags: ['events'],
        querystring: z.object({
          query: z.string().max(4_000).optional(),
          since: z.coerce.number().int().nonnegative().optional(),
        }),
        response: { 200: z.string(), 503: z.object({ detail: z.string() }) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const leave = places.take(actor.kind === 'system' ? actor.name : actor.id);
      if (!leave) {
        const detail = `At most ${TAILS_MAX} tails at once, ${TAILS_PER_ACTOR_MAX} of one person or token.`;
        return reply.status(503).send({ detail });
      }
      const { query, since } = request.query;
      const scope = query === undefined || query.trim() === '' ? {} : { query };
      let follower: Follower;
      try {
        follower = lake.follow({ ...scope, ...(since === undefined ? {} : { since }) });
      } catch (error) {
        leave();
        throw error;
      }
      return tail(request, reply, follower, leave);
    },
  );
}
