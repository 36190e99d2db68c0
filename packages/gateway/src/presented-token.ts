import type { IncomingHttpHeaders } from 'node:http';
import type { Credential } from '@cordon/policy';

export interface PresentedToken {
  readonly text: string;
  /** Lower-case name of the field, when it isn't one that is never forwarded anyway. */
  readonly header?: string;
  /** Query parameter that held it. */
  readonly parameter?: string;
  readonly scheme: 'bearer' | 'dpop' | 'basic' | 'field';
}

/** Longer than any token we issue: a JWT with a certificate thumbprint and many audiences stays far below. */
export const TOKEN_CHARS_MAX = 8 * 1024;

const SCHEMED = /^([A-Za-z][A-Za-z0-9-]{0,31}) +([A-Za-z0-9._~+/=-]+)$/;
// What vendors' SDKs write before a key: GitHub `token`, Okta `SSWS`, Zendesk and others `Bearer`.
const BEARER_SCHEMES = new Set(['bearer', 'token', 'ssws', 'apikey', 'api-key', 'key']);

/**
 * Basic carries a key in its password (Twilio, Jira, Zendesk) or, with an empty password, in its user name (Stripe).
 */
function fromBasic(encoded: string): string | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const password = text.slice(colon + 1);
  // `email/token:key` (Zendesk) and `x:key` put the key in the password as well.
  return password === '' || password.toLowerCase() === 'x' ? text.slice(0, colon) : password;
}

function fromAuthorization(value: string): PresentedToken | undefined {
  const match = SCHEMED.exec(value);
  if (!match) return undefined;
  const scheme = match[1]!.toLowerCase();
  if (scheme === 'bearer' || BEARER_SCHEMES.has(scheme)) return { text: match[2]!, scheme: 'bearer' };
  if (scheme === 'dpop') return { text: match[2]!, scheme: 'dpop' };
  if (scheme !== 'basic') return undefined;
  const text = fromBasic(match[2]!);
  return text === undefined || text === '' ? undefined : { text, scheme: 'basic' };
}

/** A query parameter's value, decoded; the first one of that name. */
function fromQuery(path: string, parameter: string): string | undefined {
  const query = path.indexOf('?');
  if (query === -1) return undefined;
  return new URLSearchParams(path.slice(query + 1)).get(parameter) ?? undefined;
}

/**
 * Finds the integration's token. Accepted on every app: `X-Cordon-Token` (wins over everything else), then
 * `Authorization` as Bearer, DPoP, Basic, or a vendor's scheme word. Accepted only on apps whose vendor credential
 * travels there, because their SDKs can't put a key elsewhere: a header of that name, a query parameter of that name.
 */
export function findToken(
  headers: IncomingHttpHeaders,
  path: string,
  credential: Credential | null,
): PresentedToken | 'malformed' | undefined {
  const own = headers['x-cordon-token'];
  if (typeof own === 'string') return { text: own, scheme: 'field' };
  const { authorization } = headers;
  if (authorization !== undefined) return fromAuthorization(authorization) ?? 'malformed';
  if (credential?.kind === 'api-key-header') {
    const name = credential.header.toLowerCase();
    const value = headers[name];
    if (typeof value === 'string') {
      const text =
        credential.prefix !== '' && value.startsWith(credential.prefix) ? value.slice(credential.prefix.length) : value;
      return { text: text.trim(), header: name, scheme: 'field' };
    }
  }
  if (credential?.kind === 'api-key-query') {
    const text = fromQuery(path, credential.parameter);
    if (text !== undefined) return { text, parameter: credential.parameter, scheme: 'field' };
  }
  return undefined;
}

/** The path without one query parameter; the order and bytes of the others stay. */
export function withoutParameter(path: string, parameter: string): string {
  const query = path.indexOf('?');
  if (query === -1) return path;
  const kept = path
    .slice(query + 1)
    .split('&')
    .filter((pair) => decodeParameterName(pair) !== parameter);
  return kept.length > 0 ? `${path.slice(0, query)}?${kept.join('&')}` : path.slice(0, query);
}

function decodeParameterName(pair: string): string {
  const name = pair.split('=', 1)[0]!.replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
