import { appendAudit, type Clock, type Database, type WorkflowDefinition } from '@cordon/kernel';
import { type GatewayReach, saveReach } from './cut-off-store.ts';
import { listGateways } from './gateway-status.ts';

const WAIT_MS = 100;
const WAITS_MAX = 600;

export interface CutOffInput {
  readonly cutOffId: string;
  readonly epoch: number;
  readonly decidedAt: number;
  readonly integration: { readonly id: string; readonly name: string };
}

/** What commands enqueue; the worker runs `createCutOffWorkflow`. */
export const cutOffWorkflow = { name: 'estate.cut-off' } as const;

/**
 * Follows a cut-off until every live gateway reports that it applied it, then records how long each took. Gateways that
 * are gone refuse by themselves once their snapshot is stale, and load the newest one before they serve again.
 */
export function createCutOffWorkflow(deps: {
  readonly db: Database;
  readonly clock: Clock;
}): WorkflowDefinition<CutOffInput> {
  const { db, clock } = deps;

  const reachOf = async (input: CutOffInput): Promise<{ reach: GatewayReach[]; waiting: number }> => {
    const gateways = await listGateways(db, clock.now());
    const live = gateways.filter((gateway) => gateway.live);
    const reach = live
      .filter((gateway) => gateway.epoch >= input.epoch)
      .map(({ gatewayId, pid, appliedAt }) => ({
        id: gatewayId,
        pid,
        delayMs: Math.max(0, appliedAt - input.decidedAt),
      }));
    return { reach, waiting: live.length - reach.length };
  };

  return {
    name: cutOffWorkflow.name,
    async run(input, steps) {
      const reach = await steps.step('wait for gateways', async () => {
        for (let waits = 0; ; waits++) {
          const { reach, waiting } = await reachOf(input);
          if (waiting === 0 || waits >= WAITS_MAX) return reach;
          const { promise, resolve } = Promise.withResolvers<void>();
          setTimeout(resolve, WAIT_MS);
          await promise;
        }
      });
      await steps.step('record', async () => {
        const at = clock.now();
        await db.transaction(async (tx) => {
          await saveReach(tx, input.cutOffId, reach, at);
          await appendAudit(tx, {
            actor: { kind: 'system', name: 'cut-off' },
            action: 'integration.cut_off_reached',
            target: { type: 'integration', id: input.integration.id, name: input.integration.name },
            detail: { epoch: input.epoch, gateways: reach },
            at,
          });
        });
      });
      return { gateways: reach.length };
    },
  };
}
