import { DECLARED_KINDS, DESCRIPTION_BYTES_MAX, type Estate } from '@cordon/estate';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

const change = z.object({
  action: z.enum(['create', 'update', 'delete']),
  kind: z.enum(DECLARED_KINDS),
  name: z.string(),
  changes: z.array(z.object({ path: z.string(), from: z.unknown(), to: z.unknown() })),
});
const body = z.strictObject({
  /** Checked by the estate, whose errors name every field. */
  declaration: z.record(z.string(), z.unknown()),
  prune: z.boolean().default(false),
});
const plan = z.object({ changes: z.array(change) });
const tags = ['declaration'];
/** Several descriptions may travel in one declaration. */
const bodyLimit = 4 * DESCRIPTION_BYTES_MAX;

export function addDeclarationRoutes(server: ApiServer, estate: Estate): void {
  server.post(
    '/api/v1/declaration/plan',
    { config: { permission: 'apply.plan' }, bodyLimit, schema: { tags, body, response: { 200: plan } } },
    async (request) => {
      const { declaration, prune } = request.body;
      const changes = await estate.declarations.plan(actorOf(request), declaration, { prune });
      return { changes: changes.map((one) => ({ ...one, changes: [...one.changes] })) };
    },
  );
  server.post(
    '/api/v1/declaration/apply',
    { config: { permission: 'apply.write' }, bodyLimit, schema: { tags, body, response: { 200: plan } } },
    async (request) => {
      const { declaration, prune } = request.body;
      const changes = await estate.declarations.apply(actorOf(request), declaration, { prune });
      return { changes: changes.map((one) => ({ ...one, changes: [...one.changes] })) };
    },
  );
  server.get(
    '/api/v1/declaration',
    { config: { permission: 'apply.plan' }, schema: { tags, response: { 200: z.record(z.string(), z.unknown()) } } },
    async (request) => ({ ...(await estate.declarations.export(actorOf(request))) }),
  );
}
