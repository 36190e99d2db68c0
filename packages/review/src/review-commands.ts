import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  isAllowed,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import {
  type Campaign,
  type CampaignInput,
  campaignInput,
  type Candidate,
  checkTimes,
  IDS_MAX,
  inScope,
  type Item,
  ITEMS_MAX,
  personInput,
  type Scope,
  scopeInput,
  toCsv,
} from './campaign.ts';
import {
  decideItem,
  delegateItem,
  insertCampaign,
  insertItems,
  listCampaigns,
  listItems,
  loadCampaign,
  lockCampaign,
  settleItem,
} from './campaign-store.ts';
import { NotReviewer, ReviewConflict, ReviewInputInvalid } from './errors.ts';
import { closeIfDecided } from './advance.ts';
import type { ReviewPorts } from './ports.ts';
import { reviewWorkflow } from './review-workflow.ts';

const ids = z.array(z.uuid()).min(1).max(IDS_MAX);
const text = z.string().trim().min(3).max(1_000);
const decisionInput = z.strictObject({ items: ids, decision: z.enum(['keep', 'revoke']), reason: text });
const delegationInput = z.strictObject({ items: ids, to: personInput, reason: text });

export interface ReviewCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly ports: ReviewPorts;
}

const parse = <T extends z.ZodType>(schema: T, raw: unknown): z.output<T> => {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw new ReviewInputInvalid(z.prettifyError(result.error));
};

const idOf = (actor: Actor): string => (actor.kind === 'system' ? '' : actor.id);
/** Whose items somebody may see: all with `review.read`, else their own. */
const visibleTo = (actor: Actor): string | undefined => (isAllowed(actor, 'review.read') ? undefined : idOf(actor));
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Campaigns, decisions, delegation. Who decides is the reviewer of the item, and nobody reviews their own access. */
export function createReviewCommands({ db, clock, workflows, ports }: ReviewCommandDeps) {
  const gather = async (scope: Scope): Promise<Candidate[]> => {
    const found = (await ports.gather()).filter((candidate) => inScope(scope, candidate));
    if (found.length > ITEMS_MAX)
      throw new ReviewInputInvalid(`A review has ${ITEMS_MAX} items at most; this one would have ${found.length}.`);
    return found;
  };

  const enqueue = (tx: Transaction, campaignId: string) =>
    workflows.enqueue(tx, reviewWorkflow, `review:${campaignId}:${uuidv7(clock.now())}`, { campaignId });

  /** The open items that the actor reviews; owners and security may stand in for any reviewer but for themselves. */
  const ownItems = async (
    tx: Transaction,
    actor: Actor,
    campaignId: string,
    wanted: readonly string[],
  ): Promise<Item[]> => {
    const campaign = await lockCampaign(tx, campaignId);
    if (campaign.state === 'closing' || campaign.state === 'closed') throw new ReviewConflict('This review is over.');
    const all = new Map((await listItems(tx, campaignId)).map((item) => [item.id, item]));
    return wanted.map((id) => {
      const item = all.get(id);
      const isTheirs = item?.reviewer.id === idOf(actor) || isAllowed(actor, 'review.write');
      if (!item || !isTheirs) throw new NotReviewer('You do not review this item.', { item: id });
      if (item.state !== 'open') throw new ReviewConflict(`${item.name} was decided already.`, { item: id });
      return item;
    });
  };

  return {
    /** What a campaign would hold; changes nothing. */
    async preview(actor: Actor, raw: unknown): Promise<readonly Candidate[]> {
      authorize(actor, 'review.write');
      return gather(parse(scopeInput, raw));
    },

    /** Begins: items are gathered with their evidence, reviewers are told. */
    async create(actor: Actor, raw: CampaignInput): Promise<Campaign> {
      authorize(actor, 'review.write');
      const input = parse(campaignInput, raw);
      const at = clock.now();
      const wrong = checkTimes(input, at);
      if (wrong !== null) throw new ReviewInputInvalid(wrong);
      const found = await gather(input.scope);
      if (found.length === 0) throw new ReviewInputInvalid('There is nothing to review in this scope.');
      const items = found.map((candidate) => ({
        id: uuidv7(at),
        candidate,
        reviewer: candidate.owner ?? input.fallback,
      }));
      const id = uuidv7(at);
      return db.transaction(async (tx) => {
        await insertCampaign(tx, {
          id,
          name: input.name,
          scope: input.scope,
          on_undecided: input.onUndecided,
          state: 'open',
          due_at: new Date(input.dueAt),
          notice_ms: input.noticeMs,
          remind_ms: input.remindMs,
          noticed_at: null,
          reminded_at: new Date(at),
          created_by: describeActor(actor).name,
          created_at: new Date(at),
          closed_at: null,
        });
        await insertItems(tx, id, items);
        const byReviewer = Map.groupBy(items, ({ reviewer }) => reviewer.email ?? '');
        for (const [to, theirs] of byReviewer) {
          if (to === '') continue;
          await ports.mail(tx, {
            to,
            subject: `Please review ${theirs.length} accesses by ${dayOf(input.dueAt)}`,
            text: `${input.name}: ${theirs.length} accesses that you answer for are reviewed. Say of each whether it stays.`,
            path: `/reviews/${id}`,
          });
        }
        const detail = {
          scope: input.scope,
          items: items.length,
          due: dayOf(input.dueAt),
          undecided: input.onUndecided,
        };
        await appendAudit(tx, {
          actor,
          action: 'review.created',
          target: { type: 'review', id, name: input.name },
          detail,
          at,
        });
        return loadCampaign(tx, id);
      });
    },

    list: (actor: Actor): Promise<Campaign[]> => {
      authorize(actor, 'review.decide');
      return listCampaigns(db, visibleTo(actor));
    },

    async show(actor: Actor, id: string): Promise<{ campaign: Campaign; items: Item[] }> {
      authorize(actor, 'review.decide');
      const campaign = await loadCampaign(db, id);
      const items = await listItems(db, id, visibleTo(actor));
      if (items.length === 0 && visibleTo(actor) !== undefined)
        throw new NotReviewer('You review nothing here.', { campaign: id });
      return { campaign, items };
    },

    /** Decides on items. What is revoked is taken away at once by a durable workflow, not at the end. */
    async decide(actor: Actor, campaignId: string, raw: z.input<typeof decisionInput>): Promise<Campaign> {
      authorize(actor, 'review.decide');
      const { items: wanted, decision, reason } = parse(decisionInput, raw);
      const at = clock.now();
      return db.transaction(async (tx) => {
        const by = describeActor(actor).name;
        for (const item of await ownItems(tx, actor, campaignId, wanted)) {
          if (
            decision === 'keep' &&
            item.kind === 'account' &&
            item.reviewer.id === idOf(actor) &&
            item.holder === by
          ) {
            throw new NotReviewer('Nobody reviews their own access: delegate it.', { item: item.id });
          }
          await decideItem(tx, item.id, { decision, reason, by, at });
          const target = { type: 'review-item', id: item.id, name: item.name };
          const detail = { campaign: campaignId, key: item.key, decision, reason, seen: item.evidence };
          await appendAudit(tx, { actor, action: 'review.decided', target, detail, at });
        }
        const closed = await closeIfDecided(tx, campaignId, clock.now());
        if (decision === 'revoke' || closed) await enqueue(tx, campaignId);
        return loadCampaign(tx, campaignId);
      });
    },

    /** Hands items to somebody who knows better. */
    async delegate(actor: Actor, campaignId: string, raw: z.input<typeof delegationInput>): Promise<void> {
      authorize(actor, 'review.decide');
      const { items: wanted, to, reason } = parse(delegationInput, raw);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const by = describeActor(actor).name;
        const items = await ownItems(tx, actor, campaignId, wanted);
        for (const item of items) {
          await delegateItem(tx, item.id, to, by);
          const target = { type: 'review-item', id: item.id, name: item.name };
          await appendAudit(tx, {
            actor,
            action: 'review.delegated',
            target,
            detail: { campaign: campaignId, to: to.name, reason },
            at,
          });
        }
        if (to.email !== null) {
          await ports.mail(tx, {
            to: to.email,
            subject: `${by} asks you to review ${items.length} accesses`,
            text: `${by} says: ${reason}`,
            path: `/reviews/${campaignId}`,
          });
        }
      });
    },

    /** A person took away what only a person can, or a failed act is tried again (`retry`). */
    async settle(
      actor: Actor,
      campaignId: string,
      itemId: string,
      raw: { how: 'done' | 'retry'; note: string },
    ): Promise<void> {
      authorize(actor, 'review.write');
      const detail = parse(text, raw.note);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const item = (await listItems(tx, campaignId)).find(({ id }) => id === itemId);
        if (!item) throw new NotReviewer('There is no such item.', { item: itemId });
        const end =
          raw.how === 'done'
            ? ({ state: 'done', from: ['task', 'failed'] } as const)
            : ({ state: 'waiting', from: ['failed'] } as const);
        if (!(await settleItem(tx, itemId, { ...end, detail, at })))
          throw new ReviewConflict('There is nothing open to settle.');
        const target = { type: 'review-item', id: itemId, name: item.name };
        await appendAudit(tx, {
          actor,
          action: `review.item_${raw.how}`,
          target,
          detail: { campaign: campaignId, note: detail },
          at,
        });
        if (raw.how === 'retry') await enqueue(tx, campaignId);
      });
    },

    /** For auditors: every item with what was seen, decided and done. */
    async csv(actor: Actor, id: string): Promise<string> {
      authorize(actor, 'review.read');
      return toCsv(await loadCampaign(db, id), await listItems(db, id));
    },
  };
}
export type ReviewCommands = ReturnType<typeof createReviewCommands>;
