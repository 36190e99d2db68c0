-- Where events are forwarded to, how far each target has got, and what stands in its way.
create table forward_target (
  id text primary key,
  name text not null unique,
  kind text not null check (kind in ('splunk', 'elastic', 'syslog', 's3', 'webhook')),
  query text not null,
  settings jsonb not null,
  sealed text,
  private_addresses text[] not null,
  status text not null default 'active' check (status in ('active', 'paused')),
  position_at bigint not null,
  position_id text not null default '',
  sent bigint not null default 0,
  refused bigint not null default 0,
  failures integer not null default 0,
  next_at bigint not null default 0,
  last_error text,
  last_refusal text,
  last_sent_at bigint,
  created_at bigint not null,
  created_by text not null
);
