import { approvedCall } from '@cordon/policy';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull } from '../schemas.ts';
import { type Approval, stateOf } from './approval.ts';

const tags = ['approvals'];
const params = z.object({ id: z.uuid() });

const approvalResponse = z
  .object({
    id: z.string(),
    clientId: z.string(),
    integration: z.object({ id: z.string(), name: z.string(), ownerId: z.string() }),
    /** `approvers`, or the id of the person who was asked. */
    asked: z.string(),
    call: approvedCall,
    message: z.string().nullable(),
    state: z.enum(['pending', 'approved', 'denied', 'expired', 'used']),
    decidedBy: z.object({ id: z.string(), name: z.string() }).nullable(),
    decidedAt: z.string().nullable(),
    reason: z.string().nullable(),
    createdAt: z.string(),
    expiresAt: z.string(),
    tokenAt: z.string().nullable(),
    uses: z.int(),
    usesMax: z.int(),
    lastUsedAt: z.string().nullable(),
    /** Whether the one who asks for this answer may decide. */
    decidable: z.boolean(),
  })
  .meta({ id: 'Approval' });

function show(approval: Approval, now: number, actorId: string, mayDecide: boolean): z.output<typeof approvalResponse> {
  const { status: _, ...rest } = approval;
  const state = stateOf(approval, now);
  const own = approval.integration.ownerId === actorId;
  const asked = approval.asked === 'approvers' || approval.asked === actorId;
  return {
    ...rest,
    state,
    decidedAt: isoTimeOrNull(approval.decidedAt),
    createdAt: isoTime(approval.createdAt),
    expiresAt: isoTime(approval.expiresAt),
    tokenAt: isoTimeOrNull(approval.tokenAt),
    lastUsedAt: isoTimeOrNull(approval.lastUsedAt),
    decidable: state === 'pending' && mayDecide && !own && asked,
  };
}

/** What integrations ask a second person to approve, and the decisions. */
export function approvalRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { approvals, clock } = identity;
  return async (app) => {
    app.get(
      '/api/v1/approvals',
      {
        config: { permission: 'approval.read' },
        schema: {
          tags,
          summary: 'Calls that integrations asked to have approved, newest first',
          querystring: z.object({ before: z.uuid().optional() }),
          response: { 200: z.object({ items: z.array(approvalResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const items = await approvals.list(actor, request.query.before);
        const mayDecide = identity.mayDecide(actor);
        return { items: items.map((one) => show(one, clock.now(), actor.id, mayDecide)) };
      },
    );
    app.get(
      '/api/v1/approvals/:id',
      {
        config: { permission: 'approval.read' },
        schema: { tags, summary: 'One request for approval', params, response: { 200: approvalResponse } },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const found = await approvals.get(actor, request.params.id);
        return show(found, clock.now(), actor.id, identity.mayDecide(actor));
      },
    );
    for (const [verb, verdict] of [
      ['approve', 'approved'],
      ['deny', 'denied'],
    ] as const) {
      app.post(
        `/api/v1/approvals/:id/${verb}`,
        {
          config: { permission: 'approval.decide' },
          schema: {
            tags,
            summary: `${verb === 'approve' ? 'Approve' : 'Deny'} a call, with a passkey shown just now`,
            params,
            body: z.strictObject({ reason: z.string().trim().min(3).max(2_000) }),
            response: { 200: approvalResponse },
          },
        },
        async (request) => {
          const principal = await principalOf(identity, request);
          const decided = await approvals.decide(principal, request.params.id, verdict, request.body.reason);
          return show(decided, clock.now(), principal.actor.id, true);
        },
      );
    }
  };
}
