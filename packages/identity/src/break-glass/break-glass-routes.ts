import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, linkResponse, nameSchema } from '../schemas.ts';
import type { BreakGlassView } from './break-glass.ts';
import { findingsSchema } from './break-glass-store.ts';

const tags = ['break-glass'];
const params = z.object({ id: z.uuid() });
const DRILL_DAYS = 90;

const accountResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    login: z.string(),
    state: z.enum(['disabled', 'unfinished', 'unsealed', 'overdue', 'ready']),
    passkeys: z.int(),
    recoveryCodes: z.int(),
    place: z.string(),
    seal: z.string(),
    sealedAt: z.string().nullable(),
    drillDays: z.int(),
    drillDueAt: z.string(),
    drillUntil: z.string().nullable(),
    lastDrillAt: z.string().nullable(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'BreakGlassAccount' });
const useResponse = z.object({
  id: z.string(),
  at: z.string(),
  kind: z.enum(['drill', 'use']),
  ip: z.string(),
  methods: z.array(z.string()).readonly(),
  findings: findingsSchema,
});

function show(one: BreakGlassView): z.output<typeof accountResponse> {
  return {
    id: one.personId,
    name: one.name,
    login: one.login,
    state: one.state,
    passkeys: one.passkeys,
    recoveryCodes: one.recoveryCodes,
    place: one.place,
    seal: one.seal,
    drillDays: one.drillDays,
    sealedAt: isoTimeOrNull(one.sealedAt),
    drillDueAt: isoTime(one.drillDueAt),
    drillUntil: isoTimeOrNull(one.drillUntil),
    lastDrillAt: isoTimeOrNull(one.lastDrillAt),
    lastUsedAt: isoTimeOrNull(one.lastUsedAt),
  };
}

const read = { config: { permission: 'person.read' } } as const;
const write = { config: { permission: 'person.write' } } as const;

/** Accounts for the day when the corporate provider is gone. */
export function breakGlassRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(accountRoutes(identity));
    await app.register(drillRoutes(identity));
  };
}

function accountRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { breakGlass } = identity;
  return async (app) => {
    app.get(
      '/api/v1/break-glass',
      {
        ...read,
        schema: {
          tags,
          summary: 'Break-glass accounts, how many work and how many must',
          response: {
            200: z.object({ accounts: z.array(accountResponse), ready: z.int(), needed: z.int() }),
          },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { accounts, ready, needed } = await breakGlass.list(actor);
        return { accounts: accounts.map(show), ready, needed };
      },
    );
    app.post(
      '/api/v1/break-glass',
      {
        ...write,
        schema: {
          tags,
          summary: 'Make one; the link by which its passkey is made is shown once',
          body: z.strictObject({ name: nameSchema, drillDays: z.int().min(7).max(366).default(DRILL_DAYS) }),
          response: { 201: z.object({ account: accountResponse, link: linkResponse }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { account, link } = await breakGlass.create(actor, request.body);
        const shown = { url: link.url, expiresAt: isoTime(link.expiresAt) };
        return reply.status(201).send({ account: show(account), link: shown });
      },
    );
    app.delete(
      '/api/v1/break-glass/:id',
      {
        ...write,
        schema: {
          tags,
          summary: 'Disable it; of the last two only with acknowledge',
          params,
          querystring: z.object({ acknowledge: z.stringbool().default(false) }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await breakGlass.remove(actor, request.params.id, request.query.acknowledge);
        return reply.status(204).send(null);
      },
    );
  };
}

function drillRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { breakGlass } = identity;
  return async (app) => {
    app.put(
      '/api/v1/break-glass/:id/seal',
      {
        ...write,
        schema: {
          tags,
          summary: 'Say where the envelope with passkey and codes lies, and its seal',
          params,
          body: z.strictObject({
            place: z.string().trim().min(3).max(300),
            seal: z.string().trim().min(1).max(100),
          }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await breakGlass.seal(actor, request.params.id, request.body);
        return reply.status(204).send(null);
      },
    );
    app.post(
      '/api/v1/break-glass/:id/drill',
      {
        ...write,
        schema: {
          tags,
          summary: 'Announce a drill: a sign-in within half an hour is recorded as one',
          params,
          response: { 200: z.object({ until: z.string() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { until } = await breakGlass.drill(actor, request.params.id);
        return { until: isoTime(until) };
      },
    );
    app.get(
      '/api/v1/break-glass/:id/uses',
      {
        ...read,
        schema: {
          tags,
          summary: 'Every sign-in with it, drills among them, with what they found',
          params,
          response: { 200: z.object({ items: z.array(useResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const items = await breakGlass.uses(actor, request.params.id);
        return { items: items.map((one) => ({ ...one, at: isoTime(one.at) })) };
      },
    );
  };
}
