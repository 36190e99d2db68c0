-- Tools that people are pushed to: over SCIM, or as tasks for a person where a tool has no interface.
create table provision_target (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 100),
  kind text not null check (kind in ('scim', 'task')),
  base_url text,
  sealed_token text,
  private_addresses text[] not null default '{}',
  mapping jsonb not null,
  -- Members of these groups of people have an account there.
  groups uuid[] not null,
  on_leave text not null check (on_leave in ('deactivate', 'delete')),
  requests_per_s integer not null check (requests_per_s between 1 and 100),
  -- A push that would take away more than this many at once waits for a person's word.
  leavers_max integer not null check (leavers_max between 0 and 100000),
  paused boolean not null default false,
  -- What was wanted when the last push ended well: another value means that something changed here.
  fingerprint text,
  checked_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((kind = 'scim') = (base_url is not null and sealed_token is not null))
);

-- Which account there is whose, and what was last sent.
create table provision_link (
  target_id uuid not null references provision_target (id) on delete cascade,
  person_id text not null,
  person_name text not null,
  remote_id text,
  pushed jsonb not null,
  -- `left`: a leaver's own task takes it away. `ended`: it was taken away.
  state text not null check (state in ('live', 'left', 'ended')),
  at timestamptz not null,
  primary key (target_id, person_id)
);

create table provision_run (
  id uuid primary key,
  target_id uuid not null references provision_target (id) on delete cascade,
  mode text not null check (mode in ('preview', 'push')),
  reason text not null,
  leavers_allowed integer,
  started_by text not null,
  started_at timestamptz not null,
  planned_at timestamptz,
  -- Accounts there that Cordon doesn't answer for.
  unmanaged integer,
  wanted text,
  ended_at timestamptz,
  error text
);
create index provision_run_target on provision_run (target_id, started_at);
create unique index provision_run_pushing on provision_run (target_id) where mode = 'push' and ended_at is null;

create table provision_item (
  run_id uuid not null references provision_run (id) on delete cascade,
  person_id text not null,
  person_name text not null,
  act text not null check (act in ('create', 'link', 'update', 'deactivate', 'delete', 'conflict')),
  remote_id text,
  wanted jsonb not null,
  differences jsonb not null,
  status text not null check (status in ('planned', 'waiting', 'done', 'nothing', 'task', 'failed')),
  detail text,
  attempts integer not null default 0,
  at timestamptz not null,
  closed_by text,
  primary key (run_id, person_id)
);
create index provision_item_open on provision_item (status) where status in ('task', 'failed');

-- When somebody begins and ends; both may lie ahead.
create table lifecycle_date (
  person_id text primary key,
  starts_at timestamptz,
  ends_at timestamptz,
  ended_at timestamptz,
  set_by text not null,
  set_at timestamptz not null
);
create index lifecycle_date_due on lifecycle_date (ends_at) where ended_at is null;
