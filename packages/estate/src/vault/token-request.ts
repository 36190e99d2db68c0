import { z } from 'zod';
import { VendorRefused } from '../errors.ts';
import { signJwt } from './client-assertion.ts';
import type { OAuthSource, VaultSecrets, VaultSource } from './vault-source.ts';
import type { VendorAnswer, VendorRequest } from './vendor-client.ts';

/** Vendors accept at most 10 minutes (GitHub) or an hour (Google) for what is signed. */
const ASSERTION_S = 300;
/** A clock that is a little ahead of the vendor's must not make an assertion of the future. */
const CLOCK_SKEW_S = 30;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** What a code is exchanged with, on the way back from a consent page. */
export interface CodeExchange {
  readonly code: string;
  readonly redirectUri: string;
  readonly verifier: string;
}

export interface MintContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly id: () => string;
}

export interface Minted {
  readonly accessToken: string;
  /** Milliseconds since the epoch; null when the vendor says nothing. */
  readonly expiresAt: number | null;
  /** The next refresh token, when the vendor gave one. */
  readonly refreshToken: string | null;
}

function form(url: string, fields: Record<string, string>, headers: Record<string, string> = {}): VendorRequest {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  };
}

/** RFC 6749, section 2.3.1: both halves are form-encoded before they are joined. */
function basic(id: string, secret: string): string {
  const encode = (text: string): string => new URLSearchParams({ v: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}

function assertion(source: OAuthSource, secrets: VaultSecrets, context: MintContext): string {
  const seconds = Math.floor(context.now / 1000);
  const { clientId, tokenUrl, algorithm, keyId } = source;
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: tokenUrl,
    jti: context.id(),
    iat: seconds - CLOCK_SKEW_S,
    exp: seconds + ASSERTION_S,
  };
  return signJwt(claims, { algorithm, keyId, privateKey: secrets.privateKey ?? '' });
}

function clientRequest(
  source: OAuthSource,
  secrets: VaultSecrets,
  fields: Record<string, string>,
  context: MintContext,
): VendorRequest {
  const { clientId, tokenUrl } = source;
  const secret = secrets.clientSecret ?? '';
  switch (source.clientAuth) {
    case 'client_secret_basic':
      return form(tokenUrl, fields, { authorization: basic(clientId, secret) });
    case 'client_secret_post':
      return form(tokenUrl, { ...fields, client_id: clientId, client_secret: secret });
    case 'private_key_jwt':
      return form(tokenUrl, {
        ...fields,
        client_id: clientId,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion(source, secrets, context),
      });
    default:
      return form(tokenUrl, { ...fields, client_id: clientId });
  }
}

const scopeOf = (source: { scopes: readonly string[]; scopeSeparator: string }): Record<string, string> =>
  source.scopes.length === 0 ? {} : { scope: source.scopes.join(source.scopeSeparator) };

function refresh(source: OAuthSource, secrets: VaultSecrets, context: MintContext): VendorRequest {
  if (secrets.refreshToken === undefined) {
    throw new VendorRefused('The vendor gave no refresh token: connect the app again.', { permanent: true });
  }
  return clientRequest(source, secrets, { grant_type: 'refresh_token', refresh_token: secrets.refreshToken }, context);
}

function googleRequest(
  source: Extract<VaultSource, { kind: 'google-service-account' }>,
  secrets: VaultSecrets,
  context: MintContext,
): VendorRequest {
  const seconds = Math.floor(context.now / 1000);
  const { clientEmail, tokenUrl, subject, scopes, keyId } = source;
  const claims = {
    iss: clientEmail,
    aud: tokenUrl,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(subject === undefined ? {} : { sub: subject }),
    iat: seconds - CLOCK_SKEW_S,
    exp: seconds + ASSERTION_S,
  };
  const signed = signJwt(claims, { algorithm: 'RS256', keyId, privateKey: secrets.privateKey ?? '' });
  return form(tokenUrl, { grant_type: JWT_BEARER, assertion: signed });
}

function githubRequest(
  source: Extract<VaultSource, { kind: 'github-app' }>,
  secrets: VaultSecrets,
  context: MintContext,
): VendorRequest {
  const seconds = Math.floor(context.now / 1000);
  const claims = { iss: source.appId, iat: seconds - CLOCK_SKEW_S, exp: seconds + ASSERTION_S };
  const signed = signJwt(claims, { algorithm: 'RS256', privateKey: secrets.privateKey ?? '' });
  return {
    method: 'POST',
    url: `${source.apiUrl.replace(/\/$/, '')}/app/installations/${source.installationId}/access_tokens`,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${signed}`,
      'content-type': 'application/json',
      'user-agent': 'cordon',
    },
    body: '{}',
  };
}

/** The request that mints the next token, or exchanges a code for the first one. */
export function tokenRequest(
  source: VaultSource,
  secrets: VaultSecrets,
  context: MintContext,
  exchange?: CodeExchange,
): VendorRequest {
  switch (source.kind) {
    case 'oauth2-authorization-code': {
      if (!exchange) return refresh(source, secrets, context);
      const { code, redirectUri, verifier } = exchange;
      const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
      return clientRequest(source, secrets, fields, context);
    }
    case 'oauth2-refresh-token':
      return refresh(source, secrets, context);
    case 'oauth2-client-credentials': {
      const { audience, resource } = source;
      const fields = {
        grant_type: 'client_credentials',
        ...scopeOf(source),
        ...(audience === undefined ? {} : { audience }),
        ...(resource === undefined ? {} : { resource }),
      };
      return clientRequest(source, secrets, fields, context);
    }
    case 'slack-token-rotation': {
      const fields = { grant_type: 'refresh_token', refresh_token: secrets.refreshToken ?? '' };
      return form(source.tokenUrl, {
        ...fields,
        client_id: source.clientId,
        client_secret: secrets.clientSecret ?? '',
      });
    }
    case 'github-app':
      return githubRequest(source, secrets, context);
    default:
      return googleRequest(source, secrets, context);
  }
}

const token = z.string().min(1).max(8_192);
const answerBody = z.object({
  access_token: token.optional(),
  /** GitHub's installation tokens. */
  token: token.optional(),
  expires_in: z.coerce.number().positive().max(315_360_000).optional(),
  expires_at: z.string().max(64).optional(),
  refresh_token: token.optional(),
  /** RFC 6749, section 5.2; GitHub and Slack answer errors with 200. */
  error: z.string().max(256).optional(),
  error_description: z.string().max(512).optional(),
  ok: z.boolean().optional(),
  message: z.string().max(512).optional(),
});

/** Asking again won't help: somebody has to look. */
const PERMANENT = new Set([
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'unsupported_grant_type',
  'access_denied',
  'bad_refresh_token',
  'incorrect_client_credentials',
  'bad_verification_code',
  'invalid_refresh_token',
  'bad_client_secret',
  'invalid_client_id',
]);

/** @throws {VendorRefused} with what the vendor said, less everything that may be secret. */
export function parseTokenAnswer(answer: VendorAnswer, now: number): Minted {
  let json: unknown;
  try {
    json = JSON.parse(answer.body);
  } catch {
    throw new VendorRefused(`The vendor answered ${answer.status} with something that is not JSON.`, {
      permanent: false,
    });
  }
  const parsed = answerBody.safeParse(json);
  const body = parsed.success ? parsed.data : {};
  const accessToken = body.access_token ?? body.token;
  if (answer.status >= 200 && answer.status < 300 && accessToken !== undefined && body.ok !== false && !body.error) {
    return { accessToken, expiresAt: expiryOf(body, now), refreshToken: body.refresh_token ?? null };
  }
  const code = body.error ?? '';
  const said = [code, body.error_description ?? body.message ?? ''].filter((text) => text !== '').join(': ');
  throw new VendorRefused(`The vendor answered ${answer.status}${said === '' ? '' : ` (${said.slice(0, 300)})`}.`, {
    permanent: PERMANENT.has(code) || answer.status === 401 || answer.status === 403 || answer.status === 404,
  });
}

function expiryOf(body: z.output<typeof answerBody>, now: number): number | null {
  if (body.expires_in !== undefined) return now + Math.floor(body.expires_in * 1000);
  const at = body.expires_at === undefined ? Number.NaN : Date.parse(body.expires_at);
  return Number.isFinite(at) && at > now ? at : null;
}

const LEAD_MS_MAX = 600_000;
const LEAD_SHARE = 0.25;
/** For tokens whose life the vendor doesn't tell. */
const UNTOLD_MS = 1_800_000;

/** When the next token should be minted; null when this one can't be renewed or never ends. */
export function refreshTime(source: VaultSource, minted: Minted, secrets: VaultSecrets, now: number): number | null {
  const byRefreshToken = source.kind === 'oauth2-authorization-code' || source.kind === 'oauth2-refresh-token';
  if (byRefreshToken && (minted.refreshToken ?? secrets.refreshToken) === undefined) return null;
  if (minted.expiresAt === null) return byRefreshToken ? null : now + UNTOLD_MS;
  return Math.floor(minted.expiresAt - Math.min(LEAD_MS_MAX, (minted.expiresAt - now) * LEAD_SHARE));
}
