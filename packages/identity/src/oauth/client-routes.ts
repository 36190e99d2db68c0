import { IntegrationId } from '@cordon/kernel';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, nameSchema } from '../schemas.ts';
import { ClientId, jwksSchema, type OauthClient } from './client.ts';
import type { ClientSecret } from './client-store.ts';
import type { ClientAuthInput } from './clients.ts';
import { ClientInvalid } from '../errors.ts';

const tags = ['oauth clients'];
const HOUR_MS = 60 * 60_000;
const OVERLAP_HOURS_MAX = 168;
const TOKEN_TTL_S_MAX = 86_400;

const clientIdSchema = z.uuid().transform((value) => ClientId.parse(value));
const integrationIdSchema = z.uuid().transform((value) => IntegrationId.parse(value));
const params = z.object({ id: clientIdSchema });
const reason = z.string().trim().min(3).max(2_000);

const authSchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('client_secret_basic') }),
  z.strictObject({ method: z.literal('private_key_jwt'), jwks: jwksSchema }),
  z.strictObject({ method: z.literal('self_signed_tls_client_auth'), jwks: jwksSchema }),
  z.strictObject({
    method: z.literal('federated'),
    issuer: z.url().max(500),
    subject: z.string().min(1).max(500),
    audience: z.string().min(1).max(500),
    jwks: jwksSchema.optional(),
    jwksUri: z.url().max(1_000).optional(),
  }),
  z.strictObject({
    method: z.literal('tls_client_auth'),
    /** Distinguished name; or else `uri`. */
    subject: z.string().max(400).optional(),
    /** SPIFFE id. */
    uri: z.string().max(2_048).optional(),
  }),
]);
function authOf(auth: z.output<typeof authSchema>): ClientAuthInput {
  if (auth.method !== 'tls_client_auth') return auth;
  if (auth.uri !== undefined && auth.subject === undefined) return { method: auth.method, uri: auth.uri };
  if (auth.subject !== undefined && auth.uri === undefined) return { method: auth.method, subject: auth.subject };
  throw new ClientInvalid('Name the certificate by its subject or by its URI name.', { field: 'auth' });
}

const bindingSchema = z.enum(['none', 'dpop', 'mtls']);

const clientResponse = z
  .object({
    id: z.string(),
    integrationId: z.string().nullable(),
    name: z.string(),
    authMethod: z.enum([
      'client_secret_basic',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'federated',
    ]),
    binding: bindingSchema,
    tokenTtlS: z.int(),
    dpopNonce: z.boolean(),
    deliveryMode: z.enum(['poll', 'ping', 'push']),
    notificationEndpoint: z.string().nullable(),
    /** What its certificate names, for `tls_client_auth`. */
    certificateName: z.string().nullable(),
    status: z.enum(['active', 'suspended', 'revoked']),
    /** How many public keys are registered. */
    keys: z.int(),
    secrets: z.array(
      z.object({ id: z.string(), hint: z.string(), createdAt: z.string(), expiresAt: z.string().nullable() }),
    ),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    lastTokenAt: z.string().nullable(),
  })
  .meta({ id: 'OauthClient' });

const tokenResponse = z
  .object({
    /** Hex SHA-256 of the token: it names the token and can't be used as one. */
    hash: z.string(),
    clientId: z.string(),
    integrationId: z.string(),
    issuedAt: z.string(),
    expiresAt: z.string(),
    bound: z.boolean(),
    assurance: z.enum(['m0', 'm1', 'm2']),
  })
  .meta({ id: 'LiveToken' });

function showClient(
  client: OauthClient,
  secrets: readonly Omit<ClientSecret, 'hash'>[],
): z.output<typeof clientResponse> {
  return {
    id: client.id,
    integrationId: client.integrationId,
    name: client.name,
    authMethod: client.authMethod,
    binding: client.binding,
    tokenTtlS: client.tokenTtlS,
    dpopNonce: client.dpopNonce,
    deliveryMode: client.deliveryMode,
    notificationEndpoint: client.notificationEndpoint,
    certificateName: client.tlsUri ?? client.tlsSubject,
    status: client.status,
    keys: client.jwks?.keys.length ?? 0,
    secrets: secrets.map(({ id, hint, createdAt, expiresAt }) => ({
      id,
      hint,
      createdAt: isoTime(createdAt),
      expiresAt: isoTimeOrNull(expiresAt),
    })),
    createdAt: isoTime(client.createdAt),
    expiresAt: isoTimeOrNull(client.expiresAt),
    lastTokenAt: isoTimeOrNull(client.lastTokenAt),
  };
}

/** Credentials of integrations and the tokens that they obtained. */
export function oauthClientRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(clientRoutes(identity));
    await app.register(tokenRoutes(identity));
  };
}

function clientRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { oauthClients } = identity;
  return async (app) => {
    app.post(
      '/api/v1/oauth-clients',
      {
        config: { permission: 'integration.credential' },
        schema: {
          tags,
          summary: 'A client for an integration, with all settings; a secret is shown once',
          body: z.strictObject({
            integrationId: integrationIdSchema,
            name: nameSchema,
            auth: authSchema,
            binding: bindingSchema.default('none'),
            /** DPoP proofs must carry a nonce (RFC 9449, section 8). */
            dpopNonce: z.boolean().default(false),
            /** How it learns that an approval was decided (CIBA); by polling when absent. */
            delivery: z
              .strictObject({ mode: z.enum(['ping', 'push']), endpoint: z.url({ protocol: /^https$/ }).max(1_000) })
              .optional(),
            tokenTtlS: z.int().min(60).max(TOKEN_TTL_S_MAX).optional(),
            expiresAt: z.iso.datetime().optional(),
          }),
          response: { 201: z.object({ client: clientResponse, secret: z.string().nullable() }) },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { tokenTtlS, expiresAt, auth, ...input } = request.body;
        const made = await oauthClients.create(actor, {
          ...input,
          auth: authOf(auth),
          ...(tokenTtlS === undefined ? {} : { tokenTtlS }),
          ...(expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) }),
        });
        const { secrets } = await oauthClients.get(actor, made.client.id);
        return reply.status(201).send({ client: showClient(made.client, secrets), secret: made.secret });
      },
    );

    app.get(
      '/api/v1/oauth-clients/:id',
      {
        config: { permission: 'integration.read' },
        schema: { tags, summary: 'A client, without its secrets', params, response: { 200: clientResponse } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { client, secrets } = await oauthClients.get(actor, request.params.id);
        return showClient(client, secrets);
      },
    );

    app.post(
      '/api/v1/oauth-clients/:id/rotate-secret',
      {
        config: { permission: 'integration.credential' },
        schema: {
          tags,
          summary: 'A new secret, shown once; the old one works on for some hours',
          params,
          body: z.strictObject({ overlapHours: z.int().min(0).max(OVERLAP_HOURS_MAX).default(0) }),
          response: { 200: z.object({ secret: z.string() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return oauthClients.rotateSecret(actor, request.params.id, request.body.overlapHours * HOUR_MS);
      },
    );

    app.put(
      '/api/v1/oauth-clients/:id/keys',
      {
        config: { permission: 'integration.credential' },
        schema: {
          tags,
          summary: 'New public keys in place of the old ones',
          params,
          body: z.strictObject({ jwks: jwksSchema }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await oauthClients.replaceKeys(actor, request.params.id, request.body.jwks);
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/api/v1/oauth-clients/:id/revoke',
      {
        config: { permission: 'integration.revoke' },
        schema: {
          tags,
          summary: 'End a client for good, with all its tokens',
          params,
          body: z.strictObject({ reason }),
          response: { 200: z.object({ tokens: z.int() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return oauthClients.revoke(actor, request.params.id, request.body.reason);
      },
    );
  };
}

function tokenRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { oauthClients } = identity;
  return async (app) => {
    app.get(
      '/api/v1/tokens',
      {
        config: { permission: 'integration.read' },
        schema: {
          tags,
          summary: 'Live opaque access tokens of an integration; their values exist nowhere',
          querystring: z.object({
            integrationId: integrationIdSchema,
            after: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional(),
          }),
          response: { 200: z.object({ tokens: z.array(tokenResponse), next: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { integrationId, after } = request.query;
        const { tokens, next } = await oauthClients.listTokens(actor, integrationId, after);
        const shown = tokens.map(({ hash, clientId, issuedAt, expiresAt, cnf, assurance, ...token }) => ({
          hash,
          clientId,
          integrationId: token.integrationId,
          issuedAt: isoTime(issuedAt),
          expiresAt: isoTime(expiresAt),
          bound: cnf !== null,
          assurance,
        }));
        return { tokens: shown, next };
      },
    );

    app.post(
      '/api/v1/tokens/revoke',
      {
        config: { permission: 'integration.revoke' },
        schema: {
          tags,
          summary: 'End one access token, by its value or its SHA-256; its siblings go on',
          body: z.union([
            z.strictObject({ token: z.string().min(20).max(200), reason }),
            z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/), reason }),
          ]),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        const { body } = request;
        const token = 'token' in body ? { value: body.token } : { hash: body.hash };
        await oauthClients.revokeToken(actor, token, body.reason);
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/api/v1/tokens/revoke-all',
      {
        config: { permission: 'integration.revoke' },
        schema: {
          tags,
          summary: 'End every access token of an integration; its clients may obtain new ones',
          body: z.strictObject({ integrationId: integrationIdSchema, reason }),
          response: { 200: z.object({ tokens: z.int() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return oauthClients.revokeTokens(actor, request.body.integrationId, request.body.reason);
      },
    );

    app.post(
      '/api/v1/signing-keys/rotate',
      {
        config: { permission: 'system.write' },
        schema: {
          tags,
          summary: 'Fresh keys sign from now on; the old ones verify for two days',
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { actor } = await principalOf(identity, request);
        await identity.signingKeys.rotate(actor);
        return reply.status(204).send(null);
      },
    );
  };
}
