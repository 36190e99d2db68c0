import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTimeOrNull, personIdSchema, roleSchema } from '../schemas.ts';

const tags = ['groups'];
const DESCRIPTION_CHARS_MAX = 2_000;
const MEMBERS_CHANGE_MAX = 500;

const groupResponse = z
  .object({
    id: z.string(),
    displayName: z.string(),
    description: z.string(),
    /** Who decides who is in. */
    keptBy: z.enum(['directory', 'cordon']),
    /** Approves who comes in for a while. */
    owner: z.object({ id: z.string(), name: z.string() }).nullable(),
    members: z.int(),
    roles: z.array(roleSchema).readonly(),
  })
  .meta({ id: 'Group' });

const entitlement = z.object({ kind: z.enum(['role', 'app', 'target']), id: z.string(), name: z.string() });
const howIn = z.enum(['directory', 'provider', 'hand', 'elevation']);
const memberResponse = z.object({
  id: z.string(),
  name: z.string(),
  login: z.string(),
  status: z.enum(['invited', 'active', 'disabled']),
  by: z.array(howIn).readonly(),
  endsAt: z.string().nullable(),
});
const changeResponse = z.object({
  changes: z.array(
    z.object({
      person: z.object({ id: z.string(), name: z.string() }),
      gained: z.array(entitlement).readonly(),
      lost: z.array(entitlement).readonly(),
    }),
  ),
});
const params = z.object({ id: z.uuid() });
const ids = z.array(z.uuid()).max(MEMBERS_CHANGE_MAX).default([]);
const memberBody = z.strictObject({ add: ids, remove: ids });
const nameSchema = z.string().trim().min(1).max(200);
const description = z.string().trim().max(DESCRIPTION_CHARS_MAX);
const read = { config: { permission: 'person.read' } } as const;
/** What a group gives are roles and access of people: the same permission, and the same fresh factor. */
const write = { config: { permission: 'person.write' } } as const;

/** Groups of people: who is in, what that gives, and what a change would mean for each. */
export function groupRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readRoutes(identity));
    await app.register(writeRoutes(identity));
    await app.register(memberRoutes(identity));
  };
}

function readRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { groups } = identity;
  return async (app) => {
    app.get(
      '/api/v1/groups',
      {
        ...read,
        schema: {
          tags,
          summary: 'Groups, in the order they were made',
          querystring: z.object({ after: z.uuid().optional() }),
          response: { 200: z.object({ groups: z.array(groupResponse), next: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return groups.list(actor, request.query.after);
      },
    );
    app.get(
      '/api/v1/groups/:id',
      {
        ...read,
        schema: {
          tags,
          summary: 'One group with what being in it gives',
          params,
          response: { 200: groupResponse.extend({ gives: z.array(entitlement) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { id } = request.params;
        return { ...(await groups.get(actor, id)), gives: await groups.gives(actor, id) };
      },
    );
    app.get(
      '/api/v1/groups/:id/members',
      {
        ...read,
        schema: {
          tags,
          summary: 'Who is in, and how they came in',
          params,
          querystring: z.object({ after: z.uuid().optional() }),
          response: { 200: z.object({ people: z.array(memberResponse), next: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { people, next } = await groups.people(actor, request.params.id, request.query.after);
        return { people: people.map((one) => ({ ...one, endsAt: isoTimeOrNull(one.endsAt) })), next };
      },
    );
    app.get(
      '/api/v1/people/:id/access',
      {
        config: { permission: 'session.self' },
        schema: {
          tags,
          summary: 'Groups of a person and everything that they may use; of oneself, or with person.read of anyone',
          params: z.object({ id: personIdSchema }),
          response: {
            200: z.object({
              groups: z.array(
                z.object({ id: z.string(), displayName: z.string(), by: howIn, endsAt: z.string().nullable() }),
              ),
              access: z.array(entitlement),
            }),
          },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { id } = request.params;
        const found = await groups.of(actor, [id]);
        const shown = found.map(({ id: group, displayName, by, endsAt }) => ({
          id: group,
          displayName,
          by,
          endsAt: isoTimeOrNull(endsAt),
        }));
        return { groups: shown, access: await groups.access(actor, id) };
      },
    );
  };
}

function writeRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { groups } = identity;
  return async (app) => {
    app.post(
      '/api/v1/groups',
      {
        ...write,
        schema: {
          tags,
          summary: 'Make a group that is kept here',
          body: z.strictObject({
            displayName: nameSchema,
            description: description.default(''),
            ownerId: z.uuid().nullable().default(null),
          }),
          response: { 201: groupResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        return reply.status(201).send(await groups.create(actor, request.body));
      },
    );
    app.patch(
      '/api/v1/groups/:id',
      {
        ...write,
        schema: {
          tags,
          summary: 'Name and description of a group kept here; the owner of any',
          params,
          body: z.strictObject({
            displayName: nameSchema.optional(),
            description: description.optional(),
            ownerId: z.uuid().nullable().optional(),
          }),
          response: { 200: groupResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { displayName, description: text, ownerId } = request.body;
        return groups.change(actor, request.params.id, {
          ...(displayName === undefined ? {} : { displayName }),
          ...(text === undefined ? {} : { description: text }),
          ...(ownerId === undefined ? {} : { ownerId }),
        });
      },
    );
    app.delete(
      '/api/v1/groups/:id',
      {
        ...write,
        schema: { tags, summary: 'Remove a group kept here', params, response: { 200: changeResponse } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { changes: await groups.remove(actor, request.params.id) };
      },
    );
    app.put(
      '/api/v1/groups/:id/roles',
      {
        ...write,
        schema: {
          tags,
          summary: 'What members of a group may do; holds for all of them at once',
          params,
          body: z.object({ roles: z.array(roleSchema).max(6) }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await groups.setRoles(actor, request.params.id, request.body.roles);
        return reply.status(204).send(null);
      },
    );
  };
}

function memberRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { groups } = identity;
  return async (app) => {
    app.post(
      '/api/v1/groups/:id/members',
      {
        ...write,
        schema: {
          tags,
          summary: 'Put people in and out of a group kept here; says what it meant for each',
          params,
          body: memberBody,
          response: { 200: changeResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { changes: await groups.setMembers(actor, request.params.id, request.body) };
      },
    );
    app.post(
      '/api/v1/groups/:id/preview',
      {
        ...write,
        schema: {
          tags,
          summary: 'What a change of members, or removing the group, would give and take; changes nothing',
          params,
          body: memberBody.extend({ removed: z.boolean().default(false) }),
          response: { 200: changeResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { removed, ...change } = request.body;
        return { changes: await groups.preview(actor, request.params.id, removed ? 'removed' : change) };
      },
    );
  };
}
