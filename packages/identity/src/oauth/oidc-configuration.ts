import type { JWK } from 'jose';
import { type Client, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { IdentityContext } from '../context.ts';
import { type Approvals, isApprover } from '../approvals/approvals.ts';
import {
  APPROVAL_TTL_S_DEFAULT,
  APPROVAL_TTL_S_MAX,
  APPROVED_TOKEN_TTL_S,
  authorizationDetailsFeature,
  backchannelFeature,
} from './backchannel.ts';
import { EXTRA_METADATA } from './client-metadata.ts';
import { isGatewayResource } from './gateway-resource.ts';
import { mtlsFeature } from './mtls-feature.ts';
import { type AdapterParts, createOidcAdapter } from './oidc-adapter.ts';
import { exchangeOf } from './token-exchange.ts';

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
  backchannel_authentication: '/oauth/bc-authorize',
  jwks: '/oauth/jwks',
} as const;

function numberOf(client: object | undefined, name: string, fallback: number): number {
  const value: unknown = client && name in client ? client[name as keyof typeof client] : undefined;
  return typeof value === 'number' ? value : fallback;
}

function resources(
  context: IdentityContext,
): NonNullable<NonNullable<Configuration['features']>['resourceIndicators']> {
  const { gatewayUrl, publicUrl } = context.config;
  return {
    enabled: true,
    defaultResource: (ctx, _client, oneOf) =>
      // Approvals are for one call through the gateway; the library wants a resource beside authorization details.
      oneOf ?? (ctx.oidc.params?.['authorization_details'] === undefined ? [] : (gatewayUrl ?? publicUrl)),
    useGrantedResource: () => false,
    async getResourceServerInfo(_ctx, id, client) {
      const listed = context.config.resources.find((candidate) => candidate.id === id);
      const resource =
        listed ?? ((await isGatewayResource(context, id)) ? { id, tokenFormat: 'opaque' as const } : null);
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

/** RFC 8705, section 5. */
function aliases(base: string): Record<string, string> {
  const { token, introspection, revocation, backchannel_authentication: backchannel } = OAUTH_ROUTES;
  return {
    token_endpoint: base + token,
    introspection_endpoint: base + introspection,
    revocation_endpoint: base + revocation,
    backchannel_authentication_endpoint: base + backchannel,
  };
}

function needsNonce(context: IdentityContext, ctx: KoaContextWithOIDC): boolean {
  const { client } = ctx.oidc;
  return (
    context.config.clients.dpopNonce === 'required' ||
    (client !== undefined && 'cordon_dpop_nonce' in client && client['cordon_dpop_nonce'] === true)
  );
}

/** Seconds that an exchanged token may live: never longer than what it was exchanged for. */
function exchangeLeft(context: IdentityContext, ctx: KoaContextWithOIDC): number {
  const facts = exchangeOf(ctx);
  return facts ? Math.max(1, Math.floor((facts.expiresAt - context.clock.now()) / 1000)) : Infinity;
}

function approvalTtl(ctx: KoaContextWithOIDC): number {
  const asked = Number(ctx.oidc.params?.['requested_expiry'] ?? APPROVAL_TTL_S_DEFAULT);
  return Math.min(APPROVAL_TTL_S_MAX, Number.isSafeInteger(asked) && asked > 0 ? asked : APPROVAL_TTL_S_DEFAULT);
}

/** What the settings need of the parts around the library. */
export interface ConfigurationParts extends AdapterParts {
  readonly approvals: Approvals;
  /** 32 bytes, the same in all control processes. */
  readonly nonceSecret: Buffer;
}

/** The authorization server's settings. Everything that isn't listed in `features` is off. */
export function oidcConfiguration(
  context: IdentityContext,
  keys: readonly JWK[],
  parts: ConfigurationParts,
): Configuration {
  const ttlOf = (_ctx: unknown, token: TokenWithResource, client: Client | undefined): number =>
    // A resource's limit holds for the tokens that are meant for it; see `resources`.
    token.resourceServer?.accessTokenTTL ?? numberOf(client, 'cordon_token_ttl_s', context.config.tokenTtlS);
  return {
    adapter: (model: string) => createOidcAdapter(context, model, parts),
    jwks: { keys },
    routes: OAUTH_ROUTES,
    // CIBA demands it; nothing is told about a person beyond the id of who approved.
    scopes: ['openid'],
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
      dPoP: {
        enabled: true,
        nonceSecret: parts.nonceSecret,
        requireNonce: (ctx) => needsNonce(context, ctx),
      },
      mTLS: mtlsFeature(parts.peers),
      ciba: backchannelFeature(context, parts.approvals),
      richAuthorizationRequests: authorizationDetailsFeature(parts.approvals),
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => mayIntrospect(client, token) },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => ownTokenOnly(client, token) },
      resourceIndicators: resources(context),
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
    },
    // Tells a gateway whose call it is, in introspection answers and in JWT access tokens.
    extraTokenClaims: (ctx, token) => {
      const client = token.client;
      const id: unknown = client && 'cordon_integration_id' in client ? client['cordon_integration_id'] : undefined;
      const act = exchangeOf(ctx)?.act;
      const own = typeof id === 'string' ? { integration_id: id } : {};
      return typeof id === 'string' || act ? { ...own, ...(act ? { act } : {}) } : undefined;
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims) => {
      const now = Math.floor(context.clock.now() / 1000);
      if (typeof claims.exp !== 'number' || claims.exp - now > ASSERTION_LIFETIME_S_MAX) {
        throw new errors.InvalidClientAuth(`a client assertion lives ${ASSERTION_LIFETIME_S_MAX} seconds at most`);
      }
    },
    findAccount: async (_ctx, id) =>
      (await isApprover(context, id)) ? { accountId: id, claims: () => ({ sub: id }) } : undefined,
    clientBasedCORS: () => false,
    ...(context.config.mtlsUrl === undefined
      ? {}
      : { discovery: { mtls_endpoint_aliases: aliases(context.config.mtlsUrl) } }),
    ttl: {
      ClientCredentials: (ctx, token, client) => Math.min(ttlOf(ctx, token, client), exchangeLeft(context, ctx)),
      AccessToken: () => APPROVED_TOKEN_TTL_S,
      IdToken: () => APPROVED_TOKEN_TTL_S,
      Grant: () => APPROVAL_TTL_S_MAX,
      BackchannelAuthenticationRequest: (ctx) => approvalTtl(ctx),
    },
    pkce: { required: () => true },
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
  };
}
