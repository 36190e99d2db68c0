import type { Queryable } from '@cordon/kernel';
import type { Kysely } from 'kysely';
import type { CampaignState, ItemKind, ItemState } from './campaign.ts';

export interface ReviewTables {
  review_campaign: {
    id: string;
    name: string;
    scope: unknown;
    on_undecided: 'revoke' | 'keep';
    state: CampaignState;
    due_at: Date;
    notice_ms: number;
    remind_ms: number;
    noticed_at: Date | null;
    reminded_at: Date | null;
    created_by: string;
    created_at: Date;
    closed_at: Date | null;
  };
  review_item: {
    id: string;
    campaign_id: string;
    key: string;
    kind: ItemKind;
    name: string;
    app: string;
    holder: string;
    evidence: unknown;
    act: unknown;
    task: string | null;
    reviewer_id: string;
    reviewer_name: string;
    reviewer_email: string | null;
    delegated_by: string | null;
    decision: 'keep' | 'revoke' | null;
    reason: string | null;
    decided_by: string | null;
    decided_at: Date | null;
    status: ItemState;
    detail: string | null;
    attempts: number;
    settled_at: Date | null;
  };
}

export const tablesOf = (db: Queryable): Kysely<ReviewTables> => db.tables<ReviewTables>();
