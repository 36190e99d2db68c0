-- What a person said of a transfer to another region (Articles 44 to 49 GDPR).
alter table data_flow add column transfer_instrument text;
alter table data_flow add column transfer_importer text;
alter table data_flow add column transfer_assessment text;

-- Requests of data subjects. Who it is about is sealed, and gone when the request ends.
create table subject_request (
  id text primary key,
  kind text not null,
  reference text not null,
  masked jsonb not null,
  sealed text,
  identity jsonb,
  received_at timestamptz not null,
  due_at timestamptz not null,
  extension jsonb,
  status text not null,
  approval_above int not null,
  per_minute_max int not null,
  runs int not null default 0,
  opened_by jsonb not null,
  opened_at timestamptz not null,
  run_by jsonb,
  approved_by text,
  approved_at timestamptz,
  counts jsonb not null default '{}',
  gaps jsonb not null default '[]',
  evidence jsonb,
  evidence_sha256 text,
  error text,
  searched_at timestamptz,
  ended_at timestamptz
);
create index subject_request_due on subject_request (due_at) where ended_at is null;

create table subject_target (
  request_id text not null references subject_request (id) on delete cascade,
  seq int not null,
  connection_id text not null,
  app text not null,
  object text not null,
  record_id text not null,
  parent_id text,
  url text,
  -- Paths in which an identifier stands, and its kinds; no value.
  fields jsonb not null,
  kinds jsonb not null,
  way text,
  action text,
  status text not null,
  reason text,
  -- An action's inputs, or what is handed over; sealed, and gone when it is no longer needed.
  sealed text,
  action_run_id text,
  outcome text,
  verified_at timestamptz,
  error text,
  done_by text,
  done_at timestamptz,
  primary key (request_id, seq),
  unique (request_id, connection_id, app, object, record_id)
);
