import * as client from 'openid-client';
import type { Clock } from '@cordon/kernel';
import { isReason, reasonOf, refuseUpstream } from './refusal.ts';
import type { UpstreamFetch } from './egress.ts';
import type { OidcProviderSettings } from './provider.ts';
import { firstText, type UpstreamPerson } from './upstream-person.ts';

/** Asymmetric alone: with HMAC the client secret would sign, and `none` signs nothing (RFC 8725, sections 2.1 and 3.1). */
const ID_TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CONFIGURATION_MS_MAX = 10 * 60_000;
const SKEW_S = 60;
const GROUPS_MAX = 1_000;
const CONFIGURATIONS_MAX = 100;

/** What the browser's way back is checked against. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Seconds; null: any age. */
  readonly maxAge: number | null;
}

export interface OidcClient {
  /** Where the browser goes. */
  authorizationUrl(
    flow: OidcFlow,
    options: { readonly loginHint: string | null; readonly acrValues: readonly string[]; readonly fresh: boolean },
  ): Promise<string>;
  /** Checks what the browser brought back and fetches who it is. */
  finish(flow: OidcFlow, returned: URL): Promise<UpstreamPerson>;
  /** Where a sign-out goes on; null: the provider has no such page. */
  endSessionUrl(idToken: string | null, returnTo: string): Promise<string | null>;
  /** The keys and issuer for a back-channel logout token. */
  metadata(): Promise<client.ServerMetadata>;
}

export interface OidcClientDeps {
  readonly settings: OidcProviderSettings;
  readonly secret: string | null;
  readonly redirectUri: string;
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
}

function authOf({ settings, secret }: OidcClientDeps): client.ClientAuth {
  if (settings.auth === 'none') return client.None();
  if (!secret) return refuseUpstream('oidc.client', 'No client secret is set.');
  return settings.auth === 'client_secret_post' ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
}

function headersOf(given: unknown): Record<string, string> {
  return Object.fromEntries(new Headers(given as Record<string, string>)); // what openid-client passes to fetch
}

async function configure(deps: OidcClientDeps): Promise<client.Configuration> {
  const { settings, fetch } = deps;
  const customFetch: client.CustomFetch = async (url, options) =>
    fetch(url, {
      method: options.method,
      headers: headersOf(options.headers),
      body: options.body === undefined || options.body === null ? null : textOf(options.body),
    });
  const insecure = settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  const found = await client.discovery(new URL(settings.issuer), settings.clientId, {}, authOf(deps), {
    [client.customFetch]: customFetch,
    execute: insecure,
  });
  const server = found.serverMetadata();
  // Discovery compares it too (OpenID Connect Discovery, section 4.3); nothing below may depend on a library's default.
  if (server.issuer !== settings.issuer) {
    return refuseUpstream('oidc.client', `The provider calls itself ${server.issuer}, not ${settings.issuer}.`);
  }
  const offered = server.id_token_signing_alg_values_supported ?? ['RS256'];
  const algorithms = offered.filter((one) => ID_TOKEN_ALGORITHMS.includes(one));
  if (algorithms.length === 0)
    return refuseUpstream('oidc.client', 'The provider signs with no algorithm that is accepted.');
  const configuration = new client.Configuration(
    Object.assign({}, server, { id_token_signing_alg_values_supported: algorithms }),
    settings.clientId,
    { [client.clockTolerance]: SKEW_S },
    authOf(deps),
  );
  configuration[client.customFetch] = customFetch;
  // Keys are fetched and the signature checked, though the token came over TLS: the id_token is kept for the sign-out.
  client.enableNonRepudiationChecks(configuration);
  for (const execute of insecure) execute(configuration);
  return configuration;
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  throw new TypeError('openid-client sent a body of another kind');
}

const UNREACHABLE = new Set(['OAUTH_HTTP_REQUEST_FORBIDDEN', 'OAUTH_TIMEOUT']);

/** Tells the library's errors apart by code; `fallback` for what is wrong with an answer. */
function explain(error: unknown, fallback: 'oidc.response' | 'provider.unreachable'): never {
  const known = reasonOf(error) ?? reasonOf((error as { cause?: unknown }).cause); // openid-client wraps what fetch threw
  if (known && isReason(known.reason)) return refuseUpstream(known.reason, known.detail, error);
  if (error instanceof client.AuthorizationResponseError) {
    return refuseUpstream('provider.refused', [error.error, error.error_description].filter(Boolean).join(': '), error);
  }
  if (error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError) {
    const text = error instanceof client.ResponseBodyError ? `${error.error}: ${error.error_description ?? ''}` : '';
    return refuseUpstream('oidc.client', text || error.message, error);
  }
  if (error instanceof client.ClientError) {
    const cause = error.cause instanceof Error ? error.cause.message : '';
    const text = [error.code, error.message, cause].filter(Boolean).join(': ');
    if (UNREACHABLE.has(error.code ?? '')) return refuseUpstream('provider.unreachable', text, error);
    if (text.includes('auth_time')) return refuseUpstream('oidc.too_old', text, error);
    if (/"iss" \(issuer\)|"iss".*parameter/.test(text)) return refuseUpstream('flow.mixed_up', text, error);
    return refuseUpstream(fallback, text, error);
  }
  throw error;
}

interface Cached {
  readonly configuration: Promise<client.Configuration>;
  readonly until: number;
}

/** Keeps configurations for a while, so that a sign-in costs no discovery; by a key that changes with the settings. */
export function createOidcConfigurations(): (key: string, deps: OidcClientDeps) => Promise<client.Configuration> {
  const known = new Map<string, Cached>();
  return (key, deps) => {
    const now = deps.clock.now();
    const found = known.get(key);
    if (found && found.until > now) return found.configuration;
    const configuration = configure(deps);
    known.delete(key);
    known.set(key, { configuration, until: now + CONFIGURATION_MS_MAX });
    if (known.size > CONFIGURATIONS_MAX) known.delete(known.keys().next().value ?? '');
    configuration.catch(() => known.delete(key));
    return configuration;
  };
}

function stringsAt(claims: Readonly<Record<string, unknown>>, name: string): string[] {
  // A name such as `realm_access.roles` leads into an object.
  const value = Object.hasOwn(claims, name)
    ? claims[name]
    : name
        .split('.')
        .reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), claims);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === 'string').slice(0, GROUPS_MAX);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The signed id_token wins; a verification stays with the address that it is about. */
export function mergeClaims(
  idToken: Readonly<Record<string, unknown>>,
  userinfo: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { email_verified: verified, ...rest } = userinfo;
  const sameEmail = idToken['email'] === undefined || idToken['email'] === userinfo['email'];
  return { ...rest, ...(sameEmail && verified !== undefined ? { email_verified: verified } : {}), ...idToken };
}

/** What the claims say of a person. */
export function personOfClaims(
  settings: OidcProviderSettings,
  claims: Readonly<Record<string, unknown>>,
  now: number,
): Omit<UpstreamPerson, 'idToken'> {
  const orElse = (names: readonly string[], usual: readonly string[]): readonly string[] =>
    names.length > 0 ? names : usual;
  const find = (name: string): readonly string[] => stringsAt(claims, name);
  const seconds = claims['auth_time'];
  return {
    subject: typeof claims['sub'] === 'string' ? claims['sub'] : refuseUpstream('oidc.response', 'There is no sub.'),
    email: firstText(orElse(settings.emailFrom, ['email']), find),
    // Some providers send it as text; anything but a clear yes is a no. It speaks of `email`, not of another claim.
    emailVerified:
      (claims['email_verified'] === true || claims['email_verified'] === 'true') &&
      (settings.emailFrom.length === 0 || settings.emailFrom[0] === 'email'),
    name: firstText(orElse(settings.nameFrom, ['name', 'preferred_username']), find),
    groups: orElse(settings.groupsFrom, ['groups'])
      .flatMap((name) => find(name))
      .slice(0, GROUPS_MAX),
    methods: [...find('acr'), ...find('amr')],
    authAt: typeof seconds === 'number' ? Math.min(seconds * 1_000, now) : now,
    sid: firstText(['sid'], find),
    nameId: null,
    sessionEndsAt: null,
  };
}

export function createOidcClient(
  key: string,
  deps: OidcClientDeps,
  configurations: ReturnType<typeof createOidcConfigurations>,
): OidcClient {
  const { settings, redirectUri, clock } = deps;
  const load = async (): Promise<client.Configuration> => {
    try {
      return await configurations(key, deps);
    } catch (error) {
      return explain(error, 'provider.unreachable');
    }
  };
  return {
    async authorizationUrl(flow, { loginHint, acrValues, fresh }) {
      const configuration = await load();
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: [...new Set(['openid', ...settings.scopes])].join(' '),
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
        ...(loginHint === null ? {} : { login_hint: loginHint }),
        ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
        ...(flow.maxAge === null ? {} : { max_age: String(flow.maxAge) }),
        ...(fresh ? { prompt: 'login' } : {}),
      });
      return url.href;
    },
    async finish(flow, returned) {
      const configuration = await load();
      try {
        const tokens = await client.authorizationCodeGrant(configuration, returned, {
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          pkceCodeVerifier: flow.verifier,
          idTokenExpected: true,
          ...(flow.maxAge === null ? {} : { maxAge: flow.maxAge }),
        });
        const idClaims = tokens.claims();
        if (!idClaims) return refuseUpstream('oidc.response', 'There is no id_token.');
        const endpoint = configuration.serverMetadata().userinfo_endpoint;
        const more =
          endpoint === undefined ? {} : await client.fetchUserInfo(configuration, tokens.access_token, idClaims.sub);
        const person = personOfClaims(settings, mergeClaims(idClaims, more), clock.now());
        return { ...person, idToken: tokens.id_token ?? null };
      } catch (error) {
        return explain(error, 'oidc.response');
      }
    },
    async endSessionUrl(idToken, returnTo) {
      const configuration = await load();
      if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
      return client.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: returnTo,
        ...(idToken === null ? {} : { id_token_hint: idToken }),
      }).href;
    },
    metadata: async () => (await load()).serverMetadata(),
  };
}
