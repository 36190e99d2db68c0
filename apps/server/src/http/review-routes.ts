import {
  CAMPAIGN_STATES,
  campaignInput,
  evidenceSchema,
  ITEM_KINDS,
  ITEM_STATES,
  personInput,
  type ReviewCommands,
  scopeInput,
} from '@cordon/review';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface ReviewRouteDeps {
  readonly reviews: ReviewCommands;
}

const tags = ['reviews'];
const moment = z.int().nullable();
const count = z.int();
const campaignBody = z.object({
  id: z.string(),
  name: z.string(),
  scope: scopeInput,
  onUndecided: z.enum(['revoke', 'keep']),
  state: z.enum(CAMPAIGN_STATES),
  dueAt: z.int(),
  noticeMs: z.int(),
  remindMs: z.int(),
  noticedAt: moment,
  createdBy: z.string(),
  createdAt: z.int(),
  closedAt: moment,
  counts: z.object({
    open: count,
    kept: count,
    waiting: count,
    done: count,
    nothing: count,
    task: count,
    failed: count,
  }),
});
const reviewer = z.object({ id: z.string(), name: z.string(), email: z.string().nullable() });
const itemBody = z.object({
  id: z.string(),
  key: z.string(),
  kind: z.enum(ITEM_KINDS),
  name: z.string(),
  app: z.string(),
  holder: z.string(),
  evidence: evidenceSchema,
  canRevoke: z.boolean(),
  reviewer,
  delegatedBy: z.string().nullable(),
  decision: z.enum(['keep', 'revoke']).nullable(),
  reason: z.string().nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: moment,
  state: z.enum(ITEM_STATES),
  detail: z.string().nullable(),
  settledAt: moment,
});
const candidateBody = z.object({
  key: z.string(),
  kind: z.enum(ITEM_KINDS),
  name: z.string(),
  app: z.string(),
  holder: z.string(),
  owner: reviewer.nullable(),
  evidence: evidenceSchema,
});
const items = z.array(z.uuid()).min(1).max(500);
const reason = z.string().trim().min(3).max(1_000);

/** Access reviews. Deciding needs a factor shown just now, also when it begins with a link in a mail. */
export function addReviewRoutes(server: ApiServer, { reviews }: ReviewRouteDeps): void {
  const decide = { config: { permission: 'review.decide' } } as const;
  const write = { config: { permission: 'review.write' } } as const;
  server.get(
    '/api/v1/reviews',
    { ...decide, schema: { tags, response: { 200: z.object({ items: z.array(campaignBody) }) } } },
    async (request) => ({ items: await reviews.list(actorOf(request)) }),
  );
  server.post(
    '/api/v1/reviews',
    { ...write, schema: { tags, body: campaignInput, response: { 201: campaignBody } } },
    async (request, reply) => reply.status(201).send(await reviews.create(actorOf(request), request.body)),
  );
  server.post(
    '/api/v1/reviews/preview',
    { ...write, schema: { tags, body: scopeInput, response: { 200: z.object({ items: z.array(candidateBody) }) } } },
    async (request) => ({ items: [...(await reviews.preview(actorOf(request), request.body))] }),
  );
  server.get(
    '/api/v1/reviews/:id',
    {
      ...decide,
      schema: {
        tags,
        params: idParameter,
        response: { 200: z.object({ campaign: campaignBody, items: z.array(itemBody) }) },
      },
    },
    async (request) => reviews.show(actorOf(request), request.params.id),
  );
  server.post(
    '/api/v1/reviews/:id/decisions',
    {
      ...decide,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ items, decision: z.enum(['keep', 'revoke']), reason }),
        response: { 200: campaignBody },
      },
    },
    async (request) => reviews.decide(actorOf(request), request.params.id, request.body),
  );
  server.post(
    '/api/v1/reviews/:id/delegations',
    {
      ...decide,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ items, to: personInput, reason }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await reviews.delegate(actorOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/reviews/:id/items/:item/settle',
    {
      ...write,
      schema: {
        tags,
        params: idParameter.extend({ item: z.uuid() }),
        body: z.strictObject({ how: z.enum(['done', 'retry']), note: reason }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id, item } = request.params;
      await reviews.settle(actorOf(request), id, item, request.body);
      return reply.status(204).send(null);
    },
  );
  server.get(
    '/api/v1/reviews/:id/report',
    { config: { permission: 'review.read' }, schema: { tags, params: idParameter, response: { 200: z.string() } } },
    async (request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="review.csv"')
        .send(await reviews.csv(actorOf(request), request.params.id)),
  );
}
