-- Access reviews: who may go on using what, decided by those who answer for it, with the evidence they saw.
create table review_campaign (
  id uuid primary key,
  name text not null,
  scope jsonb not null,
  on_undecided text not null check (on_undecided in ('revoke', 'keep')),
  state text not null check (state in ('open', 'noticed', 'closing', 'closed')),
  due_at timestamptz not null,
  -- How long before anything is taken away its reviewers are told.
  notice_ms bigint not null,
  remind_ms bigint not null,
  noticed_at timestamptz,
  reminded_at timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  closed_at timestamptz
);
create index review_campaign_live on review_campaign (due_at) where state <> 'closed';

create table review_item (
  id uuid primary key,
  campaign_id uuid not null references review_campaign (id) on delete cascade,
  -- What and where, the same in each campaign.
  key text not null,
  kind text not null,
  name text not null,
  app text not null,
  holder text not null,
  -- As it was when the campaign began: what the decision was made on.
  evidence jsonb not null,
  -- What taking it away needs; null: only a person can.
  act jsonb,
  task text,
  reviewer_id text not null,
  reviewer_name text not null,
  reviewer_email text,
  delegated_by text,
  decision text check (decision in ('keep', 'revoke')),
  reason text,
  decided_by text,
  decided_at timestamptz,
  status text not null check (status in ('open', 'kept', 'waiting', 'done', 'nothing', 'task', 'failed')),
  detail text,
  attempts integer not null default 0,
  settled_at timestamptz,
  unique (campaign_id, key)
);
create index review_item_reviewer on review_item (reviewer_id, status);
