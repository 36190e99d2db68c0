-- Joiners and movers beside leavers: what followed from a change of groups, and the evidence of each.
alter table lifecycle_run drop constraint lifecycle_run_kind_check;
alter table lifecycle_run add constraint lifecycle_run_kind_check check (kind in ('leaver', 'joiner', 'mover'));
create index lifecycle_run_kind on lifecycle_run (kind, started_at);

-- Groups that a target is given, with those of their members who have an account there.
alter table provision_target add column push_groups uuid[] not null default '{}';

create table provision_group_link (
  target_id uuid not null references provision_target (id) on delete cascade,
  group_id text not null,
  group_name text not null,
  remote_id text not null,
  -- What was last sent: the name, and whose accounts were members.
  pushed jsonb not null,
  at timestamptz not null,
  primary key (target_id, group_id)
);

create table provision_group_item (
  run_id uuid not null references provision_run (id) on delete cascade,
  group_id text not null,
  group_name text not null,
  act text not null check (act in ('create', 'link', 'update', 'delete', 'conflict')),
  remote_id text,
  -- Whose accounts are to be members.
  wanted jsonb not null,
  -- Who is to come in and go out, and whether it changed here or there.
  differences jsonb not null,
  status text not null check (status in ('planned', 'waiting', 'done', 'nothing', 'task', 'failed')),
  detail text,
  attempts integer not null default 0,
  at timestamptz not null,
  primary key (run_id, group_id)
);
