-- What is known of data; never the data itself.
create table data_set (
  app text not null,
  object text not null,
  label text not null default 'internal',
  label_reasons jsonb not null default '[]',
  pinned_label text,
  pinned_by text,
  records bigint not null default 0,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  primary key (app, object)
);

create table data_field (
  app text not null,
  object text not null,
  path text not null,
  type text,
  category text not null,
  category_from text not null,
  subject text,
  label text not null default 'internal',
  label_reasons jsonb not null default '[]',
  pinned_label text,
  pinned_by text,
  samples bigint not null default 0,
  detections jsonb not null default '{}',
  sources jsonb not null default '{}',
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  primary key (app, object, path),
  foreign key (app, object) references data_set (app, object) on delete cascade
);
create index data_field_category on data_field (category);

create table data_place (
  app text primary key,
  region text,
  vendor text,
  label_floor text,
  updated_at timestamptz not null
);

-- How an operation's traffic maps to a data set, for the labels that gateways get.
create table data_operation (
  app_id text not null,
  app text not null,
  operation text not null,
  object text not null,
  primary key (app_id, operation)
);

-- What gateways were last told of an app's labels, so that only a change is published.
create table data_published (app_id text primary key, entry text not null);

create table label_change (
  id text primary key,
  app text not null,
  object text not null,
  path text,
  from_label text not null,
  to_label text,
  reason text not null,
  status text not null,
  requested_by text not null,
  requested_name text not null,
  requested_at timestamptz not null,
  decided_by text,
  decided_name text,
  decided_at timestamptz
);
create index label_change_status on label_change (status, requested_at desc);
create unique index label_change_waiting on label_change (app, object, coalesce(path, '')) where status = 'waiting';

create table data_observation_batch (key text primary key, at timestamptz not null);

create table fingerprint_key (
  id text primary key,
  sealed text not null,
  status text not null,
  created_at timestamptz not null
);
create unique index fingerprint_key_current on fingerprint_key (status) where status = 'current';

create table data_print (
  key_id text not null references fingerprint_key (id) on delete cascade,
  print bytea not null,
  kind text not null,
  app text not null,
  object text not null,
  direction text not null,
  integration_id text not null default '',
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  seen bigint not null,
  primary key (key_id, print, app, object, direction, integration_id)
);
create index data_print_app on data_print (app, object);
create index data_print_last on data_print (last_seen);

create table data_sketch (
  key_id text not null references fingerprint_key (id) on delete cascade,
  app text not null,
  sketch bytea not null,
  primary key (key_id, app)
);

create table data_document (
  key_id text not null references fingerprint_key (id) on delete cascade,
  app text not null,
  object text not null,
  document text not null,
  signature bytea not null,
  bands text[] not null,
  last_seen timestamptz not null,
  primary key (key_id, app, object, document)
);
create index data_document_bands on data_document using gin (bands);

create table spread_sighting (
  key_id text not null references fingerprint_key (id) on delete cascade,
  print bytea not null,
  app text not null,
  label text not null,
  place_label text not null,
  at timestamptz not null,
  primary key (key_id, print, app)
);

create table data_flow (
  id text primary key,
  from_app text not null,
  from_object text not null,
  to_app text not null,
  to_object text not null,
  integration_id text not null,
  integration_name text not null,
  how text not null,
  fields jsonb not null default '{}',
  records bigint not null default 0,
  bytes bigint not null default 0,
  calls bigint not null default 0,
  purpose text,
  legal_basis text,
  safeguard text,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  unique (from_app, from_object, to_app, to_object, integration_id)
);

create table data_flow_record (
  flow_id text not null references data_flow (id) on delete cascade,
  key_id text not null references fingerprint_key (id) on delete cascade,
  print bytea not null,
  primary key (flow_id, key_id, print)
);

create table retention_rule (
  id text primary key,
  name text not null unique,
  settings jsonb not null,
  status text not null,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table retention_hold (
  id text primary key,
  name text not null,
  scope jsonb not null,
  reason text not null,
  placed_by text not null,
  placed_at timestamptz not null,
  released_by text,
  released_at timestamptz
);

create table retention_exception (
  id text primary key,
  rule_id text not null references retention_rule (id) on delete cascade,
  scope jsonb not null,
  reason text not null,
  expires_at timestamptz not null,
  granted_by text not null,
  granted_at timestamptz not null
);

create table retention_run (
  id text primary key,
  rule_id text not null references retention_rule (id) on delete cascade,
  rule jsonb not null,
  mode text not null,
  status text not null,
  requested_by jsonb not null,
  requested_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  counts jsonb not null default '{}',
  unenforceable jsonb not null default '[]',
  cursor jsonb,
  evidence jsonb,
  evidence_sha256 text,
  error text,
  ended_at timestamptz
);
create index retention_run_rule on retention_run (rule_id, requested_at desc);

create table retention_item (
  run_id text not null references retention_run (id) on delete cascade,
  seq int not null,
  connection_id text not null,
  app text not null,
  object text not null,
  record_id text not null,
  parent_id text,
  clock_at timestamptz not null,
  verdict text not null,
  reason text,
  status text not null,
  action_run_id text,
  outcome text,
  verified_at timestamptz,
  error text,
  primary key (run_id, seq),
  unique (run_id, connection_id, object, record_id)
);
