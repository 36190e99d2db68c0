import { deidentifyInput, type InspectionPass, listPasses, passInput, revealInput } from '@cordon/dlp';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import type { DlpRouteDeps } from './dlp-routes.ts';

const tags = ['dlp'];
const byId = z.strictObject({ id: z.string().min(1).max(200) });
const value = z.object({ value: z.string() });

const passBody = z.object({
  id: z.string(),
  rule: z.object({ id: z.string(), name: z.string() }),
  integrationId: z.string(),
  appId: z.string().nullable(),
  kind: z.enum(['justification', 'release']),
  reason: z.string(),
  givenBy: z.string(),
  givenAt: z.int(),
  expiresAt: z.int(),
  endedAt: z.int().nullable(),
});
const passOf = (pass: InspectionPass) => ({
  ...pass,
  givenAt: pass.givenAt.getTime(),
  expiresAt: pass.expiresAt.getTime(),
  endedAt: pass.endedAt?.getTime() ?? null,
});

/** What lets an integration pass a rule for a time, and tokens that can be put back. */
export function addDlpTokenRoutes(server: ApiServer, { db, dlp }: DlpRouteDeps): void {
  server.get(
    '/api/v1/dlp/passes',
    {
      config: { permission: 'dlp.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(passBody) }) } },
    },
    async () => ({ items: (await listPasses(db)).map(passOf) }),
  );
  server.post(
    '/api/v1/dlp/passes',
    { config: { permission: 'dlp.justify' }, schema: { tags, body: passInput, response: { 201: passBody } } },
    async (request, reply) => reply.code(201).send(passOf(await dlp.passes.give(actorOf(request), request.body))),
  );
  server.delete(
    '/api/v1/dlp/passes/:id',
    { config: { permission: 'dlp.decide' }, schema: { tags, params: byId, response: { 204: z.null() } } },
    async (request, reply) => {
      await dlp.passes.end(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/dlp/tokens',
    { config: { permission: 'dlp.write' }, schema: { tags, body: deidentifyInput, response: { 200: value } } },
    async (request) => dlp.tokens.deidentify(actorOf(request), request.body),
  );
  server.post(
    '/api/v1/dlp/tokens/reveal',
    { config: { permission: 'dlp.reveal' }, schema: { tags, body: revealInput, response: { 200: value } } },
    async (request) => dlp.tokens.reveal(actorOf(request), request.body),
  );
  server.post(
    '/api/v1/dlp/tokens/rotate',
    {
      config: { permission: 'dlp.reveal' },
      schema: { tags, body: z.strictObject({}), response: { 200: z.object({ id: z.string() }) } },
    },
    async (request) => dlp.tokens.rotate(actorOf(request)),
  );
}
