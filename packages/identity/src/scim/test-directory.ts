import { fastify, type FastifyInstance } from 'fastify';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { scimRoutes } from './scim-routes.ts';

export const SYSTEM = { kind: 'system', name: 'test' } as const;
export const EXTENSION = 'urn:example:params:scim:schemas:extension:acme:2.0:User';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
}

/** A SCIM server on a database of its own, and a directory that talks to it. */
export interface TestDirectory {
  readonly fake: FakeIdentity;
  readonly server: FastifyInstance;
  readonly token: string;
  send(method: string, path: string, payload?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startTestDirectory(): Promise<TestDirectory> {
  const attributes = [{ name: 'badge' }, { name: 'floors', type: 'integer' as const, multiValued: true }];
  const fake = await createFakeIdentity({ config: { scimExtension: { id: EXTENSION, name: 'Acme', attributes } } });
  const server = fastify();
  await server.register(scimRoutes(fake.identity));
  const { value: token } = await fake.identity.scimTokens.create(SYSTEM, { name: 'Entra', days: 30 });
  return {
    fake,
    server,
    token,
    async send(method, path, payload, headers = {}) {
      const response = await server.inject({
        method: method as 'GET', // names that the tests write
        url: `/scim/v2${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json', ...headers },
        ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
      });
      const body: Record<string, unknown> = response.body === '' ? {} : response.json();
      return { status: response.statusCode, headers: response.headers, body };
    },
    async stop() {
      await server.close();
      await fake.test.drop();
    },
  };
}
