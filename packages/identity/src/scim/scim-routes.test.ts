import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import type { Identity } from '../identity.ts';
import { scimRoutes } from './scim-routes.ts';

const PATHS = ['/scim/v2/Users', '/scim/v2/Groups', '/scim/v2/Schemas', '/scim/v2/ServiceProviderConfig'];
const NOBODY = { scimTokens: { resolve: async () => null } } as unknown as Identity; // the bearer check comes first

test.each([true, false])(
  'registers on a server whose ignoreTrailingSlash is %s, and answers with and without',
  async (ignore) => {
    const server = fastify({ routerOptions: { ignoreTrailingSlash: ignore } });
    await server.register(scimRoutes(NOBODY));
    for (const url of PATHS.flatMap((path) => [path, `${path}/`])) {
      expect([url, (await server.inject({ url })).statusCode]).toEqual([url, 401]);
    }
    await server.close();
  },
);
