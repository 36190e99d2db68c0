import { appendAudit, type Clock, type Database, type Logger, type WorkflowDefinition } from '@cordon/kernel';
import type { Item, ItemOutcome } from './campaign.ts';
import {
  countItemAttempt,
  type ItemAct,
  loadCampaign,
  lockCampaign,
  settleItem,
  updateCampaign,
  waitingItems,
} from './campaign-store.ts';

/** What commands enqueue; the worker runs `createReviewWorkflow`. */
export const reviewWorkflow = { name: 'review.carry-out' } as const;

const ATTEMPTS_MAX = 4;
const PAUSE_MS = 500;
const SYSTEM = { kind: 'system', name: 'review' } as const;

/** How access is taken away; given by the composition root. */
export interface ReviewActPorts {
  /**
   * Takes one access away. May be called again with the same key: it must not do it twice.
   *
   * @throws when it can't be told whether it worked; it is tried again.
   */
  carryOut(item: Item, act: ItemAct['act'], idempotencyKey: string): Promise<ItemOutcome>;
}

export interface ReviewWorkflowDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: ReviewActPorts;
  /** Waits between attempts, milliseconds; a test passes its own. */
  readonly pause: (ms: number) => Promise<void>;
}

async function attempt(
  deps: ReviewWorkflowDeps,
  { item, act }: ItemAct,
): Promise<ItemOutcome | { state: 'failed'; detail: string }> {
  for (let tries = 1; ; tries += 1) {
    await countItemAttempt(deps.db, item.id);
    try {
      return await deps.ports.carryOut(item, act, `review:${item.id}`);
    } catch (error) {
      deps.logger.warn({ err: error, item: item.id, tries }, 'a decision of a review could not be carried out');
      if (tries >= ATTEMPTS_MAX)
        return { state: 'failed', detail: error instanceof Error ? error.message : String(error) };
      await deps.pause(PAUSE_MS * 2 ** tries);
    }
  }
}

/** Takes away what was decided, each access once, with its evidence; closes the campaign when nothing waits. */
export function createReviewWorkflow(deps: ReviewWorkflowDeps): WorkflowDefinition<{ readonly campaignId: string }> {
  const { db, clock } = deps;
  return {
    name: reviewWorkflow.name,
    async run({ campaignId }, steps) {
      await steps.step('carry out', async () => {
        for (const one of await waitingItems(db, campaignId)) {
          const outcome = await attempt(deps, one);
          const at = clock.now();
          await db.transaction(async (tx) => {
            // A crash right after the commit runs this step again: the trail holds each outcome once.
            if (!(await settleItem(tx, one.item.id, { ...outcome, at, from: ['waiting'] }))) return;
            await appendAudit(tx, {
              actor: SYSTEM,
              action: `review.item_${outcome.state}`,
              target: { type: 'review-item', id: one.item.id, name: one.item.name },
              detail: {
                campaign: campaignId,
                key: one.item.key,
                decided_by: one.item.decidedBy,
                outcome: outcome.detail,
              },
              at,
            });
          });
        }
      });
      await steps.step('close', () =>
        db.transaction(async (tx) => {
          const campaign = await lockCampaign(tx, campaignId);
          if (campaign.state !== 'closing' || campaign.counts.waiting > 0) return;
          const at = clock.now();
          await updateCampaign(tx, campaignId, { state: 'closed', closed_at: new Date(at) });
          const target = { type: 'review', id: campaignId, name: campaign.name };
          await appendAudit(tx, { actor: SYSTEM, action: 'review.closed', target, detail: { ...campaign.counts }, at });
        }),
      );
      return (await loadCampaign(db, campaignId)).state;
    },
  };
}
