create table connector_connection (
  id uuid primary key,
  app text not null,
  name text not null unique,
  config jsonb not null,
  plan text,
  base_url text,
  -- Exact private addresses that the tool may have, as on an app of the gateway.
  private_addresses jsonb not null default '[]',
  auth_kind text not null,
  sealed text not null,
  credential_at timestamptz not null,
  status text not null check (status in ('active', 'paused', 'refused')),
  status_reason text,
  -- Null: only by hand.
  every_minutes integer,
  next_sync_at timestamptz,
  source_id uuid,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null
);
create index connector_connection_due on connector_connection (next_sync_at) where status = 'active';

-- What each stream of a connection knows. `position` is where a sync that was cut short goes on.
create table connector_stream (
  connection_id uuid not null references connector_connection (id) on delete cascade,
  stream text not null,
  status text not null check (status in ('never', 'ok', 'partial', 'not_visible', 'failed')),
  reason text,
  mark jsonb not null default '{}',
  position jsonb,
  position_sync uuid,
  seen jsonb,
  read_at timestamptz,
  ok_at timestamptz,
  primary key (connection_id, stream)
);

create table connector_sync (
  id uuid primary key,
  connection_id uuid not null references connector_connection (id) on delete cascade,
  cause text not null check (cause in ('schedule', 'manual')),
  status text not null check (status in ('queued', 'running', 'done', 'partial', 'failed', 'cancelled')),
  requested_by text not null,
  streams jsonb not null,
  cancel boolean not null default false,
  error text,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
);
create index connector_sync_connection on connector_sync (connection_id, created_at desc);
-- One at a time for each connection.
create unique index connector_sync_open on connector_sync (connection_id) where status in ('queued', 'running');

create table connector_sync_stream (
  sync_id uuid not null references connector_sync (id) on delete cascade,
  stream text not null,
  status text not null check (status in ('waiting', 'running', 'ok', 'partial', 'not_visible', 'failed')),
  reason text,
  pages integer not null default 0,
  entities integer not null default 0,
  added integer not null default 0,
  changed integer not null default 0,
  removed integer not null default 0,
  events integer not null default 0,
  problems jsonb not null default '[]',
  primary key (sync_id, stream)
);

create table connector_entity (
  connection_id uuid not null references connector_connection (id) on delete cascade,
  stream text not null,
  kind text not null,
  external_id text not null,
  payload jsonb not null,
  -- Of the payload in canonical JSON: equal hashes mean that nothing changed.
  hash bytea not null,
  name text,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  changed_at timestamptz not null,
  gone_at timestamptz,
  seen_sync uuid not null,
  primary key (connection_id, stream, kind, external_id)
);
create index connector_entity_kind on connector_entity (kind, connection_id, external_id) where gone_at is null;

create table connector_change (
  id bigint generated always as identity primary key,
  connection_id uuid not null references connector_connection (id) on delete cascade,
  sync_id uuid not null,
  stream text not null,
  kind text not null,
  external_id text not null,
  name text,
  change text not null check (change in ('added', 'changed', 'removed', 'returned')),
  fields jsonb not null default '[]',
  at timestamptz not null
);
create index connector_change_connection on connector_change (connection_id, id desc);

-- One row for each idempotency key; `running` after a crash says: look before acting again.
create table connector_action_run (
  id uuid primary key,
  connection_id uuid not null references connector_connection (id) on delete cascade,
  action text not null,
  mode text not null check (mode in ('dry-run', 'run', 'verify', 'undo')),
  input jsonb not null,
  idempotency_key text not null,
  undo_of uuid references connector_action_run (id),
  status text not null check (status in ('queued', 'running', 'ended', 'failed')),
  attempts integer not null default 0,
  outcome text,
  summary text,
  state jsonb,
  result jsonb,
  captured jsonb not null default '{}',
  sealed_secret text,
  error text,
  actor jsonb not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  unique (connection_id, idempotency_key)
);
create index connector_action_run_connection on connector_action_run (connection_id, created_at desc);
