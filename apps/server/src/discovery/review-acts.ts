import { type Estate, listGrants, loadIntegration } from '@cordon/estate';
import type { Actor, Database } from '@cordon/kernel';
import type { ItemOutcome, ReviewActPorts } from '@cordon/review';
import { z } from 'zod';
import type { ActionRunner } from '@cordon/connectors';
import { runToolAction } from './act-ports.ts';

const ACTOR: Actor = { kind: 'system', name: 'review' };
const actSchema = z.discriminatedUnion('act', [
  z.object({ act: z.literal('remove_grant'), grantId: z.string(), integrationId: z.string() }),
  z.object({ act: z.literal('revoke_integration'), integrationId: z.string() }),
  z.object({
    act: z.literal('connector_action'),
    connectionId: z.string(),
    action: z.string(),
    values: z.record(z.string(), z.string()),
  }),
]);

/** Takes away what a review decided: by the estate's own cut-off, or by an action of the tool's connector. */
export function createReviewActs(deps: {
  readonly db: Database;
  readonly estate: Pick<Estate, 'grants' | 'integrations'>;
  readonly actions: ActionRunner;
}): ReviewActPorts {
  const { db, estate, actions } = deps;
  return {
    async carryOut(item, raw, idempotencyKey): Promise<ItemOutcome> {
      const act = actSchema.parse(raw);
      if (act.act === 'connector_action') return runToolAction({ db, actions }, act, idempotencyKey);
      if (act.act === 'remove_grant') {
        // After a crash it may be gone already: that is what was asked for.
        const grant = (await listGrants(db, { integrationId: act.integrationId })).find(({ id }) => id === act.grantId);
        if (!grant) return { state: 'nothing', detail: 'The grant is gone already.' };
        await estate.grants.remove(ACTOR, act.grantId);
        return { state: 'done', detail: `The grant ${grant.name} is removed; gateways refuse from its commit on.` };
      }
      const { status } = await loadIntegration(db, act.integrationId);
      if (status === 'revoked') return { state: 'nothing', detail: 'The integration is revoked already.' };
      const { cutOffId } = await estate.integrations.revoke(
        ACTOR,
        act.integrationId,
        `Review: ${item.reason ?? 'not needed'}`,
      );
      return { state: 'done', detail: `Revoked; cut-off ${cutOffId} follows it to every gateway.` };
    },
  };
}
