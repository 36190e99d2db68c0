-- What gateways saw of apps whose API is learned: shapes, never values. One row for each integration, so that what one
-- of them showed can be told from the rest, and left out.
create table learned_traffic (
  app_id uuid not null references apps (id) on delete cascade,
  integration_id text not null,
  integration_name text not null,
  calls bigint not null,
  dropped bigint not null default 0,
  state jsonb not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (app_id, integration_id)
);
create table learned_batches (key text primary key, at timestamptz not null);
create index learned_batches_at on learned_batches (at);
