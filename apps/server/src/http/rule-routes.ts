import { type Estate, listRules, ruleInputs } from '@cordon/estate';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

const stamp = { id: z.string(), name: z.string(), createdAt: z.int(), updatedAt: z.int() };

/** Cedar policies, inspection rules and limits: the same four routes each. */
export function addRuleRoutes(server: ApiServer, { db, estate }: { db: Database; estate: Estate }): void {
  addKind('policy', '/api/v1/policies', ruleInputs.policy);
  addKind('inspection', '/api/v1/inspection-rules', ruleInputs.inspection);
  addKind('limit', '/api/v1/limits', ruleInputs.limit);
  addKind('requirement', '/api/v1/requirements', ruleInputs.requirement);

  function addKind<Kind extends 'policy' | 'inspection' | 'limit' | 'requirement'>(
    kind: Kind,
    path: string,
    input: (typeof ruleInputs)[Kind],
  ): void {
    const body = z.object({ ...stamp, kind: z.literal(kind), entry: input as z.ZodType });
    const tags = [kind];
    server.get(
      path,
      {
        config: { permission: 'policy.read' },
        schema: { tags, response: { 200: z.object({ items: z.array(body) }) } },
      },
      async () => ({ items: await listRules(db, kind) }),
    );
    server.post(
      path,
      { config: { permission: 'policy.write' }, schema: { tags, body: input as z.ZodType, response: { 201: body } } },
      async (request, reply) =>
        reply.status(201).send((await estate.rules.put(actorOf(request), kind, request.body as never)) as never), // parsed by this kind's schema
    );
    server.delete(
      `${path}/:id`,
      { config: { permission: 'policy.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
      async (request, reply) => {
        await estate.rules.remove(actorOf(request), kind, request.params.id);
        return reply.status(204).send(null);
      },
    );
  }
}
