import type { Actor, Permission } from '@cordon/kernel';
import type { FastifyRequest } from 'fastify';
import { SessionRequired } from './errors.ts';
import type { Identity } from './identity.ts';
import type { Principal, Session } from './sessions/session.ts';

// The server's access gate reads these; the declarations must say the same in both places, or tsc refuses.
declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
    public?: true;
    /** Also open to a session that is still setting up its first factor. */
    stage?: 'enrol';
  }
}

/**
 * Who a request comes from, for the server's access gate. A session that is still enrolling counts only on the routes
 * that say `stage: 'enrol'`. Throws `OriginRefused` for a request that another site made.
 */
export function createAuthenticate(identity: Pick<Identity, 'authenticator'>) {
  return async (request: FastifyRequest): Promise<Actor | null> => {
    const principal = await identity.authenticator.principal(request);
    if (!principal) return null;
    const enrolling = principal.session?.stage === 'enrol';
    return enrolling && request.routeOptions.config.stage !== 'enrol' ? null : principal.actor;
  };
}

/** The principal of a route behind the gate. */
export async function principalOf(
  identity: Pick<Identity, 'authenticator'>,
  request: FastifyRequest,
): Promise<Principal> {
  const principal = await identity.authenticator.principal(request);
  if (!principal) throw new SessionRequired('Sign in first, or send an API token.');
  return principal;
}

/** The browser session of a route that an API token is not enough for. */
export function sessionOf(principal: Principal): Session {
  if (principal.session) return principal.session;
  throw new SessionRequired('This is done in a browser session, not with an API token.');
}
