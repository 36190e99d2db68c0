import { EXPORT_EVENTS_MAX, EXPORT_FORMATS, type Lake, type StoredEvent } from '@cordon/lake';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import { addTail } from './event-tail.ts';

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
  server.get(
    '/api/v1/events/export',
    {
      config: { permission: 'event.read' },
      schema: {
        tags,
        querystring: scopeQuery.extend({
          format: z.enum(EXPORT_FORMATS).default('ndjson'),
          limit: z.coerce.number().int().min(1).max(EXPORT_EVENTS_MAX.ndjson).optional(),
        }),
      },
    },
    async (request, reply) => {
      const { format, limit = EXPORT_EVENTS_MAX[format], ...scope } = request.query;
      const stream = await lake.export({ ...scopeOf(scope), format, limit });
      const type = format === 'parquet' ? 'application/vnd.apache.parquet' : 'application/x-ndjson';
      return reply
        .header('content-type', type)
        .header('content-disposition', `attachment; filename="events.${format}"`)
        .send(stream);
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
