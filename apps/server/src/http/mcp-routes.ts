import { type Estate, mcpDecision } from '@cordon/estate';
import { mcpItemKind } from '@cordon/policy';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

const tags = ['mcp'];
const definition = z.record(z.string(), z.unknown());
const itemParameters = z.object({ id: z.uuid(), itemId: z.uuid() });

const itemBody = z.object({
  id: z.string(),
  appId: z.string(),
  kind: mcpItemKind,
  name: z.string(),
  state: z.enum(['pending', 'accepted', 'suspended', 'rejected']),
  accepted: definition.nullable(),
  acceptedSha256: z.string().nullable(),
  seen: definition,
  seenSha256: z.string(),
  access: z.enum(['read', 'write']),
  firstSeenAt: z.int(),
  seenAt: z.int(),
  decidedAt: z.int().nullable(),
  decidedBy: z.string().nullable(),
});

const itemView = itemBody.extend({
  /** What in the definition that was seen last talks to the model rather than describing the tool. */
  flags: z.array(z.object({ rule: z.string(), at: z.string(), excerpt: z.string() })),
  /** Integrations whose grants cover it. */
  grantedTo: z.array(z.string()),
});

/** What MCP servers offer, and the decisions about it. */
export function addMcpRoutes(server: ApiServer, { estate }: { readonly estate: Estate }): void {
  server.get(
    '/api/v1/apps/:id/mcp/items',
    {
      config: { permission: 'app.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(itemView) }) } },
    },
    async (request) => ({ items: (await estate.mcp.list(actorOf(request), request.params.id)).map(plain) }),
  );
  server.post(
    '/api/v1/apps/:id/mcp/items/:itemId/accept',
    {
      config: { permission: 'app.write' },
      schema: { tags, params: itemParameters, body: mcpDecision, response: { 200: itemBody } },
    },
    async (request) => estate.mcp.accept(actorOf(request), placeOf(request.params), request.body),
  );
  server.post(
    '/api/v1/apps/:id/mcp/items/:itemId/reject',
    {
      config: { permission: 'app.write' },
      schema: { tags, params: itemParameters, body: mcpDecision, response: { 200: itemBody } },
    },
    async (request) => estate.mcp.reject(actorOf(request), placeOf(request.params), request.body),
  );
  server.post(
    '/api/v1/apps/:id/mcp/look',
    {
      config: { permission: 'app.write' },
      schema: { tags, params: idParameter, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await estate.mcp.look(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}

const placeOf = ({ id, itemId }: z.output<typeof itemParameters>) => ({ appId: id, itemId });

/** Lists that the response schema may own. */
function plain({ flags, grantedTo, ...item }: Awaited<ReturnType<Estate['mcp']['list']>>[number]) {
  return { ...item, flags: flags.map((flag) => ({ ...flag })), grantedTo: [...grantedTo] };
}
