-- Apps that people use, whoever told of it; what was decided about each; and what was done.
create table discovery_app (
  -- Id of the catalogue, or `client-...` for software that the catalogue does not know.
  key text primary key,
  name text not null,
  company text,
  category text,
  state text not null check (state in ('new', 'under_review', 'sanctioned', 'tolerated', 'forbidden')),
  -- Who was asked, until when.
  owner_id text,
  owner_name text,
  due_at timestamptz,
  decided_by text,
  decided_at timestamptz,
  reason text,
  expires_at timestamptz,
  users integer not null default 0,
  addresses integer not null default 0,
  events bigint not null default 0,
  bytes bigint not null default 0,
  first_at timestamptz not null,
  last_at timestamptz not null,
  created_at timestamptz not null,
  -- When somebody was told that it is there.
  told_at timestamptz
);
create index discovery_app_state on discovery_app (state);
create index discovery_app_untold on discovery_app (created_at) where told_at is null;

-- What is known of one user's use from one place: written anew when that place is read again, so nothing counts twice.
create table discovery_use (
  app_key text not null references discovery_app (key) on delete cascade,
  evidence text not null,
  -- A day of the lake, a connection, or the hash of a file.
  bucket text not null,
  who text not null,
  source text not null,
  detail text,
  first_at timestamptz not null,
  last_at timestamptz not null,
  events bigint not null,
  bytes bigint not null,
  primary key (app_key, evidence, bucket, who)
);
create index discovery_use_bucket on discovery_use (evidence, bucket);

-- Files that were read, with what could not be read of them.
create table discovery_read (
  sha256 text primary key,
  name text not null,
  format text not null,
  report jsonb not null,
  read_by text not null,
  read_at timestamptz not null
);

create table discovery_decision (
  id uuid primary key,
  app_key text not null references discovery_app (key) on delete cascade,
  from_state text not null,
  to_state text not null,
  decided_by text not null,
  reason text not null,
  expires_at timestamptz,
  at timestamptz not null
);
create index discovery_decision_app on discovery_decision (app_key, at);

-- What follows from a decision, or from a key that is to be replaced: one row for each act, with its evidence.
create table discovery_run (
  id uuid primary key,
  subject_type text not null check (subject_type in ('app', 'key')),
  subject text not null,
  name text not null,
  reason text not null,
  started_by text not null,
  started_at timestamptz not null,
  ended_at timestamptz
);
create index discovery_run_subject on discovery_run (subject_type, subject, started_at);

create table discovery_act (
  run_id uuid not null references discovery_run (id) on delete cascade,
  key text not null,
  place integer not null,
  kind text not null,
  name text not null,
  act text not null,
  input jsonb not null,
  status text not null check (status in ('waiting', 'done', 'nothing', 'task', 'failed')),
  detail text,
  attempts integer not null default 0,
  at timestamptz not null,
  closed_by text,
  primary key (run_id, key)
);
