import { identityRoutes, scimRoutes } from '@cordon/identity';
import { createLogger, systemClock } from '@cordon/kernel';
import { createApiServer } from './http/api-server.ts';
import { addRoutes } from './http/routes.ts';
import type { ApiServer } from './http/api-type.ts';

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

/** Registers every route on a server whose handlers have nothing to work with. */
export async function registerRoutes(server: ApiServer): Promise<void> {
  addRoutes(server, unused('deps'));
  await server.register(identityRoutes(unused('identity')));
  await server.register(scimRoutes(unused('identity')));
}

/** The OpenAPI document, made without any engine running. */
export async function describeApi(): Promise<{ document: object }> {
  const { server } = await createApiServer({
    logger: createLogger({ role: 'document', level: 'silent' }),
    clock: systemClock,
    publicUrl: 'http://localhost:7800',
    authenticate: async () => null,
    errorTables: [],
  });
  await registerRoutes(server);
  await server.ready();
  const document = server.swagger();
  await server.close();
  return { document };
}
