import {
  type BehaviourCommands,
  criticalityInput,
  ENTITY_TYPES,
  entityQuery,
  FEATURES,
  feedbackInput,
  LEARNING_DAYS,
  LEARNING_MS,
  listFeedback,
  listScored,
  loadScored,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf, RequestInvalid } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface BehaviourRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly behaviour: BehaviourCommands;
}

const tags = ['behaviour'];
const LIST_MAX = 500;
/** `type:id` as the list shows it. */
const keyQuery = z.object({ key: z.string().min(3).max(600) });

const entityFields = {
  key: z.string(),
  type: z.enum(ENTITY_TYPES),
  id: z.string(),
  name: z.string(),
  score: z.number(),
  state: z.enum(['learning', 'known']),
  criticality: z.number(),
  firstAt: z.int(),
  lastAt: z.int(),
  updatedAt: z.int(),
};
const termBody = z.object({
  feature: z.enum(FEATURES),
  group: z.enum(['amount', 'where', 'how', 'what', 'when', 'errors', 'signals']),
  value: z.string(),
  observed: z.number(),
  baseline: z.object({ usual: z.number(), high: z.number(), days: z.number(), borrowed: z.number() }),
  peers: z.object({ count: z.number(), usual: z.number().nullable(), organisation: z.number().nullable() }),
  probability: z.number(),
  contribution: z.number(),
  from: z.int(),
  to: z.int(),
  query: z.string(),
  eventIds: z.array(z.string()),
  feedback: z.string().optional(),
});
const feedbackBody = z.object({
  id: z.string(),
  entityKey: z.string(),
  feature: z.enum(FEATURES),
  value: z.string().nullable(),
  verdict: z.enum(['expected', 'not-expected']),
  observed: z.number(),
  day: z.int(),
  reason: z.string(),
  expiresAt: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
});
const entityDetail = z.object({
  ...entityFields,
  criticalityReason: z.string().nullable(),
  learning: z.object({ days: z.int(), activeDays: z.int() }),
  peers: z.array(z.object({ id: z.string(), similarity: z.number() })),
  days: z.array(
    z.object({ day: z.int(), score: z.number(), state: z.enum(['learning', 'known']), terms: z.array(termBody) }),
  ),
  feedback: z.array(feedbackBody),
  /** The search that shows everything the entity did. */
  query: z.string(),
});

export function addBehaviourRoutes(server: ApiServer, { db, clock, behaviour }: BehaviourRouteDeps): void {
  server.get(
    '/api/v1/behaviour',
    {
      config: { permission: 'alert.read' },
      schema: {
        tags,
        querystring: z.object({
          type: z.enum(ENTITY_TYPES).optional(),
          limit: z.coerce.number().int().min(1).max(LIST_MAX).default(100),
        }),
        response: { 200: z.object({ items: z.array(z.object({ ...entityFields, reasons: z.array(z.string()) })) }) },
      },
    },
    async (request) => ({
      items: (await listScored(db, request.query)).map((one) => ({ ...one, reasons: [...one.reasons] })),
    }),
  );
  server.get(
    '/api/v1/behaviour/entity',
    {
      config: { permission: 'alert.read' },
      schema: { tags, querystring: keyQuery, response: { 200: entityDetail } },
    },
    async (request) => {
      const { key } = request.query;
      const found = await loadScored(db, key);
      if (!found) throw new RequestInvalid('Nothing is known of this entity yet.');
      return {
        ...found,
        learning: { days: LEARNING_MS / 86_400_000, activeDays: LEARNING_DAYS },
        feedback: await listFeedback(db, clock.now(), key),
        query: entityQuery(found),
      };
    },
  );
  server.post(
    '/api/v1/behaviour/feedback',
    {
      config: { permission: 'detection.write' },
      schema: { tags, querystring: keyQuery, body: feedbackInput, response: { 201: feedbackBody } },
    },
    async (request, reply) =>
      reply.status(201).send(await behaviour.giveFeedback(actorOf(request), request.query.key, request.body)),
  );
  server.delete(
    '/api/v1/behaviour/feedback/:id',
    { config: { permission: 'detection.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await behaviour.endFeedback(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.put(
    '/api/v1/behaviour/criticality',
    {
      config: { permission: 'detection.write' },
      schema: { tags, querystring: keyQuery, body: criticalityInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await behaviour.setCriticality(actorOf(request), request.query.key, request.body);
      return reply.status(204).send(null);
    },
  );
}
