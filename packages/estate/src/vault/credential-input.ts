import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

const secret = z.string().min(1).max(8_192);
const short = z.string().trim().min(1).max(256);
const scheme = z.string().max(32).default('Bearer');
const httpsUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((text) => new URL(text).username === '' && new URL(text).hash === '', 'must have no user name and fragment');
const scopes = z.array(z.string().min(1).max(256)).max(100).default([]);
const privateKey = z.string().max(16_384).refine(isPrivateKey, 'must be a private key as PEM');

function isPrivateKey(text: string): boolean {
  try {
    return createPrivateKey(text).type === 'private';
  } catch {
    return false;
  }
}

/** What every kind may say. */
const common = {
  /** A path of the app, such as `/user`, that the vendor answers with 2xx when the credential is good. */
  verifyPath: z
    .string()
    .regex(/^\/[\x21-\x7e]{0,511}$/, 'must be a path')
    .optional(),
  /** For the calls of this integration alone, instead of the app's own. */
  integrationId: z.uuid().nullable().optional(),
};

const clientAuth = z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']);
const jwtAlgorithm = z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']);

/** How Cordon proves to a vendor's token endpoint which client it is. */
const client = {
  clientId: short,
  tokenUrl: httpsUrl,
  clientAuth: clientAuth.default('client_secret_basic'),
  clientSecret: secret.optional(),
  /** For private_key_jwt (RFC 7523, section 2.2). */
  privateKey: privateKey.optional(),
  keyId: short.optional(),
  algorithm: jwtAlgorithm.default('RS256'),
  scopes,
  /** Vendors that list scopes with commas. */
  scopeSeparator: z.enum([' ', ',']).default(' '),
  /** Word before the minted token. */
  scheme,
};

const authorizationCode = z
  .strictObject({
    kind: z.literal('oauth2-authorization-code'),
    ...client,
    authorizeUrl: httpsUrl,
    /** The vendor's issuer identifier; when it is known, an answer must name it (RFC 9207). */
    issuer: httpsUrl.optional(),
    /** Further parameters of the consent page, such as `access_type=offline`. */
    parameters: z.record(z.string().regex(/^[a-z_]{1,64}$/), z.string().max(512)).default({}),
    ...common,
  })
  .superRefine(checkClient);
const clientCredentials = z
  .strictObject({
    kind: z.literal('oauth2-client-credentials'),
    ...client,
    audience: short.optional(),
    /** RFC 8707. */
    resource: httpsUrl.optional(),
    ...common,
  })
  .superRefine(checkClient);
const refreshToken = z
  .strictObject({ kind: z.literal('oauth2-refresh-token'), ...client, refreshToken: secret, ...common })
  .superRefine(checkClient);

function checkClient(
  value: { clientAuth: string; clientSecret?: string | undefined; privateKey?: string | undefined },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const needsSecret = value.clientAuth === 'client_secret_basic' || value.clientAuth === 'client_secret_post';
  if (needsSecret && value.clientSecret === undefined) {
    context.addIssue({ code: 'custom', path: ['clientSecret'], message: `${value.clientAuth} needs it` });
  }
  if (value.clientAuth === 'private_key_jwt' && value.privateKey === undefined) {
    context.addIssue({ code: 'custom', path: ['privateKey'], message: 'private_key_jwt needs it' });
  }
}

/** A vendor credential as a person gives it. Secrets go straight into the envelope. */
export const credentialInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer'), secret, scheme, ...common }),
  z.strictObject({
    kind: z.literal('basic'),
    secret: secret.includes(':', { error: 'must be user:password' }),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('api-key-header'),
    secret,
    header: z.string().min(1).max(128),
    prefix: z.string().max(64).default(''),
    ...common,
  }),
  z.strictObject({ kind: z.literal('api-key-query'), secret, parameter: z.string().min(1).max(128), ...common }),
  z.strictObject({ kind: z.literal('api-key-form'), secret, field: z.string().min(1).max(128), ...common }),
  z.strictObject({
    kind: z.literal('aws-sigv4'),
    accessKeyId: short,
    secretAccessKey: secret,
    sessionToken: secret.optional(),
    region: short.max(64),
    service: short.max(64),
    ...common,
  }),
  authorizationCode,
  clientCredentials,
  refreshToken,
  /** Tokens of an installation, minted with the app's key. */
  z.strictObject({
    kind: z.literal('github-app'),
    appId: short,
    installationId: z.string().regex(/^\d{1,20}$/),
    privateKey,
    apiUrl: httpsUrl.default('https://api.github.com'),
    ...common,
  }),
  /** RFC 7523 as Google takes it; with `subject` it acts for that person (domain-wide delegation). */
  z.strictObject({
    kind: z.literal('google-service-account'),
    clientEmail: z.email().max(256),
    privateKey,
    keyId: short.optional(),
    tokenUrl: httpsUrl.default('https://oauth2.googleapis.com/token'),
    subject: z.email().max(256).optional(),
    scopes,
    ...common,
  }),
  /** Slack's token rotation: a refresh token that is good once, tokens that live 12 hours. */
  z.strictObject({
    kind: z.literal('slack-token-rotation'),
    clientId: short,
    clientSecret: secret,
    refreshToken: secret,
    tokenUrl: httpsUrl.default('https://slack.com/api/oauth.v2.access'),
    ...common,
  }),
]);
export type CredentialInput = z.input<typeof credentialInput>;
export type ParsedCredential = z.output<typeof credentialInput>;

export const CREDENTIAL_KINDS = credentialInput.options.map((option) => option.shape.kind.value);
