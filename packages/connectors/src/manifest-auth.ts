import { z } from 'zod';

const line = z.string().min(1).max(512);
const named = { title: line, help: z.string().max(1_000).optional() };

/** How a tool wants to be called. The secret parts are what a connection seals; the rest is in the manifest. */
export const authSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bearer'),
    ...named,
    scheme: z.string().max(32).default('Bearer'),
  }),
  z.strictObject({ kind: z.literal('basic'), ...named, userTitle: line.optional(), passwordTitle: line.optional() }),
  z.strictObject({
    kind: z.literal('header'),
    ...named,
    header: z.string().max(128),
    prefix: z.string().max(64).default(''),
    extra: z
      .array(z.strictObject({ header: z.string().max(128), title: line }))
      .max(4)
      .default([])
      .describe('Further secret headers (Datadog has two keys).'),
  }),
  z.strictObject({ kind: z.literal('query'), ...named, parameter: z.string().max(128) }),
  z.strictObject({
    kind: z.literal('oauth2_client_credentials'),
    ...named,
    tokenUrl: line.describe('May hold `{config.x}`.'),
    scopes: z.array(line).default([]),
    audience: line.optional(),
    clientAuth: z.enum(['basic', 'body']).default('basic'),
    grantParameters: z.record(z.string(), line).default({}),
  }),
  z.strictObject({
    kind: z.literal('oauth2_refresh_token'),
    ...named,
    tokenUrl: line,
    clientAuth: z.enum(['basic', 'body']).default('body'),
  }),
  z.strictObject({
    kind: z.literal('google_service_account'),
    ...named,
    tokenUrl: line.default('https://oauth2.googleapis.com/token'),
    scopes: z.array(line).min(1).describe('Domain-wide delegation must allow exactly these.'),
    subject: line.describe('The administrator it acts for; usually `{config.admin}`.'),
  }),
  z.strictObject({
    kind: z.literal('github_app'),
    ...named,
    tokenPath: line.default('/app/installations/{config.installation}/access_tokens'),
    appId: line.default('{config.app_id}'),
  }),
  z.strictObject({
    kind: z.literal('jwt_bearer'),
    ...named,
    tokenUrl: line.describe('RFC 7523 with an RS256 key: Salesforce, DocuSign.'),
    audience: line,
    issuer: line,
    subject: line,
    scopes: z.array(line).default([]),
  }),
]);
export type AuthSpec = z.output<typeof authSpec>;
export type AuthKind = AuthSpec['kind'];

const secretText = z.string().min(1).max(16_384);

/** What a person gives for each kind; sealed as one. */
export const credentialSecret = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer'), token: secretText }),
  z.strictObject({ kind: z.literal('basic'), user: secretText, password: z.string().max(16_384) }),
  z.strictObject({ kind: z.literal('header'), value: secretText, extra: z.record(z.string(), secretText).optional() }),
  z.strictObject({ kind: z.literal('query'), value: secretText }),
  z.strictObject({ kind: z.literal('oauth2_client_credentials'), clientId: secretText, clientSecret: secretText }),
  z.strictObject({
    kind: z.literal('oauth2_refresh_token'),
    clientId: secretText,
    clientSecret: z.string().max(16_384).default(''),
    refreshToken: secretText,
  }),
  z.strictObject({ kind: z.literal('google_service_account'), email: secretText, privateKey: secretText }),
  z.strictObject({ kind: z.literal('github_app'), privateKey: secretText }),
  z.strictObject({ kind: z.literal('jwt_bearer'), privateKey: secretText }),
]);
export type CredentialSecret = z.output<typeof credentialSecret>;
