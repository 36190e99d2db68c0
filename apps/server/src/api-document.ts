import { identityRoutes } from '@cordon/identity';
import { createLogger, systemClock } from '@cordon/kernel';
import { createApiServer } from './http/api-server.ts';
import { addRoutes } from './http/routes.ts';
import type { RouteRow } from './http/access.ts';

/** Registering routes reads nothing of what their handlers use; a handler that ran here would fail at once. */
function unused(name: string): never {
  const deps = new Proxy(
    {},
    {
      get(_target, key) {
        if (key === 'addHook' || typeof key === 'symbol') return undefined;
        return unused(`${name}.${key}`);
      },
    },
  );
  return deps as never; // only handlers look inside
}

/** The OpenAPI document and the table of routes, made without any engine running. */
export async function describeApi(): Promise<{ document: object; routes: readonly RouteRow[] }> {
  const { server, routes } = await createApiServer({
    logger: createLogger({ role: 'document', level: 'silent' }),
    clock: systemClock,
    publicUrl: 'http://localhost:7800',
    authenticate: async () => null,
    errorTables: [],
  });
  addRoutes(server, unused('deps'));
  await server.register(identityRoutes(unused('identity')));
  await server.ready();
  const document = server.swagger();
  await server.close();
  return { document, routes };
}
