import { isAllowed, type Permission, PERMISSIONS } from '@cordon/kernel';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, personIdSchema, roleSchema, sessionIdSchema, sessionResponse } from '../schemas.ts';
import type { Session } from './session.ts';

const tags = ['session'];
const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as Permission[]; // the keys of the table are the permissions

function showSession(session: Session, currentId: string | undefined): z.output<typeof sessionResponse> {
  return {
    id: session.id,
    personId: session.personId,
    stage: session.stage,
    current: session.id === currentId,
    agent: session.agent,
    ip: session.ip,
    amr: [...session.amr],
    createdAt: isoTime(session.createdAt),
    seenAt: isoTime(session.seenAt),
    expiresAt: isoTime(session.expiresAt),
    strongAuthAt: isoTimeOrNull(session.strongAuthAt),
  };
}

const whoAmI = z
  .object({
    /** null: nobody is signed in. */
    actor: z
      .object({
        kind: z.enum(['person', 'client']),
        id: z.string(),
        name: z.string(),
        roles: z.array(roleSchema),
        /** What these roles may do, so that a client need not keep the table of roles itself. */
        permissions: z.array(z.string()),
      })
      .nullable(),
    session: sessionResponse.nullable(),
  })
  .meta({ id: 'WhoAmI' });

/** Who am I, sign out, and the list of sessions. */
export function sessionRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/api/v1/session',
      { config: { public: true }, schema: { tags, summary: 'Who am I', response: { 200: whoAmI } } },
      async (request) => {
        const principal = await identity.authenticator.principal(request);
        if (!principal) return { actor: null, session: null };
        const { kind, id, name, roles } = principal.actor;
        const { session } = principal;
        const permissions = ALL_PERMISSIONS.filter((permission) => isAllowed(principal.actor, permission));
        return {
          actor: { kind, id, name, roles: [...roles], permissions },
          session: session && showSession(session, session.id),
        };
      },
    );

    app.delete(
      '/api/v1/session',
      {
        config: { permission: 'session.self', stage: 'enrol' },
        schema: { tags, summary: 'Sign out', response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor, session } = await principalOf(identity, request);
        if (session) await identity.sessions.end(actor, session.id);
        return reply.status(204).header('set-cookie', identity.cookie.clear()).send(null);
      },
    );

    app.get(
      '/api/v1/sessions',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'Live sessions: own ones, of one person, or of everyone',
          querystring: z.object({
            person: personIdSchema.optional(),
            everyone: z.stringbool().default(false),
            before: sessionIdSchema.optional(),
          }),
          response: { 200: z.object({ sessions: z.array(sessionResponse) }) },
        },
      },
      async (request) => {
        const { actor, session } = await principalOf(identity, request);
        const { person, everyone, before } = request.query;
        const ownId = actor.kind === 'person' ? personIdSchema.parse(actor.id) : undefined;
        const of = person ?? ownId;
        const found =
          everyone || of === undefined
            ? await identity.sessions.listAll(actor, before)
            : await identity.sessions.list(actor, of);
        return { sessions: found.map((one) => showSession(one, session?.id)) };
      },
    );

    app.delete(
      '/api/v1/sessions/:id',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'End a session: an own one, or with person.suspend anyone’s',
          params: z.object({ id: sessionIdSchema }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await identity.sessions.end(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
  };
}
