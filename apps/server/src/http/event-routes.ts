import type { Lake, StoredEvent } from '@cordon/lake';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';

const TAIL_POLL_MS = 500;
const TAIL_MS_MAX = 30 * 60_000;
const TAILS_MAX = 50;
const TAIL_BATCH_MAX = 500;
/** A reader that lags this far is let go rather than held in memory. */
const TAIL_BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

/** Times in milliseconds since the epoch; `filters` is JSON: `{"app": ["github"]}`. */
const scopeQuery = z.object({
  query: z.string().max(4_000).optional(),
  from: z.coerce.number().int().nonnegative().optional(),
  to: z.coerce.number().int().nonnegative().optional(),
});
type ScopeQuery = z.output<typeof scopeQuery>;

const eventBody = z.object({
  id: z.string(),
  time: z.int(),
  ingestedAt: z.int(),
  event: z.record(z.string(), z.unknown()),
});
const tags = ['events'];

function scopeOf({ query, from, to }: ScopeQuery) {
  return {
    ...(query === undefined || query.trim() === '' ? {} : { query }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function showEvent({ id, time, ingestedAt, event }: StoredEvent): z.output<typeof eventBody> {
  return { id, time, ingestedAt, event: { ...event } };
}

export function addEventRoutes(server: ApiServer, { lake }: { readonly lake: Lake }): void {
  server.get(
    '/api/v1/events',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: scopeQuery.extend({
          limit: z.coerce.number().int().min(1).max(1_000).default(100),
          cursor: z.string().max(1_000).optional(),
          order: z.enum(['newest', 'oldest']).default('newest'),
          withTotal: z.stringbool().default(false),
        }),
        response: {
          200: z.object({
            items: z.array(eventBody),
            cursor: z.string().nullable(),
            total: z.int().nullable(),
            took: z.number(),
          }),
        },
      },
    },
    async (request) => {
      const { limit, cursor, order, withTotal, ...scope } = request.query;
      const page = await lake.search({
        ...scopeOf(scope),
        limit,
        order,
        withTotal,
        ...(cursor === undefined ? {} : { cursor }),
      });
      return {
        items: page.events.map(showEvent),
        cursor: page.cursor ?? null,
        total: page.total ?? null,
        took: page.took,
      };
    },
  );
  server.get(
    '/api/v1/events/histogram',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: scopeQuery.extend({
          buckets: z.coerce.number().int().min(1).max(500).default(60),
          groupBy: z.string().max(100).optional(),
        }),
        response: {
          200: z.object({
            from: z.int(),
            to: z.int(),
            intervalMs: z.int(),
            buckets: z.array(
              z.object({ at: z.int(), count: z.int(), groups: z.record(z.string(), z.int()).optional() }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { buckets, groupBy, ...scope } = request.query;
      const result = await lake.histogram({
        ...scopeOf(scope),
        buckets,
        ...(groupBy === undefined ? {} : { groupBy }),
      });
      return {
        from: result.from,
        to: result.to,
        intervalMs: result.intervalMs,
        buckets: result.buckets.map(({ at, count, groups }) => ({
          at,
          count,
          ...(groups ? { groups: { ...groups } } : {}),
        })),
      };
    },
  );
  server.get(
    '/api/v1/events/facets',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: scopeQuery.extend({ fields: z.string().min(1).max(500) }),
        response: {
          200: z.object({ fields: z.record(z.string(), z.array(z.object({ value: z.string(), count: z.int() }))) }),
        },
      },
    },
    async (request) => {
      const { fields, ...scope } = request.query;
      const found = await lake.facets({ ...scopeOf(scope), fields: fields.split(',') });
      return { fields: Object.fromEntries(Object.entries(found).map(([field, values]) => [field, [...values]])) };
    },
  );
  addTail(server, lake);
  server.get(
    '/api/v1/events/:id',
    {
      config: { permission: 'event.read' },
      schema: { tags, params: z.object({ id: z.string().min(1).max(200) }), response: { 200: eventBody } },
    },
    async (request) => showEvent(await lake.get(request.params.id)),
  );
}

/** Events as the lake takes them, one JSON object a line, until the reader goes or half an hour has passed. */
function addTail(server: ApiServer, lake: Lake): void {
  let tails = 0;
  server.get(
    '/api/v1/events/tail',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: z.object({
          query: z.string().max(4_000).optional(),
          since: z.coerce.number().int().nonnegative().optional(),
        }),
        response: { 200: z.string(), 503: z.object({ detail: z.string() }) },
      },
    },
    async (request, reply) => {
      if (tails >= TAILS_MAX) return reply.status(503).send({ detail: `At most ${TAILS_MAX} tails at once.` });
      const { query, since } = request.query;
      const follower = lake.follow({ ...scopeOf({ query }), ...(since === undefined ? {} : { since }) });
      // The first look finds a query that is wrong while an error can still be answered as one.
      let events = await follower.next(TAIL_BATCH_MAX);
      tails += 1;
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, {
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const closed = Promise.withResolvers<void>();
      response.once('close', () => closed.resolve());
      const end = Date.now() + TAIL_MS_MAX;
      try {
        response.write('\n');
        while (!response.destroyed && Date.now() < end && response.writableLength < TAIL_BACKLOG_BYTES_MAX) {
          for (const event of events) response.write(`${JSON.stringify(showEvent(event))}\n`);
          const pause = Promise.withResolvers<void>();
          const timer = setTimeout(pause.resolve, events.length === TAIL_BATCH_MAX ? 0 : TAIL_POLL_MS);
          await Promise.race([pause.promise, closed.promise]);
          clearTimeout(timer);
          events = response.destroyed ? [] : await follower.next(TAIL_BATCH_MAX);
        }
      } catch (error) {
        request.log.warn({ err: error }, 'a tail ended early');
      } finally {
        tails -= 1;
        response.end();
      }
      return reply;
    },
  );
}
