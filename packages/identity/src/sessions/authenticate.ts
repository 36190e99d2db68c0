import type { IncomingHttpHeaders } from 'node:http';
import { allowedOrigins } from '../config.ts';
import type { IdentityContext, RequestOrigin } from '../context.ts';
import { resolveApiToken } from '../people/api-tokens.ts';
import { checkOrigin } from './origin-check.ts';
import type { Principal } from './session.ts';
import { createSessionCookie, readDevice } from './session-cookie.ts';
import { resolveSession } from './sessions.ts';

/** What of a request tells who sends it; Fastify's and Node's requests both have it. */
export interface IncomingRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly ip: string;
}

export interface Authenticator {
  /**
   * Who sends this request, in whatever stage; null: nobody. Throws `OriginRefused` for a forged one. Asked once per
   * request object: the access gate and the route get the same answer.
   */
  principal(request: IncomingRequest): Promise<Principal | null>;
}

export function originOf(request: IncomingRequest): RequestOrigin {
  const device = readDevice(request.headers.cookie);
  const agent = request.headers['user-agent'] ?? '';
  return { ip: request.ip, agent, ...(device === undefined ? {} : { device }) };
}

export function createAuthenticator(context: IdentityContext): Authenticator {
  const cookie = createSessionCookie(context.config.publicUrl);
  const allowed = allowedOrigins(context.config);

  const identify = async (request: IncomingRequest): Promise<Principal | null> => {
    const { authorization, origin } = request.headers;
    const secret = cookie.read(request.headers.cookie);
    const fetchSite = request.headers['sec-fetch-site'];
    checkOrigin(
      {
        method: request.method,
        origin,
        fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
        hasCookie: secret !== null,
      },
      allowed,
    );
    // A header that names a credential decides alone: falling back to the cookie would hide a wrong token.
    if (authorization !== undefined) {
      const match = /^Bearer ([\w-]{1,200})$/.exec(authorization);
      return match?.[1] === undefined ? null : resolveApiToken(context, match[1]);
    }
    if (secret === null) return null;
    return (await resolveSession(context, secret, originOf(request)))?.principal ?? null;
  };

  const known = new WeakMap<IncomingRequest, Promise<Principal | null>>();
  return {
    principal(request) {
      const found = known.get(request) ?? identify(request);
      known.set(request, found);
      return found;
    },
  };
}
