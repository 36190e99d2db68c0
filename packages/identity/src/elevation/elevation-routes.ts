import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull } from '../schemas.ts';
import { type Elevation, ELEVATION_KINDS, ELEVATION_STATES, elevationInput } from './elevation.ts';

const tags = ['elevation'];
const named = z.object({ id: z.string(), name: z.string() });
const elevationResponse = z
  .object({
    id: z.string(),
    kind: z.enum(ELEVATION_KINDS),
    ref: z.string(),
    name: z.string(),
    integration: named.nullable(),
    operations: z.array(z.string()).readonly(),
    person: named,
    reason: z.string(),
    minutes: z.int(),
    state: z.enum(ELEVATION_STATES),
    askedAt: z.string(),
    lapsesAt: z.string(),
    /** Who decides; null: any owner of Cordon. */
    approver: named.nullable(),
    decidedBy: named.nullable(),
    decidedAt: z.string().nullable(),
    note: z.string().nullable(),
    endsAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    endedBy: z.string().nullable(),
    endedWhy: z.string().nullable(),
  })
  .meta({ id: 'Elevation' });
const params = z.object({ id: z.uuid() });
const note = z.string().trim().max(1_000);

function show(one: Elevation, approver: { id: string; name: string } | null): z.output<typeof elevationResponse> {
  const { grantId: _, ...rest } = one;
  return {
    ...rest,
    approver,
    askedAt: isoTime(one.askedAt),
    lapsesAt: isoTime(one.lapsesAt),
    decidedAt: isoTimeOrNull(one.decidedAt),
    endsAt: isoTimeOrNull(one.endsAt),
    endedAt: isoTimeOrNull(one.endedAt),
  };
}

/** Access for a while. */
export function elevationRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(askRoutes(identity));
    await app.register(ownerRoutes(identity));
  };
}

function askRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { elevations } = identity;
  const shown = async (one: Elevation) => show(one, await elevations.approver(one));
  return async (app) => {
    app.get(
      '/api/v1/elevations',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'Own elevations, those that wait for oneself, or with person.read all; newest first',
          querystring: z.object({ scope: z.enum(['own', 'to-decide', 'all']).default('own') }),
          response: { 200: z.object({ items: z.array(elevationResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const items = await elevations.list(actor, request.query.scope);
        return { items: await Promise.all(items.map(shown)) };
      },
    );
    app.get(
      '/api/v1/elevations/choices',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'Groups and apps that may be asked for',
          response: { 200: z.object({ groups: z.array(named).readonly(), apps: z.array(named).readonly() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return elevations.choices(actor);
      },
    );
    app.post(
      '/api/v1/elevations',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'Ask for a role, a group, an app, or operations for an integration, for a while',
          body: elevationInput,
          response: { 201: elevationResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        return reply.status(201).send(await shown(await elevations.ask(actor, request.body)));
      },
    );
    app.post(
      '/api/v1/elevations/:id/decide',
      {
        config: { permission: 'elevation.decide' },
        schema: {
          tags,
          summary: 'Approve or refuse; whoever answers for it, and never oneself',
          params,
          body: z.strictObject({ approve: z.boolean(), note: note.default('') }),
          response: { 200: elevationResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return shown(await elevations.decide(actor, request.params.id, request.body));
      },
    );
    app.post(
      '/api/v1/elevations/:id/end',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'End it now, or withdraw what nobody decided',
          params,
          body: z.strictObject({ why: note.min(3) }),
          response: { 200: elevationResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return shown(await elevations.end(actor, request.params.id, request.body.why));
      },
    );
  };
}

function ownerRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { elevations } = identity;
  return async (app) => {
    app.get(
      '/api/v1/sso/apps/:id/owner',
      {
        config: { permission: 'sso.read' },
        schema: {
          tags,
          summary: 'Who answers for an app that people sign on to',
          params,
          response: { 200: z.object({ owner: named.nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { owner: await elevations.appOwner(actor, request.params.id) };
      },
    );
    app.put(
      '/api/v1/sso/apps/:id/owner',
      {
        config: { permission: 'sso.write' },
        schema: {
          tags,
          summary: 'Say who answers for an app: approves access for a while',
          params,
          body: z.strictObject({ personId: z.uuid().nullable() }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await elevations.setAppOwner(actor, request.params.id, request.body.personId);
        return reply.status(204).send(null);
      },
    );
  };
}
