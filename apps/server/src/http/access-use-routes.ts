import { type AccessCommands, listAccessChanges, whatIfInput } from '@cordon/estate';
import type { Database } from '@cordon/kernel';
import { grantSelector } from '@cordon/policy';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface AccessUseRouteDeps {
  readonly db: Database;
  readonly access: AccessCommands;
}

const tags = ['access'];
const select = z.array(grantSelector).readonly();
const calls = z.int().nullable();

const useBody = z.object({
  operations: z
    .array(
      z.object({
        appId: z.string(),
        operation: z.string(),
        access: z.enum(['read', 'write', 'unknown']),
        grants: z.array(z.string()).readonly(),
        calls: z.object({ d30: calls, d90: calls, d180: calls }),
        refused: z.int(),
        lastAt: z.int().nullable(),
        days: z.int(),
      }),
    )
    .readonly(),
  granted: z.int(),
  used: z.int(),
  observedSince: z.number().nullable(),
  observedDays: z.int(),
});

const windowDays = z.union([z.literal(30), z.literal(90), z.literal(180)]);
const proposalBody = z.object({
  integrationId: z.string(),
  windowDays,
  withMargin: z.boolean(),
  observedDays: z.int(),
  grants: z
    .array(
      z.object({
        grantId: z.string(),
        name: z.string(),
        appId: z.string(),
        change: z.enum(['keep', 'narrow', 'remove']),
        before: select,
        after: select,
        used: z.array(z.string()).readonly(),
        margin: z.array(z.string()).readonly(),
        dropped: z.array(z.string()).readonly(),
      }),
    )
    .readonly(),
  notes: z.array(z.string()).readonly(),
  digest: z.string(),
});

const replayBody = z.object({
  from: z.int(),
  to: z.int(),
  groups: z.int(),
  calls: z.int(),
  left: z.int(),
  leftBecause: z.array(z.string()).readonly(),
  wouldBreak: z.int(),
  wouldOpen: z.int(),
  changedSince: z.int(),
  changes: z
    .array(
      z.object({
        integrationId: z.string(),
        appId: z.string(),
        operation: z.string(),
        effect: z.enum(['break', 'open']),
        by: z.enum(['authorization', 'inspection', 'limit']),
        calls: z.int(),
        firstAt: z.int(),
        lastAt: z.int(),
        explanation: z.string(),
      }),
    )
    .readonly(),
});

const changeBody = z.object({
  id: z.string(),
  integrationId: z.string(),
  proposal: proposalBody,
  createdAt: z.int(),
  createdBy: z.string(),
  undoneAt: z.int().nullable(),
  undoneBy: z.string().nullable(),
});

const choice = z.object({
  windowDays: z.coerce.number().pipe(windowDays).default(90),
  margin: z.enum(['yes', 'no']).default('yes'),
});

/** Granted against used, proposals, and what-if on recorded traffic. */
export function addAccessUseRoutes(server: ApiServer, { db, access }: AccessUseRouteDeps): void {
  server.get(
    '/api/v1/integrations/:id/access',
    { config: { permission: 'access.read' }, schema: { tags, params: idParameter, response: { 200: useBody } } },
    async (request) => access.used(actorOf(request), request.params.id),
  );
  server.get(
    '/api/v1/integrations/:id/access/proposal',
    {
      config: { permission: 'access.read' },
      schema: {
        tags,
        params: idParameter,
        querystring: choice,
        response: { 200: z.object({ proposal: proposalBody, replay: replayBody }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { windowDays: days, margin } = request.query;
      const options = { windowDays: days, withMargin: margin === 'yes' };
      const proposal = await access.propose(actor, request.params.id, options);
      return { proposal, replay: await access.whatIfProposed(actor, proposal) };
    },
  );
  server.post(
    '/api/v1/integrations/:id/access/apply',
    {
      config: { permission: 'access.apply' },
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ windowDays, withMargin: z.boolean(), digest: z.string().length(64) }),
        response: { 200: changeBody },
      },
    },
    async (request) => access.apply(actorOf(request), request.params.id, request.body),
  );
  server.get(
    '/api/v1/integrations/:id/access/changes',
    {
      config: { permission: 'access.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(changeBody) }) } },
    },
    async (request) => ({ items: await listAccessChanges(db, request.params.id) }),
  );
  server.post(
    '/api/v1/access/changes/:id/undo',
    { config: { permission: 'access.apply' }, schema: { tags, params: idParameter, response: { 200: changeBody } } },
    async (request) => access.undo(actorOf(request), request.params.id),
  );
  server.post(
    '/api/v1/access/what-if',
    {
      config: { permission: 'access.read' },
      schema: { tags, body: whatIfInput, response: { 200: replayBody } },
    },
    async (request) => access.whatIf(actorOf(request), request.body),
  );
}
