-- The estate: what exists. Every change also publishes snapshot entries in the same transaction.

create table blobs (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  kind text not null check (kind in ('operations', 'description')),
  bytes bytea not null,
  created_at timestamptz not null
);

create table apps (
  id uuid primary key,
  name text not null unique,
  title text not null,
  -- Everything else of the snapshot's app entry, as its schema parsed it.
  settings jsonb not null,
  operations_sha256 text references blobs (sha256),
  operations_bytes bigint,
  description_sha256 text references blobs (sha256),
  description_summary jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table credentials (
  id uuid primary key,
  app_id uuid not null references apps (id) on delete cascade,
  -- Kind and public parameters (scheme, header name); never the secret.
  shape jsonb not null,
  sealed text not null,
  created_at timestamptz not null,
  created_by text not null,
  -- The one in use has none.
  retired_at timestamptz
);
create unique index credentials_current on credentials (app_id) where retired_at is null;

create table integrations (
  id uuid primary key,
  name text not null unique,
  owner_id text not null,
  owner_name text not null,
  purpose text not null,
  kind text not null,
  status text not null check (status in ('active', 'suspended', 'revoked')),
  status_reason text,
  status_at timestamptz not null,
  expires_at timestamptz,
  assurance text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table grants (
  id uuid primary key,
  name text not null,
  integration_id uuid not null references integrations (id) on delete cascade,
  app_id uuid not null references apps (id) on delete cascade,
  selectors jsonb not null,
  resource_scope jsonb not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  created_by text not null,
  unique (integration_id, app_id, name)
);

-- Cedar policies, inspection rules and limits: a name and the snapshot entry as its schema parsed it.
create table rules (
  id uuid primary key,
  kind text not null check (kind in ('policy', 'inspection', 'limit')),
  name text not null,
  entry jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (kind, name)
);

-- What gateways decide from. One row holds the version; its lock orders all publications.
create table snapshot_state (
  one boolean primary key default true check (one),
  version bigint not null,
  epoch bigint not null,
  -- Removals up to this version have been forgotten: whoever is older must read everything.
  horizon bigint not null default 0,
  changed_at timestamptz not null
);
insert into snapshot_state (version, epoch, changed_at) values (1, 1, now());

-- A removed entry stays with a null value, so that a control process that reads changes sees the removal.
create table snapshot_entries (
  key text primary key,
  value jsonb,
  version bigint not null
);
create index snapshot_entries_version on snapshot_entries (version);
create index snapshot_entries_removed on snapshot_entries (version) where value is null;

create table snapshot_keys (
  key_id text primary key,
  public_key text not null,
  sealed_private text not null,
  created_at timestamptz not null
);

-- What each gateway process last reported.
create table gateways (
  id text primary key,
  pid integer not null,
  version bigint not null,
  epoch bigint not null,
  applied_at timestamptz not null,
  seen_at timestamptz not null
);

-- How long each cut-off took to reach the gateways, proved by their reports.
create table cut_offs (
  id uuid primary key,
  integration_id uuid not null,
  epoch bigint not null,
  decided_at timestamptz not null,
  reached_at timestamptz,
  gateways jsonb
);
create index cut_offs_integration on cut_offs (integration_id, decided_at);
