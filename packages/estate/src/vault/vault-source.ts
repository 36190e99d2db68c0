import { z } from 'zod';
import type { ParsedCredential } from './credential-input.ts';

const clientSource = {
  clientId: z.string(),
  tokenUrl: z.string(),
  clientAuth: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']),
  keyId: z.string().optional(),
  algorithm: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']),
  scopes: z.array(z.string()),
  scopeSeparator: z.enum([' ', ',']),
  scheme: z.string(),
};

/** What tokens are minted from, as it is stored beside its sealed secrets. Nothing in it is secret. */
export const vaultSource = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('oauth2-authorization-code'),
    ...clientSource,
    authorizeUrl: z.string(),
    issuer: z.string().optional(),
    parameters: z.record(z.string(), z.string()),
  }),
  z.object({
    kind: z.literal('oauth2-client-credentials'),
    ...clientSource,
    audience: z.string().optional(),
    resource: z.string().optional(),
  }),
  z.object({ kind: z.literal('oauth2-refresh-token'), ...clientSource }),
  z.object({ kind: z.literal('github-app'), appId: z.string(), installationId: z.string(), apiUrl: z.string() }),
  z.object({
    kind: z.literal('google-service-account'),
    clientEmail: z.string(),
    keyId: z.string().optional(),
    tokenUrl: z.string(),
    subject: z.string().optional(),
    scopes: z.array(z.string()),
  }),
  z.object({ kind: z.literal('slack-token-rotation'), clientId: z.string(), tokenUrl: z.string() }),
]);
export type VaultSource = z.output<typeof vaultSource>;
export type OAuthSource = Extract<VaultSource, { clientAuth: string }>;

/** The secrets beside a source, sealed together. Opened only to mint. */
export const vaultSecrets = z.object({
  clientSecret: z.string().optional(),
  privateKey: z.string().optional(),
  refreshToken: z.string().optional(),
});
export type VaultSecrets = z.output<typeof vaultSecrets>;

/** A credential as given, taken apart: what is sent as it is, or what is minted from. */
export type Parts =
  | { readonly as: 'static'; readonly shape: object; readonly secret: string }
  | { readonly as: 'minted'; readonly source: VaultSource; readonly secrets: VaultSecrets };

export function takeApart(given: ParsedCredential): Parts {
  const { verifyPath: _v, integrationId: _i, ...credential } = given;
  switch (credential.kind) {
    case 'bearer':
    case 'basic':
    case 'api-key-header':
    case 'api-key-query':
    case 'api-key-form': {
      const { secret, ...shape } = credential;
      return { as: 'static', shape, secret };
    }
    case 'aws-sigv4': {
      const { kind, region, service, ...keys } = credential;
      return { as: 'static', shape: { kind, region, service }, secret: JSON.stringify(keys) };
    }
    default:
      return {
        as: 'minted',
        // Unknown keys, the secrets among them, are dropped by the schema.
        source: vaultSource.parse(credential),
        secrets: vaultSecrets.parse(credential),
      };
  }
}

/** The word before a minted token. */
export function schemeOf(source: VaultSource): string {
  return 'scheme' in source ? source.scheme : 'Bearer';
}
