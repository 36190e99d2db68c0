import { createSign } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '@cordon/kernel';
import { ToolFailed, ToolRefused } from './errors.ts';
import type { HttpPort, ToolRequest } from './http-port.ts';
import type { AuthSpec, CredentialSecret } from './manifest-auth.ts';
import { type Bindings, fillText, fillTree } from './request-template.ts';

const TOKEN_BYTES_MAX = 64 * 1024;
const TOKEN_MS_MAX = 20_000;
const ASSERTION_S = 300;
/** Tokens are renewed this long before they end. */
const RENEW_MS = 60_000;
const TOKEN_LIFE_S_DEFAULT = 600;

export interface Authenticator {
  /** Adds the credential to a request. */
  apply(request: ToolRequest): Promise<ToolRequest>;
  /** Forgets a token that the tool refused; false when there is none to renew. */
  renew(): boolean;
}

interface Deps {
  readonly http: HttpPort;
  readonly clock: Clock;
  readonly config: Readonly<Record<string, string>>;
  readonly baseUrl: string;
  /** A provider that rotates refresh tokens gave a new one: the old one is dead. */
  readonly onRefreshToken?: (token: string) => Promise<void>;
}

const withHeader = (request: ToolRequest, name: string, value: string): ToolRequest => ({
  ...request,
  headers: { ...request.headers, [name.toLowerCase()]: value },
});

const tokenAnswer = z.object({
  access_token: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  expires_in: z.coerce.number().positive().optional(),
  expires_at: z.string().optional(),
  refresh_token: z.string().min(1).optional(),
});

function signJwt(claims: object, privateKey: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  try {
    return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(privateKey, 'base64url')}`;
  } catch (cause) {
    throw new ToolRefused('The private key can not be read: it must be a PEM text of an RSA key.', {}, cause);
  }
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Form of the token request, by kind (RFC 6749 §4.4 and §6, RFC 7523 §2.1, GitHub's installation tokens). */
function tokenRequest(spec: AuthSpec, secret: CredentialSecret, deps: Deps, refreshToken: string): ToolRequest {
  const bindings: Bindings = { config: deps.config };
  const fill = (text: string): string => fillText(text, bindings) ?? '';
  const nowS = Math.floor(deps.clock.now() / 1_000);
  const post = (url: string, form: Record<string, string>, headers: Record<string, string> = {}): ToolRequest => ({
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
    timeoutMs: TOKEN_MS_MAX,
    bytesMax: TOKEN_BYTES_MAX,
  });
  const withClient = (url: string, form: Record<string, string>, id: string, password: string, how: string) =>
    how === 'basic'
      ? post(url, form, { authorization: basic(encodeURIComponent(id), encodeURIComponent(password)) })
      : post(url, { ...form, client_id: id, ...(password === '' ? {} : { client_secret: password }) });
  const assertion = (url: string, claims: object, privateKey: string) =>
    post(url, {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: signJwt({ iat: nowS, exp: nowS + ASSERTION_S, ...claims }, privateKey),
    });

  if (spec.kind === 'oauth2_client_credentials' && secret.kind === spec.kind) {
    const extra = fillTree(spec.grantParameters, bindings) as Record<string, string>; // texts in, texts out
    const form = {
      grant_type: 'client_credentials',
      ...(spec.scopes.length > 0 ? { scope: spec.scopes.map(fill).join(' ') } : {}),
      ...(spec.audience === undefined ? {} : { audience: fill(spec.audience) }),
      ...extra,
    };
    return withClient(fill(spec.tokenUrl), form, secret.clientId, secret.clientSecret, spec.clientAuth);
  }
  if (spec.kind === 'oauth2_refresh_token' && secret.kind === spec.kind) {
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
    return withClient(fill(spec.tokenUrl), form, secret.clientId, secret.clientSecret, spec.clientAuth);
  }
  if (spec.kind === 'google_service_account' && secret.kind === spec.kind) {
    const claims = { iss: secret.email, sub: fill(spec.subject), scope: spec.scopes.join(' '), aud: spec.tokenUrl };
    return assertion(spec.tokenUrl, claims, secret.privateKey);
  }
  if (spec.kind === 'jwt_bearer' && secret.kind === spec.kind) {
    const { issuer, subject, audience, scopes } = spec;
    const claims = { iss: fill(issuer), sub: fill(subject), aud: fill(audience), scope: scopes.join(' ') };
    return assertion(fill(spec.tokenUrl), claims, secret.privateKey);
  }
  if (spec.kind === 'github_app' && secret.kind === spec.kind) {
    // GitHub refuses assertions from the future, so the clock gets a minute's grace.
    const jwt = signJwt({ iat: nowS - 60, exp: nowS + ASSERTION_S, iss: fill(spec.appId) }, secret.privateKey);
    const request = post(`${deps.baseUrl}${fill(spec.tokenPath)}`, {}, { authorization: `Bearer ${jwt}` });
    return { ...request, body: '' };
  }
  throw new ToolRefused(`The credential is of another kind than ${spec.kind}.`);
}

function createTokenHolder(spec: AuthSpec, secret: CredentialSecret, deps: Deps): Authenticator {
  let held: { readonly token: string; readonly until: number } | null = null;
  let refreshToken = secret.kind === 'oauth2_refresh_token' ? secret.refreshToken : '';

  const fetchToken = async (): Promise<string> => {
    const answer = await deps.http.send(tokenRequest(spec, secret, deps, refreshToken));
    const isRefused = answer.status >= 400 && answer.status < 500;
    if (isRefused) throw new ToolRefused(`The tool gives no token for this credential (${answer.status}).`);
    let document: unknown = null;
    try {
      document = JSON.parse(answer.body.toString('utf8'));
    } catch {
      throw new ToolFailed(`The token endpoint answered ${answer.status} without JSON.`);
    }
    const parsed = tokenAnswer.safeParse(document);
    const token = parsed.data?.access_token ?? parsed.data?.token;
    if (!parsed.success || token === undefined) throw new ToolFailed('The token endpoint gave no token.');
    const { expires_in: lifeS, expires_at: endsAt, refresh_token: next } = parsed.data;
    const until =
      endsAt === undefined ? deps.clock.now() + (lifeS ?? TOKEN_LIFE_S_DEFAULT) * 1_000 : Date.parse(endsAt);
    if (next !== undefined && next !== refreshToken) {
      refreshToken = next;
      await deps.onRefreshToken?.(next);
    }
    held = { token, until };
    return token;
  };

  return {
    async apply(request) {
      const token = held && held.until - RENEW_MS > deps.clock.now() ? held.token : await fetchToken();
      return withHeader(request, 'authorization', `Bearer ${token}`);
    },
    renew() {
      const had = held !== null;
      held = null;
      return had;
    },
  };
}

/** Puts a connection's credential on requests, in the way the manifest says. */
export function createAuthenticator(spec: AuthSpec, secret: CredentialSecret, deps: Deps): Authenticator {
  const still = (apply: (request: ToolRequest) => ToolRequest): Authenticator => ({
    apply: async (request) => apply(request),
    renew: () => false,
  });
  if (spec.kind === 'bearer' && secret.kind === 'bearer') {
    return still((request) => withHeader(request, 'authorization', `${spec.scheme} ${secret.token}`));
  }
  if (spec.kind === 'basic' && secret.kind === 'basic') {
    return still((request) => withHeader(request, 'authorization', basic(secret.user, secret.password)));
  }
  if (spec.kind === 'header' && secret.kind === 'header') {
    return still((request) =>
      spec.extra.reduce(
        (one, { header }) => withHeader(one, header, secret.extra?.[header] ?? ''),
        withHeader(request, spec.header, `${spec.prefix}${secret.value}`),
      ),
    );
  }
  if (spec.kind === 'query' && secret.kind === 'query') {
    return still((request) => {
      const url = new URL(request.url);
      url.searchParams.set(spec.parameter, secret.value);
      return { ...request, url: url.href };
    });
  }
  if (spec.kind !== secret.kind) throw new ToolRefused(`The credential is ${secret.kind}, not ${spec.kind}.`);
  return createTokenHolder(spec, secret, deps);
}
