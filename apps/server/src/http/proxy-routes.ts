import type { Estate } from '@cordon/estate';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

const settings = z.object({
  unknown: z.enum(['refuse', 'observe']),
  sni: z.enum(['match', 'any']),
  ports: z.array(z.int()),
  /** Hosts of forbidden apps; see Discovery. */
  blocked: z.array(z.string()),
  /** PEM; what clients of opened connections have to trust. */
  certificate: z.string(),
  updatedAt: z.int(),
});

/** Settings of the forward proxy and the certificate of its authority. */
export function addProxyRoutes(server: ApiServer, { estate }: { estate: Estate }): void {
  const tags = ['proxy'];
  server.get(
    '/api/v1/proxy',
    { config: { permission: 'policy.read' }, schema: { tags, response: { 200: settings } } },
    async () => {
      const { ports, blocked, ...rest } = await estate.proxy.get();
      return { ...rest, ports: [...ports], blocked: [...blocked] };
    },
  );
  server.patch(
    '/api/v1/proxy',
    {
      config: { permission: 'policy.write' },
      schema: {
        tags,
        body: z.strictObject({
          unknown: z.enum(['refuse', 'observe']).optional(),
          sni: z.enum(['match', 'any']).optional(),
          ports: z.array(z.int().min(1).max(65_535)).max(32).optional(),
        }),
        response: { 200: settings },
      },
    },
    async (request) => {
      const { ports, blocked, ...rest } = await estate.proxy.update(actorOf(request), request.body);
      return { ...rest, ports: [...ports], blocked: [...blocked] };
    },
  );
}
