-- A leaver: what was taken from a person, where, when, and the evidence of each.
create table lifecycle_run (
  id uuid primary key,
  kind text not null check (kind in ('leaver')),
  person_id text not null,
  person_name text not null,
  reason text not null,
  started_by text not null,
  started_at timestamptz not null,
  -- When everything was asked for, and when nothing was open any more.
  dispatched_at timestamptz,
  ended_at timestamptz
);
create index lifecycle_run_person on lifecycle_run (person_id);

create table lifecycle_target (
  run_id uuid not null references lifecycle_run (id) on delete cascade,
  -- Says what and where; the idempotency key of the act follows from it.
  key text not null,
  place integer not null,
  kind text not null,
  name text not null,
  act text not null,
  -- What carries it out needs.
  input jsonb not null,
  -- `task`: only a person can do it, and it is open until one says that it is done.
  status text not null check (status in ('waiting', 'done', 'nothing', 'task', 'failed')),
  detail text,
  attempts integer not null default 0,
  at timestamptz not null,
  closed_by text,
  primary key (run_id, key)
);
create index lifecycle_target_open on lifecycle_target (status) where status in ('task', 'failed');
