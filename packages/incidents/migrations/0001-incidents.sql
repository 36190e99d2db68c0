-- Times are milliseconds since the epoch.

create sequence incident_case_number;

create table incident_case (
  id text primary key,
  number integer not null unique default nextval('incident_case_number'),
  title text not null,
  summary text not null default '',
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  status text not null check (status in ('open', 'contained', 'recovered', 'closed')),
  -- FIRST TLP 2.0
  tlp text not null check (tlp in ('clear', 'green', 'amber', 'amber+strict', 'red')),
  origin text not null check (origin in ('alert', 'finding', 'vendor-notice', 'manual')),
  -- The same cause opens one case, however often it is reported.
  origin_key text unique,
  status_page text not null default '',
  occurred_at bigint not null,
  detected_at bigint not null,
  acknowledged_at bigint,
  contained_at bigint,
  notified_at bigint,
  recovered_at bigint,
  closed_at bigint,
  created_at bigint not null,
  created_by jsonb not null,
  updated_at bigint not null,
  roles jsonb not null default '{}',
  review jsonb
);

create table incident_link (
  case_id text not null references incident_case (id) on delete cascade,
  kind text not null,
  ref text not null,
  name text not null,
  added_at bigint not null,
  primary key (case_id, kind, ref)
);
create index incident_link_ref on incident_link (kind, ref);

create table incident_entry (
  id text primary key,
  case_id text not null references incident_case (id) on delete cascade,
  -- An entry that a playbook's act wrote is written once.
  key text unique,
  kind text not null check (kind in ('event', 'act', 'note', 'evidence', 'status', 'message')),
  at bigint not null,
  recorded_at bigint not null,
  author text not null,
  text text not null,
  detail jsonb not null default '{}'
);
create index incident_entry_case on incident_entry (case_id, at);

-- Sealed with the key-encryption key; the hash is of the clear bytes and stands in the audit trail too.
create table incident_evidence (
  id text primary key,
  case_id text not null references incident_case (id) on delete cascade,
  name text not null,
  media_type text not null,
  bytes integer not null,
  sha256 text not null,
  sealed text not null,
  added_at bigint not null,
  added_by text not null
);

create table incident_task (
  id text primary key,
  case_id text not null references incident_case (id) on delete cascade,
  key text unique,
  kind text not null check (kind in ('task', 'review-action')),
  title text not null,
  assignee text,
  due_at bigint,
  done_at bigint,
  done_by text,
  created_at bigint not null
);

create table incident_channel (
  id text primary key,
  name text not null unique,
  kind text not null check (kind in ('chat', 'mail')),
  -- Sealed: a webhook's address and an SMTP URL hold secrets.
  sealed text not null,
  shown text not null,
  private_addresses jsonb not null default '[]',
  created_at bigint not null,
  created_by text not null
);

create table incident_message (
  id text primary key,
  key text not null unique,
  case_id text references incident_case (id) on delete cascade,
  channel text not null,
  recipients jsonb not null,
  subject text not null,
  text text not null,
  status text not null check (status in ('waiting', 'sent', 'failed')),
  attempts integer not null default 0,
  next_at bigint not null,
  sent_at bigint,
  error text,
  created_at bigint not null
);
create index incident_message_due on incident_message (next_at) where status = 'waiting';

-- Playbooks of this organisation; those of the product are files.
create table playbook (
  id text primary key,
  name text not null,
  document text not null,
  digest text not null,
  updated_at bigint not null,
  updated_by text not null
);

create table playbook_run (
  id text primary key,
  playbook_id text not null,
  playbook_name text not null,
  -- What runs is what was approved, whatever happens to the playbook meanwhile.
  document text not null,
  digest text not null,
  mode text not null check (mode in ('live', 'simulate')),
  status text not null check (
    status in ('proposed', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'undoing', 'undone', 'undo-failed')
  ),
  case_id text references incident_case (id) on delete set null,
  alert_id text,
  -- One run for one alert and playbook.
  trigger_key text unique,
  started_by jsonb not null,
  approval jsonb,
  inputs jsonb not null,
  variables jsonb not null default '{}',
  error text,
  -- The driver that has it, counted up whenever somebody decided something.
  driving boolean not null default false,
  wanted integer not null default 0,
  segment integer not null default 0,
  wake_at bigint,
  created_at bigint not null,
  finished_at bigint
);
create index playbook_run_case on playbook_run (case_id);
create index playbook_run_wake on playbook_run (wake_at) where not driving and wake_at is not null;

create table playbook_act (
  run_id text not null references playbook_run (id) on delete cascade,
  -- The way through the workflow that leads to it: the same in every replay.
  key text not null,
  seq bigserial not null,
  step_id text not null,
  kind text not null check (kind in ('control', 'act', 'manual', 'undo')),
  title text not null,
  command text not null default '',
  effect text not null default 'read',
  status text not null,
  input jsonb not null default '{}',
  prepared jsonb not null default '{}',
  result jsonb,
  proof jsonb,
  error text,
  approval jsonb,
  attempts integer not null default 0,
  created_at bigint not null,
  started_at bigint,
  finished_at bigint,
  due_at bigint,
  undo_title text,
  primary key (run_id, key)
);
