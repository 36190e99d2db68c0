import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, nameSchema, personIdSchema } from '../schemas.ts';
import type { SignalReceiver } from './receiver-store.ts';
import { ACTS, actsSchema, DEFAULT_ACTS, type SignalSource } from './source-store.ts';
import { SENT_NAMES } from './signal-event.ts';

const tags = ['shared signals'];
const read = { permission: 'sso.read' } as const;
const write = { permission: 'sso.write' } as const;
const byId = z.object({ id: z.uuid() });
const statusSchema = z.enum(['enabled', 'paused', 'disabled']);
const outboxState = z.enum(['waiting', 'delivered', 'dead']);
const REQUEUE_MAX = 200;

const receiverResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    audience: z.string(),
    subjectFormat: z.enum(['email', 'iss_sub']),
    allSubjects: z.boolean(),
    /** Null: the receiver hasn't made its stream. */
    delivery: z.enum(['push', 'poll']).nullable(),
    endpointUrl: z.string().nullable(),
    events: z.array(z.string()),
    status: statusSchema,
    statusReason: z.string().nullable(),
    createdAt: z.string(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'SignalReceiver' });
const sentResponse = z
  .object({
    id: z.string(),
    event: z.string(),
    personId: z.string().nullable(),
    state: outboxState,
    attempts: z.int(),
    nextAt: z.string(),
    outcome: z.string().nullable(),
    createdAt: z.string(),
    settledAt: z.string().nullable(),
  })
  .meta({ id: 'SentSignal' });
const sourceResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    issuer: z.string(),
    audience: z.string(),
    delivery: z.enum(['push', 'poll']),
    streamId: z.string().nullable(),
    acts: z.record(z.string(), z.enum(ACTS)),
    status: z.enum(['active', 'paused']),
    verifiedAt: z.string().nullable(),
    lastAt: z.string().nullable(),
    lastError: z.string().nullable(),
    createdAt: z.string(),
  })
  .meta({ id: 'SignalSource' });
const receivedResponse = z
  .object({
    jti: z.string(),
    at: z.string(),
    event: z.string(),
    personId: z.string().nullable(),
    subject: z.unknown(),
    outcome: z.string(),
    detail: z.unknown(),
  })
  .meta({ id: 'ReceivedSignal' });
const holdResponse = z
  .object({
    personId: z.string(),
    hold: z.enum(['suspended', 'factor-reset']).nullable(),
    reason: z.string().nullable(),
    at: z.string().nullable(),
  })
  .meta({ id: 'SignInHold' });

function showReceiver(identity: Identity, one: SignalReceiver): z.output<typeof receiverResponse> {
  const shown = identity.signals.streams.show(one);
  const types = Array.isArray(shown['events_delivered']) ? shown['events_delivered'].map(String) : [];
  return {
    id: one.id,
    name: one.name,
    audience: one.audience,
    subjectFormat: one.subjectFormat,
    allSubjects: one.allSubjects,
    delivery: one.stream === null ? null : one.stream.endpointUrl === null ? 'poll' : 'push',
    endpointUrl: one.stream?.endpointUrl ?? null,
    events: SENT_NAMES.filter((name) => types.some((type) => type.endsWith(`/${name}`))),
    status: one.status,
    statusReason: one.statusReason,
    createdAt: isoTime(one.createdAt),
    lastUsedAt: isoTimeOrNull(one.lastUsedAt),
  };
}

function showSource(one: SignalSource): z.output<typeof sourceResponse> {
  const { id, name, issuer, audience, delivery, streamId, acts, status, lastError } = one;
  return {
    id,
    name,
    issuer,
    audience,
    delivery,
    streamId,
    acts: { ...acts },
    status,
    lastError,
    verifiedAt: isoTimeOrNull(one.verifiedAt),
    lastAt: isoTimeOrNull(one.lastAt),
    createdAt: isoTime(one.createdAt),
  };
}

/** Receivers, sources, what went out and what came in. */
export function signalRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { admin } = identity.signals;
  return async (app) => {
    await app.register(receiverRoutes(identity));
    await app.register(sourceRoutes(identity));
    app.get(
      '/api/v1/signals/holds',
      {
        config: { permission: 'person.read' },
        schema: {
          tags,
          summary: 'People who may not sign in because of a signal',
          response: { 200: z.object({ items: z.array(holdResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const found = await admin.holds(actor);
        return {
          items: found.map(({ personId, hold, holdReason, holdAt }) => ({
            personId,
            hold,
            reason: holdReason,
            at: isoTimeOrNull(holdAt),
          })),
        };
      },
    );
    app.delete(
      '/api/v1/signals/holds/:id',
      {
        config: { permission: 'person.suspend' },
        schema: {
          tags,
          summary: 'Let a person sign in again',
          params: z.object({ id: personIdSchema }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await admin.liftHold(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}

function receiverRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { admin } = identity.signals;
  const path = '/api/v1/signals/receivers';
  return async (app) => {
    app.get(
      path,
      {
        config: read,
        schema: {
          tags,
          summary: 'Who is told of sessions, factors and accounts',
          response: { 200: z.object({ items: z.array(receiverResponse), metadataUrl: z.string() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const found = await admin.receivers(actor);
        return {
          items: found.map((one) => showReceiver(identity, one)),
          metadataUrl: `${identity.publicUrl}/.well-known/ssf-configuration`,
        };
      },
    );
    app.post(
      path,
      {
        config: write,
        schema: {
          tags,
          summary: 'Add a receiver; its token is shown once',
          body: z.object({
            name: nameSchema,
            audience: z.string().trim().min(1).max(500),
            subjectFormat: z.enum(['email', 'iss_sub']).default('email'),
            allSubjects: z.boolean().default(true),
            push: z
              .object({ endpointUrl: z.url().max(1_000), authorization: z.string().min(1).max(2_000).optional() })
              .nullable()
              .default(null),
          }),
          response: { 201: z.object({ receiver: receiverResponse, token: z.string() }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { receiver, token } = await admin.addReceiver(actor, request.body);
        return reply.status(201).send({ receiver: showReceiver(identity, receiver), token });
      },
    );
    app.post(
      `${path}/:id/token`,
      {
        config: write,
        schema: {
          tags,
          summary: 'A new token; the old one ends at once',
          params: byId,
          response: { 200: z.object({ token: z.string() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { token: await admin.rotateReceiver(actor, request.params.id) };
      },
    );
    app.put(
      `${path}/:id/status`,
      {
        config: write,
        schema: {
          tags,
          summary: 'Pause, stop or go on; the receiver is told',
          params: byId,
          body: z.object({ status: statusSchema, reason: z.string().trim().max(500).default('') }),
          response: { 200: receiverResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { status, reason } = request.body;
        return showReceiver(identity, await admin.setReceiverStatus(actor, request.params.id, status, reason));
      },
    );
    app.post(
      `${path}/:id/verify`,
      {
        config: write,
        schema: { tags, summary: 'Send a verification event', params: byId, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await admin.verifyReceiver(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
    app.get(
      `${path}/:id/events`,
      {
        config: read,
        schema: {
          tags,
          summary: 'What was sent, waits or is dead, newest first',
          params: byId,
          querystring: z.object({ state: outboxState.optional() }),
          response: { 200: z.object({ items: z.array(sentResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const rows = await admin.outbox(actor, request.params.id, request.query.state);
        return {
          items: rows.map(({ id, event, personId, state, attempts, outcome, ...row }) => ({
            id,
            event,
            personId,
            state,
            attempts,
            outcome,
            nextAt: isoTime(row.nextAt),
            createdAt: isoTime(row.createdAt),
            settledAt: isoTimeOrNull(row.settledAt),
          })),
        };
      },
    );
    app.post(
      `${path}/:id/requeue`,
      {
        config: write,
        schema: {
          tags,
          summary: 'Try dead events again',
          params: byId,
          body: z.object({ ids: z.array(z.uuid()).min(1).max(REQUEUE_MAX) }),
          response: { 200: z.object({ count: z.int() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { count: await admin.requeue(actor, request.params.id, request.body.ids) };
      },
    );
    app.delete(
      `${path}/:id`,
      { config: write, schema: { tags, summary: 'Remove a receiver', params: byId, response: { 204: z.null() } } },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await admin.removeReceiver(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}

function sourceRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { admin } = identity.signals;
  const path = '/api/v1/signals/sources';
  return async (app) => {
    app.get(
      path,
      {
        config: read,
        schema: {
          tags,
          summary: 'Who tells Cordon, and what follows from it',
          response: {
            200: z.object({ items: z.array(sourceResponse), defaultActs: z.record(z.string(), z.enum(ACTS)) }),
          },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await admin.sources(actor)).map(showSource), defaultActs: { ...DEFAULT_ACTS } };
      },
    );
    app.post(
      path,
      {
        config: write,
        schema: {
          tags,
          summary: 'Add a source; with a token its stream is made there',
          body: z.object({
            name: nameSchema,
            issuer: z.url({ protocol: /^https?$/ }).max(500),
            audience: z.string().trim().min(1).max(500).optional(),
            delivery: z.enum(['push', 'poll']).default('push'),
            token: z.string().min(1).max(4_000).optional(),
            acts: actsSchema.prefault({}),
          }),
          response: {
            201: z.object({
              source: sourceResponse,
              /** For a transmitter where an administrator makes the stream; the header is shown once. */
              address: z.object({ endpointUrl: z.string(), authorization: z.string() }),
            }),
          },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { source, address } = await admin.addSource(actor, request.body);
        return reply.status(201).send({ source: showSource(source), address });
      },
    );
    app.patch(
      `${path}/:id`,
      {
        config: write,
        schema: {
          tags,
          summary: 'Pause a source, or change what follows from its events',
          params: byId,
          body: z.object({ status: z.enum(['active', 'paused']).exactOptional(), acts: actsSchema.exactOptional() }),
          response: { 200: sourceResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showSource(await admin.changeSource(actor, request.params.id, request.body));
      },
    );
    app.post(
      `${path}/:id/verify`,
      {
        config: write,
        schema: { tags, summary: 'Ask the transmitter for a verification', params: byId, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await admin.verifySource(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
    app.get(
      `${path}/:id/events`,
      {
        config: read,
        schema: {
          tags,
          summary: 'What came in, and what followed, newest first',
          params: byId,
          response: { 200: z.object({ items: z.array(receivedResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const rows = await admin.received(actor, request.params.id);
        return { items: rows.map((row) => ({ ...row, at: isoTime(row.at) })) };
      },
    );
    app.delete(
      `${path}/:id`,
      {
        config: write,
        schema: { tags, summary: 'Remove a source and end its stream', params: byId, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await admin.removeSource(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}
