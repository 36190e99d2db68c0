import { appendAudit, type Clock, type Database, type Transaction, uuidv7, type WorkflowClient } from '@cordon/kernel';
import type { Campaign, Item } from './campaign.ts';
import {
  decideItem,
  listItems,
  liveCampaigns,
  loadCampaign,
  lockCampaign,
  remindedAt,
  updateCampaign,
} from './campaign-store.ts';
import type { ReviewPorts } from './ports.ts';
import { reviewWorkflow } from './review-workflow.ts';

const SYSTEM = { kind: 'system', name: 'review' } as const;

/** Begins to close when every item is decided; true when this call did. */
export async function closeIfDecided(tx: Transaction, campaignId: string, now: number): Promise<boolean> {
  const campaign = await loadCampaign(tx, campaignId);
  if (campaign.counts.open > 0 || campaign.state === 'closing' || campaign.state === 'closed') return false;
  await updateCampaign(tx, campaignId, {
    state: 'closing',
    noticed_at: campaign.noticedAt === null ? new Date(now) : new Date(campaign.noticedAt),
  });
  return true;
}

/** What is due for a campaign: nothing, a reminder, the notice, or its end. */
export function dueOf(
  campaign: Pick<Campaign, 'state' | 'dueAt' | 'noticeMs' | 'remindMs' | 'noticedAt'>,
  reminded: number,
  now: number,
): 'nothing' | 'remind' | 'notice' | 'close' {
  if (campaign.state === 'open' && now >= campaign.dueAt - campaign.noticeMs) return 'notice';
  // Told late, it ends late: nobody loses access without the notice that was promised.
  if (campaign.state === 'noticed' && now >= campaign.dueAt && now >= (campaign.noticedAt ?? now) + campaign.noticeMs)
    return 'close';
  const isLive = campaign.state === 'open' || campaign.state === 'noticed';
  return isLive && now - reminded >= campaign.remindMs ? 'remind' : 'nothing';
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Moves campaigns on as time passes: reminders, notice, the end. Safe to call as often as one likes. */
export async function advanceCampaigns(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly mail: ReviewPorts['mail'];
}): Promise<number> {
  const { db, clock, workflows, mail } = deps;

  const tell = async (
    tx: Transaction,
    campaign: Campaign,
    items: readonly Item[],
    subject: (count: number) => string,
    text: string,
  ) => {
    for (const [to, theirs] of Map.groupBy(items, ({ reviewer }) => reviewer.email ?? '')) {
      if (to !== '') await mail(tx, { to, subject: subject(theirs.length), text, path: `/reviews/${campaign.id}` });
    }
  };

  const advance = (id: string): Promise<boolean> =>
    db.transaction(async (tx) => {
      const campaign = await lockCampaign(tx, id);
      const now = clock.now();
      const due = dueOf(campaign, (await remindedAt(tx, id)) ?? campaign.createdAt, now);
      if (due === 'nothing') return false;
      const open = (await listItems(tx, id)).filter(({ state }) => state === 'open');
      const target = { type: 'review', id, name: campaign.name };
      const end = campaign.onUndecided === 'revoke' ? 'taken away' : 'kept';
      if (due === 'remind') {
        await updateCampaign(tx, id, { reminded_at: new Date(now) });
        await tell(
          tx,
          campaign,
          open,
          (count) => `${count} accesses still wait for your review`,
          `${campaign.name} ends on ${dayOf(campaign.dueAt)}.`,
        );
        return true;
      }
      if (due === 'notice') {
        await updateCampaign(tx, id, { state: 'noticed', noticed_at: new Date(now), reminded_at: new Date(now) });
        const at = dayOf(Math.max(campaign.dueAt, now + campaign.noticeMs));
        await tell(
          tx,
          campaign,
          open,
          (count) => `Notice: ${count} accesses are ${end} on ${at}`,
          `What nobody decides about in ${campaign.name} is ${end} on ${at}.`,
        );
        await appendAudit(tx, {
          actor: SYSTEM,
          action: 'review.noticed',
          target,
          detail: { open: open.length, undecided: campaign.onUndecided },
          at: now,
        });
        return true;
      }
      const reason = `Nobody decided by ${dayOf(campaign.dueAt)}, after notice on ${dayOf(campaign.noticedAt ?? now)}`;
      const decision = campaign.onUndecided;
      for (const item of open) await decideItem(tx, item.id, { decision, reason, by: 'policy of the review', at: now });
      await updateCampaign(tx, id, { state: 'closing' });
      await appendAudit(tx, {
        actor: SYSTEM,
        action: 'review.ended',
        target,
        detail: { undecided: open.length, decision },
        at: now,
      });
      await workflows.enqueue(tx, reviewWorkflow, `review:${id}:${uuidv7(now)}`, { campaignId: id });
      return true;
    });

  let moved = 0;
  for (const id of await liveCampaigns(db, ['open', 'noticed'])) if (await advance(id)) moved += 1;
  return moved;
}
