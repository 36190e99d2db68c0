-- What an app, an integration's use of it, or one operation promises. The worker writes `state` as it measures.
create table monitor_slo (
  id text primary key,
  name text not null unique,
  kind text not null check (kind in ('availability', 'latency')),
  app_id text not null,
  integration_id text,
  operation text,
  objective double precision not null,
  period_days integer not null,
  latency_ms double precision,
  calls_min integer not null,
  state jsonb,
  created_at bigint not null,
  created_by text not null
);
