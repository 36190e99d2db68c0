import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf, sessionOf } from '../route-access.ts';
import { emailSchema, isoTime, isoTimeOrNull, nameSchema, personIdSchema } from '../schemas.ts';
import { originOf } from '../sessions/authenticate.ts';
import type { UpstreamAccount } from './account-store.ts';
import { isTested, type Provider, providerSettings, UpstreamProviderId } from './provider.ts';
import type { Attempt, ProviderDomain } from './provider-store.ts';
import { DOMAIN_PREFIX, DOMAIN_RECORD } from './providers.ts';
import { UPSTREAM_REFUSALS } from './refusal.ts';

const tags = ['sign-on providers'];
const idSchema = z.uuid().transform((value) => UpstreamProviderId.parse(value));
const params = z.object({ id: idSchema });
const domainName = z.string().trim().min(3).max(253);

const providerBody = z.strictObject({
  name: nameSchema,
  settings: providerSettings,
  clientSecret: z.string().min(1).max(2_000).optional(),
});

const providerResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['draft', 'active', 'disabled']),
    settings: z.looseObject({ protocol: z.enum(['oidc', 'saml']) }),
    hasSecret: z.boolean(),
    /** A test sign-in has gone well since the settings changed last. */
    tested: z.boolean(),
    testedAt: z.string().nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
    addresses: z.object({
      redirectUri: z.string(),
      entityId: z.string(),
      acsUrl: z.string(),
      sloUrl: z.string(),
      postLogoutUrl: z.string(),
      backchannelLogoutUrl: z.string(),
      frontchannelLogoutUrl: z.string(),
    }),
  })
  .meta({ id: 'SignOnProvider' });

const domainResponse = z
  .object({
    domain: z.string(),
    verifiedAt: z.string().nullable(),
    verifiedBy: z.enum(['dns', 'owner']).nullable(),
    /** The TXT record that proves the domain. */
    record: z.object({ name: z.string(), value: z.string() }),
  })
  .meta({ id: 'SignOnDomain' });

const accountResponse = z
  .object({
    personId: z.string(),
    subject: z.string(),
    email: z.string(),
    roles: z.array(z.string()),
    linkedBy: z.enum(['made', 'invited', 'proof']),
    createdAt: z.string(),
    lastAt: z.string(),
  })
  .meta({ id: 'SignOnAccount' });

const attemptResponse = z
  .object({
    id: z.string(),
    at: z.string(),
    kind: z.enum(['sign-in', 'test', 'step-up', 'link', 'logout']),
    reason: z.string().nullable(),
    /** What to do about it. */
    advice: z.string().nullable(),
    personId: z.string().nullable(),
    detail: z.looseObject({}),
  })
  .meta({ id: 'SignOnAttempt' });

function showDomain({ domain, challenge, verifiedAt, verifiedBy }: ProviderDomain) {
  const record = { name: `${DOMAIN_RECORD}.${domain}`, value: DOMAIN_PREFIX + challenge };
  return { domain, verifiedAt: isoTimeOrNull(verifiedAt), verifiedBy, record };
}

function showAccount({ personId, subject, email, roles, linkedBy, createdAt, lastAt }: UpstreamAccount) {
  return {
    personId,
    subject,
    email,
    roles: [...roles],
    linkedBy,
    createdAt: isoTime(createdAt),
    lastAt: isoTime(lastAt),
  };
}

function showAttempt({ id, at, kind, reason, personId, detail }: Attempt) {
  const advice = reason === null ? null : UPSTREAM_REFUSALS[reason].admin;
  return { id, at: isoTime(at), kind, reason, advice, personId, detail: { ...detail } };
}

/** Corporate providers that people come from, and the ways in that follow from an e-mail address. */
export function upstreamRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { upstream } = identity;
  const { providers } = upstream;
  const read = { permission: 'sso.read' } as const;
  const write = { permission: 'sso.write' } as const;
  const show = (provider: Provider): z.input<typeof providerResponse> => ({
    id: provider.id,
    name: provider.name,
    status: provider.status,
    settings: { ...provider.settings },
    hasSecret: provider.sealedSecret !== null,
    tested: isTested(provider),
    testedAt: isoTimeOrNull(provider.testedAt),
    createdAt: isoTime(provider.createdAt),
    updatedAt: isoTime(provider.updatedAt),
    addresses: { ...upstream.addressesOf(provider.id) },
  });
  return async (app) => {
    app.post(
      '/api/v1/auth/way',
      {
        config: { public: true },
        schema: {
          tags: ['sign-in'],
          summary: 'How somebody with this e-mail address signs in; tells nothing about who has an account',
          body: z.object({ email: emailSchema }),
          response: {
            200: z.object({
              provider: z.object({ id: z.string(), name: z.string() }).nullable(),
              required: z.boolean(),
            }),
          },
        },
      },
      async (request) => providers.wayIn(request.body.email),
    );
    app.post(
      '/api/v1/auth/upstream/link',
      {
        config: { permission: 'session.self' },
        schema: {
          tags: ['sign-in'],
          summary: 'Tie the account at a provider to the person who has just shown a factor of their own',
          body: z.object({ link: z.string().min(20).max(100) }),
          response: { 200: z.object({ provider: z.string() }) },
        },
      },
      async (request) => {
        const session = sessionOf(await principalOf(identity, request));
        return upstream.link(session, request.body.link, originOf(request));
      },
    );
    app.get(
      '/api/v1/auth/upstream',
      {
        config: { permission: 'session.self' },
        schema: {
          tags: ['sign-in'],
          summary: 'Own accounts at providers, and whether a confirmation there counts as a factor',
          response: {
            200: z.object({
              items: z.array(z.object({ id: z.string(), name: z.string(), email: z.string(), mayStepUp: z.boolean() })),
            }),
          },
        },
      },
      async (request) => ({ items: await upstream.own(sessionOf(await principalOf(identity, request)).personId) }),
    );
    app.post(
      '/api/v1/auth/sign-out',
      {
        config: { permission: 'session.self', stage: 'enrol' },
        schema: {
          tags: ['sign-in'],
          summary: 'Sign out here; `url` is where the browser signs out at the provider, too',
          response: { 200: z.object({ url: z.string().nullable() }) },
        },
      },
      async (request, reply) => {
        const { actor, session } = await principalOf(identity, request);
        const away = session === null ? null : await upstream.awayUrl(session);
        if (session) await identity.sessions.end(actor, session.id);
        reply.header('set-cookie', identity.cookie.clear());
        // Tools that only a browser can tell come first; then the provider.
        const front = session && (await identity.sso.signOutAddress(session.id, away ?? '/sign-in'));
        return { url: front ?? away };
      },
    );
    app.get(
      '/api/v1/sign-on/providers',
      {
        config: read,
        schema: {
          tags,
          summary: 'Corporate providers, by name',
          response: { 200: z.object({ items: z.array(providerResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await providers.list(actor)).map(show) };
      },
    );
    app.post(
      '/api/v1/sign-on/providers',
      {
        config: write,
        schema: {
          tags,
          summary: 'Add a provider; it is a draft until a test sign-in has gone well',
          body: providerBody,
          response: { 201: providerResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        return reply.status(201).send(show(await providers.add(actor, request.body)));
      },
    );
    app.post(
      '/api/v1/sign-on/metadata',
      {
        config: write,
        schema: {
          tags,
          summary: 'Read the SAML metadata of a provider, pasted or from an https address',
          body: z.object({
            xml: z.string().min(1).max(250_000).optional(),
            url: z
              .url({ protocol: /^https?$/ })
              .max(1_000)
              .optional(),
            entityId: z.string().max(1_000).optional(),
          }),
          response: {
            200: z.object({
              entityId: z.string(),
              ssoUrl: z.string(),
              sloUrl: z.string().nullable(),
              certificates: z.array(z.string()),
              wantsSignedRequests: z.boolean(),
            }),
          },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { certificates, ...rest } = await upstream.readMetadata(actor, request.body);
        return { ...rest, certificates: [...certificates] };
      },
    );
    app.get(
      '/api/v1/sign-on/providers/:id',
      { config: read, schema: { tags, summary: 'One provider', params, response: { 200: providerResponse } } },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return show(await providers.get(actor, request.params.id));
      },
    );
    app.put(
      '/api/v1/sign-on/providers/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Replace the settings of a provider',
          params,
          body: providerBody,
          response: { 200: providerResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return show(await providers.change(actor, request.params.id, request.body));
      },
    );
    app.put(
      '/api/v1/sign-on/providers/:id/status',
      {
        config: write,
        schema: {
          tags,
          summary: 'Switch a provider on or off; on only after a test sign-in',
          params,
          body: z.object({ status: z.enum(['draft', 'active', 'disabled']) }),
          response: { 200: providerResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return show(await providers.setStatus(actor, request.params.id, request.body.status));
      },
    );
    app.delete(
      '/api/v1/sign-on/providers/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Remove a provider; its people’s ties and sessions go with it',
          params,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await providers.remove(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
    app.get(
      '/api/v1/sign-on/providers/:id/domains',
      {
        config: read,
        schema: {
          tags,
          summary: 'Its e-mail domains',
          params,
          response: { 200: z.object({ items: z.array(domainResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await providers.domains(actor, request.params.id)).map(showDomain) };
      },
    );
    app.post(
      '/api/v1/sign-on/providers/:id/domains',
      {
        config: write,
        schema: {
          tags,
          summary: 'Add an e-mail domain',
          params,
          body: z.object({ domain: domainName }),
          response: { 201: domainResponse },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        return reply
          .status(201)
          .send(showDomain(await providers.addDomain(actor, request.params.id, request.body.domain)));
      },
    );
    app.post(
      '/api/v1/sign-on/providers/:id/domains/:domain/verify',
      {
        config: write,
        schema: {
          tags,
          summary: 'Verify a domain by its TXT record, or by an owner’s word',
          params: z.object({ id: idSchema, domain: domainName }),
          body: z.object({ byOwner: z.boolean().default(false) }),
          response: { 200: domainResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { id, domain } = request.params;
        return showDomain(await providers.verifyDomain(actor, id, domain, request.body.byOwner));
      },
    );
    app.delete(
      '/api/v1/sign-on/providers/:id/domains/:domain',
      {
        config: write,
        schema: {
          tags,
          summary: 'Remove a domain',
          params: z.object({ id: idSchema, domain: domainName }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await providers.removeDomain(actor, request.params.id, request.params.domain);
        return reply.status(204).send(null);
      },
    );
    app.get(
      '/api/v1/sign-on/providers/:id/accounts',
      {
        config: read,
        schema: {
          tags,
          summary: 'People who come from there',
          params,
          response: { 200: z.object({ items: z.array(accountResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await providers.accounts(actor, request.params.id)).map(showAccount) };
      },
    );
    app.delete(
      '/api/v1/sign-on/providers/:id/accounts/:person',
      {
        config: write,
        schema: {
          tags,
          summary: 'Untie a person from the provider; their sessions from there end',
          params: z.object({ id: idSchema, person: personIdSchema }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await providers.unlink(actor, request.params.id, request.params.person);
        return reply.status(204).send(null);
      },
    );
    app.get(
      '/api/v1/sign-on/providers/:id/attempts',
      {
        config: read,
        schema: {
          tags,
          summary: 'The latest fifty sign-ins, with what to do about those that failed',
          params,
          response: { 200: z.object({ items: z.array(attemptResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await providers.attempts(actor, request.params.id)).map(showAttempt) };
      },
    );
  };
}
