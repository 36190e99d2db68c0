import { setTimeout } from 'node:timers/promises';
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

interface Reached {
  readonly reach: readonly GatewayReach[];
  /** Live gateways that have not reported the epoch. */
  readonly missing: readonly string[];
}

/** What commands enqueue; the worker runs `createCutOffWorkflow`. */
export const cutOffWorkflow = { name: 'estate.cut-off' } as const;

/**
 * Follows a cut-off until every live gateway reports that it applied it, or a minute has passed, then records how long
 * each took and which did not report. Gateways that
 * are gone refuse by themselves once their snapshot is stale, and load the newest one before they serve again.
 */
export function createCutOffWorkflow(deps: {
  readonly db: Database;
  readonly clock: Clock;
  /** Waits, milliseconds; a test passes its own. */
  readonly pause?: (ms: number) => Promise<void>;
}): WorkflowDefinition<CutOffInput> {
  const { db, clock, pause = (ms) => setTimeout(ms) } = deps;

  const reachOf = async (input: CutOffInput): Promise<Reached> => {
    const gateways = await listGateways(db, clock.now());
    const live = gateways.filter((gateway) => gateway.live);
    const reach = live
      .filter((gateway) => gateway.epoch >= input.epoch)
      .map(({ gatewayId, pid, appliedAt }) => ({
        id: gatewayId,
        pid,
        delayMs: Math.max(0, appliedAt - input.decidedAt),
      }));
    const missing = live.filter((gateway) => gateway.epoch < input.epoch).map(({ gatewayId }) => gatewayId);
    return { reach, missing };
  };

  /** What is written as proof must be true: a gateway that did not report in time is named, not counted in. */
  const record = async (input: CutOffInput, { reach, missing }: Reached): Promise<void> => {
    const at = clock.now();
    const isWhole = missing.length === 0;
    await db.transaction(async (tx) => {
      // A crash right after the commit runs this step again: the trail holds each outcome once.
      if (!(await saveReach(tx, input.cutOffId, reach, isWhole ? at : null))) return;
      await appendAudit(tx, {
        actor: { kind: 'system', name: 'cut-off' },
        action: isWhole ? 'integration.cut_off_reached' : 'integration.cut_off_unconfirmed',
        target: { type: 'integration', id: input.integration.id, name: input.integration.name },
        detail: { epoch: input.epoch, gateways: reach, ...(isWhole ? {} : { missing }) },
        at,
      });
    });
  };

  return {
    name: cutOffWorkflow.name,
    async run(input, steps) {
      const reached = await steps.step('wait for gateways', async () => {
        for (let waits = 0; ; waits++) {
          const found = await reachOf(input);
          if (found.missing.length === 0 || waits >= WAITS_MAX) return found;
          await pause(WAIT_MS);
        }
      });
      await steps.step('record', () => record(input, reached));
      return { gateways: reached.reach.length, missing: reached.missing.length };
    },
  };
}
