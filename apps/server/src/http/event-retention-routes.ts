import {
  eventHoldInput,
  eventRuleInput,
  type EventRetentionCommands,
  listEventHolds,
  listEventRules,
  readSizeLimit,
  sizeLimitInput,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { z } from 'zod';
import { eventHolds } from '../worker/lake-retention.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface EventRetentionRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly eventRetention: EventRetentionCommands;
  /** Days of every event, as configured. */
  readonly retentionDays: number;
}

const DAY_MS = 86_400_000;
const tags = ['event retention'];
const read = { permission: 'detection.read' } as const;
const write = { permission: 'detection.write' } as const;

const ruleBody = z.object({
  id: z.string(),
  name: z.string(),
  query: z.string(),
  days: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
  runAt: z.int().nullable(),
  deleted: z.int(),
  lastError: z.string().nullable(),
});
const holdBody = z.object({
  id: z.string(),
  name: z.string(),
  query: z.string(),
  from: z.int().nullable(),
  to: z.int().nullable(),
  reason: z.string(),
  createdAt: z.int(),
  createdBy: z.string(),
});

/** How long the lake keeps events: by age, by search (label, app, class of data), by size; and what must stay. */
export function addEventRetentionRoutes(server: ApiServer, deps: EventRetentionRouteDeps): void {
  const { db, clock, lake, eventRetention } = deps;
  server.get(
    '/api/v1/event-retention',
    {
      config: read,
      schema: {
        tags,
        response: {
          200: z.object({
            days: z.int(),
            bytesMax: z.int().nullable(),
            bytes: z.int(),
            events: z.int(),
            oldestAt: z.int().nullable(),
            rules: z.array(ruleBody),
            holds: z.array(holdBody),
          }),
        },
      },
    },
    async () => {
      const [stats, rules, holds, bytesMax] = await Promise.all([
        lake.stats(),
        listEventRules(db),
        listEventHolds(db),
        readSizeLimit(db),
      ]);
      const { bytes, events, oldestAt = null } = stats;
      return { days: deps.retentionDays, bytesMax, bytes, events, oldestAt, rules, holds };
    },
  );
  server.post(
    '/api/v1/event-retention/preview',
    {
      config: read,
      schema: {
        tags,
        body: z.strictObject({ query: z.string().max(4_000).default(''), days: z.int().min(1).max(3_650) }),
        response: {
          200: z.object({
            events: z.int(),
            held: z.int(),
            days: z.array(z.object({ day: z.string(), events: z.int(), held: z.int() })),
          }),
        },
      },
    },
    async (request) => {
      const { query, days } = request.body;
      const found = await lake.expiry.preview({ query, before: clock.now() - days * DAY_MS }, await eventHolds(db));
      return {
        events: found.reduce((sum, one) => sum + one.events, 0),
        held: found.reduce((sum, one) => sum + one.held, 0),
        days: found,
      };
    },
  );
  server.put(
    '/api/v1/event-retention/size',
    { config: write, schema: { tags, body: sizeLimitInput, response: { 204: z.null() } } },
    async (request, reply) => {
      await eventRetention.limitSize(actorOf(request), request.body.bytesMax);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/event-retention/rules',
    { config: write, schema: { tags, body: eventRuleInput, response: { 201: ruleBody } } },
    async (request, reply) => reply.status(201).send(await eventRetention.addRule(actorOf(request), request.body)),
  );
  server.delete(
    '/api/v1/event-retention/rules/:id',
    { config: write, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await eventRetention.removeRule(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/event-retention/holds',
    { config: write, schema: { tags, body: eventHoldInput, response: { 201: holdBody } } },
    async (request, reply) => reply.status(201).send(await eventRetention.hold(actorOf(request), request.body)),
  );
  server.post(
    '/api/v1/event-retention/holds/:id/lift',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ reason: z.string().trim().min(3).max(1_000) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await eventRetention.lift(actorOf(request), request.params.id, request.body.reason);
      return reply.status(204).send(null);
    },
  );
}
