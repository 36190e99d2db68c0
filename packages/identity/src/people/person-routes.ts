import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { factorsResponse, showFactors } from '../factors/factor-routes.ts';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import {
  emailSchema,
  isoTime,
  isoTimeOrNull,
  linkResponse,
  nameSchema,
  personIdSchema,
  personResponse,
  roleSchema,
} from '../schemas.ts';
import type { MadeLink } from './links.ts';
import type { Person } from './person.ts';
import { PEOPLE_PAGE_MAX } from './person-store.ts';

const tags = ['people'];
const params = z.object({ id: personIdSchema });
const roles = z.array(roleSchema).min(1).max(6);
/** With the names of their groups. */
const listedPerson = personResponse.extend({ groups: z.array(z.string()) });

export function showPerson(person: Person): z.output<typeof personResponse> {
  return {
    id: person.id,
    name: person.name,
    email: person.email,
    login: person.login,
    status: person.status,
    roles: [...person.roles],
    source: person.source,
    createdAt: isoTime(person.createdAt),
    lastSignInAt: isoTimeOrNull(person.lastSignInAt),
  };
}

function showLink(link: MadeLink): z.output<typeof linkResponse> {
  return { url: link.url, expiresAt: isoTime(link.expiresAt) };
}

/** People and what they may do. Privileged ones need a fresh strong factor; the gate asks for it. */
export function personRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(directoryRoutes(identity));
    await app.register(lifecycleRoutes(identity));
  };
}

function directoryRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { people } = identity;
  return async (app) => {
    app.get(
      '/api/v1/people',
      {
        config: { permission: 'person.read' },
        schema: {
          tags,
          summary: 'People, in the order they were made',
          querystring: z.object({
            after: personIdSchema.optional(),
            limit: z.coerce.number().int().min(1).max(PEOPLE_PAGE_MAX).default(100),
          }),
          response: { 200: z.object({ people: z.array(listedPerson), next: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const found = await people.list(actor, request.query);
        const last = found.length === request.query.limit ? found.at(-1)?.id : undefined;
        const groups = await identity.groups.of(
          actor,
          found.map(({ id }) => id),
        );
        const inGroups = (id: string): string[] => [
          ...new Set(groups.filter(({ personId }) => personId === id).map(({ displayName }) => displayName)),
        ];
        return { people: found.map((one) => ({ ...showPerson(one), groups: inGroups(one.id) })), next: last ?? null };
      },
    );

    app.post(
      '/api/v1/people',
      {
        config: { permission: 'person.write' },
        schema: {
          tags,
          summary: 'Invite somebody; the link is shown once',
          body: z.object({ name: nameSchema, email: emailSchema, roles }),
          response: { 201: z.object({ person: personResponse, link: linkResponse }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { person, link } = await people.invite(actor, request.body);
        return reply.status(201).send({ person: showPerson(person), link: showLink(link) });
      },
    );

    app.get(
      '/api/v1/people/:id',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'One person: oneself, or with person.read anyone',
          params,
          response: { 200: personResponse.extend({ factors: factorsResponse }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const person = await people.get(actor, request.params.id);
        return { ...showPerson(person), factors: showFactors(await identity.enrolment.factors(person.id)) };
      },
    );

    app.patch(
      '/api/v1/people/:id',
      {
        config: { permission: 'person.write' },
        schema: {
          tags,
          summary: 'Change name or roles',
          params,
          body: z.object({ name: nameSchema.optional(), roles: roles.optional() }),
          response: { 200: personResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { name, roles } = request.body;
        const change = { ...(name === undefined ? {} : { name }), ...(roles === undefined ? {} : { roles }) };
        return showPerson(await people.change(actor, request.params.id, change));
      },
    );
  };
}

function lifecycleRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { people, links, sessions } = identity;
  return async (app) => {
    app.post(
      '/api/v1/people/:id/disable',
      {
        config: { permission: 'person.suspend' },
        schema: {
          tags,
          summary: 'Disable at once: sessions, API tokens and links end',
          params,
          body: z.object({
            reason: z.string().trim().min(1).max(500),
            /** Fewer than two break-glass accounts may be left: the person saw the warning. */
            acknowledge: z.boolean().default(false),
          }),
          response: { 200: z.object({ sessions: z.int(), apiTokens: z.int() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return people.disable(actor, request.params.id, request.body.reason, request.body.acknowledge);
      },
    );

    app.post(
      '/api/v1/people/:id/enable',
      {
        config: { permission: 'person.write' },
        schema: { tags, summary: 'Enable again', params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await people.enable(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/api/v1/people/:id/invite',
      {
        config: { permission: 'person.write' },
        schema: { tags, summary: 'A new invitation link', params, response: { 200: linkResponse } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showLink(await people.inviteAgain(actor, request.params.id));
      },
    );

    app.post(
      '/api/v1/people/:id/recovery-link',
      {
        config: { permission: 'person.write' },
        schema: { tags, summary: 'A link for someone who lost every factor', params, response: { 200: linkResponse } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showLink(await links.createRecoveryLink(actor, request.params.id));
      },
    );

    app.delete(
      '/api/v1/people/:id/factors',
      {
        config: { permission: 'person.write' },
        schema: { tags, summary: 'Remove every factor and session', params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await people.resetFactors(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );

    app.delete(
      '/api/v1/people/:id/sessions',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'End all sessions of a person; of oneself, all but this one',
          params,
          response: { 200: z.object({ ended: z.int() }) },
        },
      },
      async (request) => {
        const { actor, session } = await principalOf(identity, request);
        const keep = session?.personId === request.params.id ? session.id : undefined;
        return { ended: await sessions.endAll(actor, request.params.id, keep) };
      },
    );
  };
}
