import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf, sessionOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, nameSchema, roleSchema } from '../schemas.ts';
import { type SsoApp, SsoAppId, ssoAccess, ssoSettings } from './sso-app.ts';
import type { SsoLogin } from './sso-login-store.ts';

const tags = ['single sign-on'];
const params = z.object({ id: z.uuid().transform((value) => SsoAppId.parse(value)) });

const appBody = z.strictObject({
  name: nameSchema,
  catalogue: z
    .string()
    .regex(/^[a-z0-9-]{1,60}$/)
    .nullable()
    .default(null),
  settings: ssoSettings,
  access: ssoAccess.prefault({}),
  launchUrl: z
    .url({ protocol: /^https?$/ })
    .max(1_000)
    .nullable()
    .default(null),
  status: z.enum(['active', 'disabled']).default('active'),
});

const appResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    catalogue: z.string().nullable(),
    settings: z.looseObject({ protocol: z.enum(['oidc', 'saml']) }),
    access: z.object({ everyone: z.boolean(), roles: z.array(roleSchema), groups: z.array(z.string()) }),
    launchUrl: z.string().nullable(),
    status: z.enum(['active', 'disabled']),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'SsoApp' });

const signOnResponse = z
  .object({
    id: z.string(),
    personId: z.string(),
    firstAt: z.string(),
    lastAt: z.string(),
    count: z.int(),
    endedAt: z.string().nullable(),
    notice: z.enum(['none', 'waiting', 'told', 'not-possible', 'failed']),
    attempts: z.int(),
    outcome: z.string().nullable(),
  })
  .meta({ id: 'SsoSignOn' });

const catalogueResponse = z
  .object({
    app: z.string(),
    title: z.string(),
    vendor: z.string(),
    category: z.string(),
    protocol: z.enum(['oidc', 'saml']),
    sources: z.array(z.string()),
    evidence: z.enum(['described', 'tried']),
    needs: z.string().nullable(),
    fields: z.array(
      z.object({ name: z.string(), title: z.string(), help: z.string(), example: z.string(), pattern: z.string() }),
    ),
    /** Settings of an app, with `{name}` where a field belongs. */
    settings: z.record(z.string(), z.unknown()),
    launchUrl: z.string().nullable(),
    steps: z.array(z.string()),
    notes: z.array(z.string()),
  })
  .meta({ id: 'SsoCatalogueEntry' });

const launchResponse = z
  .object({
    id: z.string(),
    name: z.string(),
    catalogue: z.string().nullable(),
    protocol: z.enum(['oidc', 'saml']),
    url: z.string().nullable(),
  })
  .meta({ id: 'LaunchableApp' });

const addressesResponse = z
  .object({
    oidcIssuer: z.string(),
    samlEntityId: z.string(),
    samlMetadataUrl: z.string(),
    samlSsoUrl: z.string(),
    samlSloUrl: z.string(),
    certificates: z.array(
      z.object({
        id: z.string(),
        certificate: z.string(),
        status: z.enum(['next', 'active', 'retired']),
        createdAt: z.string(),
      }),
    ),
  })
  .meta({ id: 'SsoAddresses' });

function showApp({ id, name, catalogue, settings, access, launchUrl, status, ...times }: SsoApp) {
  const { everyone, roles, groups } = access;
  return {
    id,
    name,
    catalogue,
    settings: { ...settings },
    access: { everyone, roles, groups },
    launchUrl,
    status,
    createdAt: isoTime(times.createdAt),
    updatedAt: isoTime(times.updatedAt),
  };
}

function showLogin({ id, personId, count, notice, attempts, outcome, ...times }: SsoLogin) {
  const { firstAt, lastAt, endedAt } = times;
  return {
    id,
    personId,
    count,
    notice,
    attempts,
    outcome,
    firstAt: isoTime(firstAt),
    lastAt: isoTime(lastAt),
    endedAt: isoTimeOrNull(endedAt),
  };
}

/** Apps that people sign in to through Cordon, and what a person may open. */
export function ssoRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { apps, keys, addresses } = identity.sso;
  const read = { permission: 'sso.read' } as const;
  const write = { permission: 'sso.write' } as const;
  return async (app) => {
    app.get(
      '/api/v1/my-apps',
      {
        // Somebody without any role in Cordon uses apps too; the session is asked for below.
        config: { public: true },
        schema: {
          tags,
          summary: 'Apps that the signed-in person may open',
          response: { 200: z.object({ items: z.array(launchResponse) }) },
        },
      },
      async (request) => {
        const session = sessionOf(await principalOf(identity, request));
        return { items: session.stage === 'full' ? await apps.mine(session.personId) : [] };
      },
    );
    app.get(
      '/api/v1/sso/addresses',
      {
        config: read,
        schema: { tags, summary: 'What tools must be told of Cordon', response: { 200: addressesResponse } },
      },
      async () => {
        const published = await keys.published();
        const certificates = published.map((one) => ({ ...one, createdAt: isoTime(one.createdAt) }));
        return { ...addresses, certificates };
      },
    );
    app.get(
      '/api/v1/sso/catalogue',
      {
        config: read,
        schema: {
          tags,
          summary: 'Ready settings for tools: what to fill in here and what to enter there',
          response: { 200: z.object({ items: z.array(catalogueResponse) }) },
        },
      },
      async () => ({
        items: (await identity.ssoCatalogue()).map((entry) => ({
          ...entry,
          needs: entry.needs ?? null,
          launchUrl: entry.launchUrl ?? null,
        })),
      }),
    );
    app.get(
      '/api/v1/sso/apps',
      {
        config: read,
        schema: {
          tags,
          summary: 'Apps that people sign in to through Cordon, by name',
          response: { 200: z.object({ items: z.array(appResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await apps.list(actor)).map(showApp) };
      },
    );
    app.post(
      '/api/v1/sso/apps',
      {
        config: write,
        schema: {
          tags,
          summary: 'Add an app; the secret of an OpenID Connect app is in this answer and nowhere else',
          body: appBody,
          response: { 201: z.object({ app: appResponse, clientSecret: z.string().nullable() }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const made = await apps.add(actor, request.body);
        return reply.status(201).send({ app: showApp(made.app), clientSecret: made.secret });
      },
    );
    app.get(
      '/api/v1/sso/apps/:id',
      { config: read, schema: { tags, summary: 'One app', params, response: { 200: appResponse } } },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showApp(await apps.get(actor, request.params.id));
      },
    );
    app.put(
      '/api/v1/sso/apps/:id',
      {
        config: write,
        schema: {
          tags,
          summary: 'Replace the settings of an app',
          params,
          body: appBody,
          response: { 200: appResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showApp(await apps.change(actor, request.params.id, request.body));
      },
    );
    app.delete(
      '/api/v1/sso/apps/:id',
      { config: write, schema: { tags, summary: 'Remove an app', params, response: { 204: z.null() } } },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await apps.remove(actor, request.params.id);
        return reply.status(204).send(null);
      },
    );
    app.post(
      '/api/v1/sso/apps/:id/secret',
      {
        config: write,
        schema: {
          tags,
          summary: 'Make a new secret; the old one works for another day',
          params,
          response: { 200: z.object({ clientSecret: z.string() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { clientSecret: await apps.rotateSecret(actor, request.params.id) };
      },
    );
    app.get(
      '/api/v1/sso/apps/:id/sign-ons',
      {
        config: read,
        schema: {
          tags,
          summary: 'The latest hundred sign-ons, and whether the app was told when a session ended',
          params,
          response: { 200: z.object({ items: z.array(signOnResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await apps.logins(actor, request.params.id)).map(showLogin) };
      },
    );
    app.post(
      '/api/v1/sso/certificates/rotate',
      {
        config: write,
        schema: {
          tags,
          summary: 'Sign SAML messages with the next certificate from now on',
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await keys.rotate(actor);
        return reply.status(204).send(null);
      },
    );
  };
}
