import { type Actor, authorize, CordonError, kernelErrors, requireStepUp, ruleFor, toProblem } from '@cordon/kernel';
import { fastify, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { identityErrors } from './errors.ts';
import { identityRoutes } from './identity-routes.ts';
import { createAuthenticate } from './route-access.ts';
import type { FakeIdentity } from './testing.ts';

export const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0';

export interface DeclaredRoute {
  readonly method: string;
  readonly url: string;
  readonly permission: string | null;
}

/** A server with the gate that apps/server has: every route declares its access, and the gate enforces it. */
export async function startTestServer(
  fake: FakeIdentity,
): Promise<{ server: FastifyInstance; routes: DeclaredRoute[] }> {
  const server = fastify({ trustProxy: false });
  const routes: DeclaredRoute[] = [];
  const authenticate = createAuthenticate(fake.identity);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(async (error, request, reply) => {
    const status = error instanceof CordonError ? ruleFor(error, [identityErrors, kernelErrors]).status : 400;
    if (!(error instanceof CordonError) && !(error instanceof Error && 'validation' in error)) throw error;
    await reply.status(status).send(toProblem(error, [identityErrors, kernelErrors], request.id));
  });
  server.addHook('onRoute', (route) => {
    const { permission, public: open } = route.config ?? {};
    if ((permission === undefined) === (open !== true)) throw new Error(`${route.url} declares no access`);
    for (const method of [route.method].flat()) {
      if (method !== 'HEAD') routes.push({ method, url: route.url, permission: permission ?? null });
    }
  });
  server.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const actor: Actor | null = await authenticate(request);
    if (!actor)
      throw new (class SignInRequired extends CordonError {
        readonly code = 'identity.session_required';
      })('Sign in.');
    authorize(actor, permission);
    if (request.method !== 'GET') requireStepUp(actor, permission, fake.clock.now());
  });
  await server.register(identityRoutes(fake.identity));
  await server.ready();
  return { server, routes };
}

/** A browser's half of HTTP: keeps the session cookie and says where its pages come from. */
export interface TestBrowser {
  cookie: string | null;
  send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
  ): Promise<LightMyRequestResponse>;
}

export function createTestBrowser(server: FastifyInstance, origin: string, agent = BROWSER): TestBrowser {
  let device = '';
  const browser: TestBrowser = {
    cookie: null,
    async send(method, url, body) {
      const response = await server.inject({
        method,
        url,
        headers: {
          'user-agent': agent,
          origin,
          ...(browser.cookie === null && device === '' ? {} : { cookie: `${browser.cookie ?? ''}; ${device}` }),
        },
        ...(body === undefined ? {} : { payload: body }),
      });
      const set = response.headers['set-cookie'];
      for (const line of [set ?? []].flat()) {
        const pair = line.split(';')[0] ?? '';
        if (pair.includes('cordon_device=')) device = pair;
        else browser.cookie = pair.endsWith('=') ? null : pair;
      }
      return response;
    },
  };
  return browser;
}
