-- Scans of what lies in tools, what they found, what people decided and what was done. Never a value, never a file.

create table dlp_scan (
  id text primary key,
  connection_id text not null,
  app text not null,
  name text not null,
  mode text not null,
  enforce boolean not null,
  status text not null,
  requested_by text not null,
  requested_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  error text
);
create index dlp_scan_connection on dlp_scan (connection_id, requested_at desc);

create table dlp_scan_stream (
  scan_id text not null references dlp_scan (id) on delete cascade,
  stream text not null,
  place int not null,
  status text not null,
  -- Where the tool's reader stopped; kept in the transaction of what a page brought.
  position jsonb,
  seen jsonb,
  records bigint not null default 0,
  skipped bigint not null default 0,
  files bigint not null default 0,
  bytes bigint not null default 0,
  found bigint not null default 0,
  unreadable jsonb not null default '{}',
  reason text,
  primary key (scan_id, stream)
);

create table dlp_mark (
  connection_id text not null,
  stream text not null,
  mark jsonb not null,
  scanned_at timestamptz not null,
  primary key (connection_id, stream)
);

create table dlp_schedule (
  connection_id text primary key,
  every_hours int not null,
  enforce boolean not null,
  next_at timestamptz not null,
  set_by text not null
);
create index dlp_schedule_next on dlp_schedule (next_at);

create table dlp_incident (
  id text primary key,
  source text not null,
  connection_id text,
  stream text,
  app text not null,
  object text not null,
  record_id text not null,
  parent_id text,
  title text,
  url text,
  sharing text,
  owner_id text,
  direction text,
  integration_id text,
  integration_name text,
  action text not null,
  rule_id text not null,
  rule_name text not null,
  label text not null,
  classes jsonb not null,
  found int not null,
  status text not null,
  assignee text,
  scan_id text,
  record_at timestamptz,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  times int not null default 1
);
create unique index dlp_incident_record on dlp_incident (connection_id, object, record_id) where source = 'rest';
create unique index dlp_incident_call on dlp_incident (integration_id, app, rule_id, direction) where source = 'motion';
create index dlp_incident_queue on dlp_incident (status, last_seen desc, id);

create table dlp_note (
  id text primary key,
  incident_id text not null references dlp_incident (id) on delete cascade,
  at timestamptz not null,
  by_name text not null,
  what text not null,
  note text
);
create index dlp_note_incident on dlp_note (incident_id, at);

create table dlp_remedy (
  id text primary key,
  incident_id text not null references dlp_incident (id) on delete cascade,
  action text not null,
  status text not null,
  requested_by text not null,
  requested_at timestamptz not null,
  connector_action text,
  action_run_id text,
  undo_of text,
  can_undo boolean not null default false,
  outcome text,
  reason text,
  evidence jsonb,
  evidence_sha256 text,
  ended_at timestamptz
);
create index dlp_remedy_incident on dlp_remedy (incident_id, requested_at);

create table dlp_pass (
  id text primary key,
  rule_id text not null,
  rule_name text not null,
  integration_id text not null,
  app_id text,
  kind text not null,
  reason text not null,
  given_by text not null,
  given_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index dlp_pass_open on dlp_pass (expires_at) where ended_at is null;

create table dlp_token_key (
  id text primary key,
  sealed text not null,
  status text not null,
  created_at timestamptz not null
);

-- Calls that were counted: a batch of events comes again after a crash.
create table dlp_motion_event (
  event_id text primary key,
  at timestamptz not null
);
create index dlp_motion_event_at on dlp_motion_event (at);

create table dlp_label_map (
  connector text not null,
  label text not null,
  tool_label text not null,
  set_by text not null,
  set_at timestamptz not null,
  primary key (connector, label)
);
