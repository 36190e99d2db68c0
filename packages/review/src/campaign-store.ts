import type { Queryable, Transaction } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import {
  type Campaign,
  type CampaignState,
  type Candidate,
  evidenceSchema,
  type Item,
  ITEM_STATES,
  type ItemOutcome,
  ITEMS_MAX,
  type ItemState,
  type Reviewer,
  scopeInput,
} from './campaign.ts';
import { CampaignUnknown } from './errors.ts';
import { type ReviewTables, tablesOf } from './tables.ts';

const CAMPAIGNS_MAX = 200;
const CHUNK_MAX = 500;
const DETAIL_CHARS_MAX = 2_000;
const actSchema = z.record(z.string(), z.unknown());

type CampaignRow = Selectable<ReviewTables['review_campaign']>;
type ItemRow = Selectable<ReviewTables['review_item']>;

export async function insertCampaign(tx: Transaction, row: CampaignRow): Promise<void> {
  await tablesOf(tx)
    .insertInto('review_campaign')
    .values({ ...row, scope: JSON.stringify(row.scope) })
    .execute();
}

export async function insertItems(
  tx: Transaction,
  campaignId: string,
  items: readonly { readonly id: string; readonly candidate: Candidate; readonly reviewer: Reviewer }[],
): Promise<void> {
  for (let start = 0; start < items.length; start += CHUNK_MAX) {
    const rows = items.slice(start, start + CHUNK_MAX).map(({ id, candidate, reviewer }) => ({
      id,
      campaign_id: campaignId,
      key: candidate.key,
      kind: candidate.kind,
      name: candidate.name,
      app: candidate.app,
      holder: candidate.holder,
      evidence: JSON.stringify(candidate.evidence),
      act: candidate.act === null ? null : JSON.stringify(candidate.act),
      task: candidate.task,
      reviewer_id: reviewer.id,
      reviewer_name: reviewer.name,
      reviewer_email: reviewer.email,
      delegated_by: null,
      decision: null,
      reason: null,
      decided_by: null,
      decided_at: null,
      status: 'open' as const,
      detail: null,
      attempts: 0,
      settled_at: null,
    }));
    await tablesOf(tx).insertInto('review_item').values(rows).execute();
  }
}

function toItem(row: ItemRow): Item {
  return {
    id: row.id,
    campaignId: row.campaign_id,
    key: row.key,
    kind: row.kind,
    name: row.name,
    app: row.app,
    holder: row.holder,
    evidence: evidenceSchema.parse(row.evidence),
    canRevoke: row.act !== null,
    reviewer: { id: row.reviewer_id, name: row.reviewer_name, email: row.reviewer_email },
    delegatedBy: row.delegated_by,
    decision: row.decision,
    reason: row.reason,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at?.getTime() ?? null,
    state: row.status,
    detail: row.detail,
    settledAt: row.settled_at?.getTime() ?? null,
  };
}

async function withCounts(db: Queryable, rows: readonly CampaignRow[]): Promise<Campaign[]> {
  if (rows.length === 0) return [];
  const counted = await tablesOf(db)
    .selectFrom('review_item')
    .select(['campaign_id', 'status', (of) => of.fn.countAll<number>().as('count')])
    .where(
      'campaign_id',
      'in',
      rows.map(({ id }) => id),
    )
    .groupBy(['campaign_id', 'status'])
    .execute();
  return rows.map((row) => {
    const counts = Object.fromEntries(ITEM_STATES.map((state) => [state, 0])) as Record<ItemState, number>; // all states
    for (const { campaign_id, status, count } of counted) if (campaign_id === row.id) counts[status] = count;
    return {
      id: row.id,
      name: row.name,
      scope: scopeInput.parse(row.scope),
      onUndecided: row.on_undecided,
      state: row.state,
      dueAt: row.due_at.getTime(),
      noticeMs: row.notice_ms,
      remindMs: row.remind_ms,
      noticedAt: row.noticed_at?.getTime() ?? null,
      createdBy: row.created_by,
      createdAt: row.created_at.getTime(),
      closedAt: row.closed_at?.getTime() ?? null,
      counts,
    };
  });
}

/** Newest first; `reviewer`: only those in which that person has items. */
export async function listCampaigns(db: Queryable, reviewer?: string): Promise<Campaign[]> {
  let query = tablesOf(db).selectFrom('review_campaign').selectAll().orderBy('created_at', 'desc').limit(CAMPAIGNS_MAX);
  if (reviewer !== undefined) {
    query = query.where(
      sql<boolean>`exists (select 1 from review_item i where i.campaign_id = review_campaign.id and i.reviewer_id = ${reviewer})`,
    );
  }
  return withCounts(db, await query.execute());
}

export async function loadCampaign(db: Queryable, id: string): Promise<Campaign> {
  const row = await tablesOf(db).selectFrom('review_campaign').selectAll().where('id', '=', id).executeTakeFirst();
  const [campaign] = row ? await withCounts(db, [row]) : [];
  if (!campaign) throw new CampaignUnknown('There is no such review.', { campaign: id });
  return campaign;
}

export async function lockCampaign(tx: Transaction, id: string): Promise<Campaign> {
  await tablesOf(tx).selectFrom('review_campaign').select('id').where('id', '=', id).forUpdate().execute();
  return loadCampaign(tx, id);
}

/** Riskiest first; `reviewer`: only that person's. */
export async function listItems(db: Queryable, campaignId: string, reviewer?: string): Promise<Item[]> {
  let query = tablesOf(db)
    .selectFrom('review_item')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .orderBy(sql`(evidence->>'risk')::int`, 'desc')
    .orderBy('key')
    .limit(ITEMS_MAX);
  if (reviewer !== undefined) query = query.where('reviewer_id', '=', reviewer);
  return (await query.execute()).map(toItem);
}

export interface ItemAct {
  readonly item: Item;
  readonly act: Readonly<Record<string, unknown>>;
}

/** Those that wait to be taken away, with what is needed for it. */
export async function waitingItems(db: Queryable, campaignId: string): Promise<ItemAct[]> {
  const rows = await tablesOf(db)
    .selectFrom('review_item')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'waiting')
    .orderBy('key')
    .limit(ITEMS_MAX)
    .execute();
  return rows.map((row) => ({ item: toItem(row), act: actSchema.parse(row.act) }));
}

/** False when it was decided already. What nothing but a person can take away becomes a task. */
export async function decideItem(
  tx: Transaction,
  id: string,
  end: { readonly decision: 'keep' | 'revoke'; readonly reason: string; readonly by: string; readonly at: number },
): Promise<boolean> {
  const at = new Date(end.at);
  const status =
    end.decision === 'keep'
      ? sql<ItemState>`'kept'`
      : sql<ItemState>`case when act is null then 'task' else 'waiting' end`;
  const result = await tablesOf(tx)
    .updateTable('review_item')
    .set({
      decision: end.decision,
      reason: end.reason,
      decided_by: end.by,
      decided_at: at,
      status,
      detail: end.decision === 'keep' ? null : sql<string | null>`case when act is null then task else null end`,
      settled_at: end.decision === 'keep' ? at : null,
    })
    .where('id', '=', id)
    .where('status', '=', 'open')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function delegateItem(tx: Transaction, id: string, to: Reviewer, by: string): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('review_item')
    .set({ reviewer_id: to.id, reviewer_name: to.name, reviewer_email: to.email, delegated_by: by })
    .where('id', '=', id)
    .where('status', '=', 'open')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function countItemAttempt(db: Queryable, id: string): Promise<void> {
  await tablesOf(db)
    .updateTable('review_item')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** False when it was settled already. */
export async function settleItem(
  tx: Transaction,
  id: string,
  end: {
    readonly state: ItemOutcome['state'] | 'failed' | 'waiting';
    readonly detail: string;
    readonly at: number;
    readonly from: readonly ItemState[];
  },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('review_item')
    .set({ status: end.state, detail: end.detail.slice(0, DETAIL_CHARS_MAX), settled_at: new Date(end.at) })
    .where('id', '=', id)
    .where('status', 'in', [...end.from])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function updateCampaign(
  tx: Transaction,
  id: string,
  change: Partial<Pick<CampaignRow, 'state' | 'noticed_at' | 'reminded_at' | 'closed_at'>>,
): Promise<void> {
  await tablesOf(tx).updateTable('review_campaign').set(change).where('id', '=', id).execute();
}

/** Ids of campaigns in these states. */
export async function liveCampaigns(db: Queryable, states: readonly CampaignState[]): Promise<string[]> {
  const rows = await tablesOf(db)
    .selectFrom('review_campaign')
    .select('id')
    .where('state', 'in', [...states])
    .orderBy('due_at')
    .limit(CAMPAIGNS_MAX)
    .execute();
  return rows.map(({ id }) => id);
}

export async function remindedAt(db: Queryable, id: string): Promise<number | null> {
  const row = await tablesOf(db)
    .selectFrom('review_campaign')
    .select('reminded_at')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.reminded_at?.getTime() ?? null;
}
