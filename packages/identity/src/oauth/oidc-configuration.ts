import type { TLSSocket } from 'node:tls';
import type { JWK } from 'jose';
import { type Client, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { IdentityContext } from '../context.ts';
import { EXTRA_METADATA } from './client-metadata.ts';
import { createOidcAdapter } from './oidc-adapter.ts';

/** JWT access tokens can't be looked up or deleted, so they live this long at most, seconds. */
export const JWT_TOKEN_TTL_S_MAX = 300;
/** An assertion's `jti` is kept until it expires; a client that dates it far ahead would fill the table. */
const ASSERTION_LIFETIME_S_MAX = 600;

/** Where the endpoints are, below the issuer. */
export const OAUTH_ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  jwks: '/oauth/jwks',
} as const;

function numberOf(client: object | undefined, name: string, fallback: number): number {
  const value: unknown = client && name in client ? client[name as keyof typeof client] : undefined;
  return typeof value === 'number' ? value : fallback;
}

/** The client's certificate as PEM, when the connection is mutual TLS. Headers are never believed. */
export function peerCertificate(ctx: KoaContextWithOIDC): string | undefined {
  const socket = ctx.req.socket as Partial<TLSSocket>; // a TLSSocket on https, else a plain socket
  return socket.getPeerX509Certificate?.()?.toString();
}

/** RFC 2253 writes a name from the most specific part; Node gives lines the other way round. */
function subjectOf(ctx: KoaContextWithOIDC): string | undefined {
  const socket = ctx.req.socket as Partial<TLSSocket>; // see peerCertificate
  return socket.getPeerX509Certificate?.()?.subject.split('\n').reverse().join(',');
}

function normalDn(dn: string): string {
  return dn
    .split(',')
    .map((part) => part.trim())
    .join(',');
}

function resources(
  context: IdentityContext,
): NonNullable<NonNullable<Configuration['features']>['resourceIndicators']> {
  return {
    enabled: true,
    defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
    useGrantedResource: () => false,
    getResourceServerInfo(_ctx, id, client) {
      const resource = context.config.resources.find((candidate) => candidate.id === id);
      if (!resource) throw new errors.InvalidTarget('unknown resource');
      const ttl = numberOf(client, 'cordon_token_ttl_s', context.config.tokenTtlS);
      const jwt = resource.tokenFormat === 'jwt';
      return {
        scope: '',
        audience: resource.id,
        accessTokenFormat: resource.tokenFormat,
        accessTokenTTL: jwt ? Math.min(ttl, JWT_TOKEN_TTL_S_MAX) : ttl,
        ...(jwt ? { jwt: { sign: { alg: 'ES256' as const } } } : {}),
      };
    },
  };
}

/** A token's owner may ask about it, and a gateway's client about any. The library's default lets every client ask. */
function mayIntrospect(client: Client, token: { readonly clientId?: string | undefined }): boolean {
  return (
    token.clientId === client.clientId || ('cordon_introspects' in client && client['cordon_introspects'] === true)
  );
}

function ownTokenOnly(client: Client, token: { readonly clientId?: string | undefined }): boolean {
  if (token.clientId === client.clientId) return true;
  // RFC 7009, section 2.1: the request is refused and the client told.
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
}

interface TokenWithResource {
  readonly resourceServer?: { readonly accessTokenTTL?: number | undefined } | undefined;
}

/** The authorization server's settings. Everything that isn't listed in `features` is off. */
export function oidcConfiguration(context: IdentityContext, keys: readonly JWK[]): Configuration {
  const ttlOf = (_ctx: unknown, token: TokenWithResource, client: Client | undefined): number =>
    // A resource's limit holds for the tokens that are meant for it; see `resources`.
    token.resourceServer?.accessTokenTTL ?? numberOf(client, 'cordon_token_ttl_s', context.config.tokenTtlS);
  return {
    adapter: (model: string) => createOidcAdapter(context, model),
    jwks: { keys },
    routes: OAUTH_ROUTES,
    scopes: [],
    responseTypes: ['code'],
    // 'none' is for federated clients alone: their grant brings an assertion.
    clientAuthMethods: [
      'client_secret_basic',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'none',
    ],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
      dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
      idTokenSigningAlgValues: ['RS256', 'ES256'],
    },
    clientDefaults: { grant_types: ['client_credentials'], response_types: [] },
    extraClientMetadata: { properties: [...EXTRA_METADATA] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: peerCertificate,
        certificateAuthorized: (ctx) => (ctx.req.socket as Partial<TLSSocket>).authorized === true, // see peerCertificate
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_subject_dn' && normalDn(subjectOf(ctx) ?? '') === normalDn(expected),
      },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => mayIntrospect(client, token) },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => ownTokenOnly(client, token) },
      resourceIndicators: resources(context),
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
    },
    // Tells a gateway whose call it is, in introspection answers and in JWT access tokens.
    extraTokenClaims: (_ctx, token) => {
      const client = token.client;
      const id: unknown = client && 'cordon_integration_id' in client ? client['cordon_integration_id'] : undefined;
      return typeof id === 'string' ? { integration_id: id } : undefined;
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims) => {
      const now = Math.floor(context.clock.now() / 1000);
      if (typeof claims.exp !== 'number' || claims.exp - now > ASSERTION_LIFETIME_S_MAX) {
        throw new errors.InvalidClientAuth(`a client assertion lives ${ASSERTION_LIFETIME_S_MAX} seconds at most`);
      }
    },
    findAccount: () => undefined,
    clientBasedCORS: () => false,
    ttl: { ClientCredentials: ttlOf, AccessToken: ttlOf },
    pkce: { required: () => true },
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
  };
}
