import {
  type Actor,
  authorize,
  type Clock,
  CordonError,
  type ErrorTable,
  isAllowed,
  type Permission,
  requireStepUp,
} from '@cordon/kernel';
import type { FastifyRequest } from 'fastify';
import type { ApiServer } from './api-type.ts';

/** What each route must declare: a permission, or that anyone may call it. */
export type RouteAccess = { readonly permission: Permission } | { readonly public: true };

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
    public?: true;
    /** Set by routes that act for a person who is still enrolling. */
    stage?: 'enrol';
  }
  interface FastifyRequest {
    actor: Actor | null;
  }
  interface FastifyInstance {
    /** Asks anew whether a request may have its answer: for answers that go on while access may end. */
    isStillAllowed(request: FastifyRequest): Promise<boolean>;
  }
}

export class SignInRequired extends CordonError {
  readonly code = 'http.sign_in_required';
}

export class RouteUnknown extends CordonError {
  readonly code = 'http.route_unknown';
}

export class RequestInvalid extends CordonError {
  readonly code = 'http.request_invalid';
}

export class RequestRefused extends CordonError {
  readonly code = 'http.request_refused';
}

export const httpErrors: ErrorTable = {
  'http.sign_in_required': { status: 401, expose: true, level: 'info' },
  'http.route_unknown': { status: 404, expose: true, level: 'debug' },
  'http.request_invalid': { status: 400, expose: true, level: 'info' },
  'http.portal_busy': { status: 429, expose: true, level: 'info' },
  'http.request_refused': { status: 413, expose: true, level: 'info' },
};

export type Authenticate = (request: FastifyRequest) => Promise<Actor | null>;

export interface RouteRow {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess;
}

/**
 * One gate for every route: a route that declares neither a permission nor `public` can't even be registered, and a
 * handler only runs for an actor who holds the permission. The rows are what the access test walks.
 */
export function addAccessGate(server: ApiServer, deps: { authenticate: Authenticate; clock: Clock }): RouteRow[] {
  const rows: RouteRow[] = [];
  server.decorateRequest('actor', null);
  server.decorate('isStillAllowed', async (request: FastifyRequest) => {
    const { permission } = request.routeOptions.config;
    // Another object: who a request object comes from is only looked up once.
    const again = Object.create(request) as FastifyRequest; // has everything of the request by inheritance
    const actor = await deps.authenticate(again);
    return actor !== null && permission !== undefined && isAllowed(actor, permission);
  });
  server.addHook('onRoute', (route) => {
    const access = route.config?.permission
      ? { permission: route.config.permission }
      : route.config?.public
        ? { public: true as const }
        : null;
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    if (!access) throw new Error(`route ${methods.join(',')} ${route.url} declares neither a permission nor public`);
    for (const method of methods) if (method !== 'HEAD') rows.push({ method, url: route.url, access });
  });
  server.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const actor = await deps.authenticate(request);
    if (!actor) throw new SignInRequired('Sign in, or send an API token as a bearer.', { sign_in: '/sign-in' });
    authorize(actor, permission);
    if (request.method !== 'GET') requireStepUp(actor, permission, deps.clock.now());
    request.actor = actor;
  });
  return rows;
}

/** The actor of a request that passed the gate. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new SignInRequired('Sign in first.');
  return request.actor;
}
