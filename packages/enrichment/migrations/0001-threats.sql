-- Threat lists that people import, and what they name.
create table threat_list (
  id text primary key,
  name text not null unique,
  source text not null,
  meaning text not null check (meaning in ('threat', 'tor', 'vpn', 'hosting', 'proxy')),
  format text not null check (format in ('stix', 'csv', 'lines')),
  indicators integer not null,
  skipped integer not null,
  expires_at bigint not null,
  imported_at bigint not null,
  imported_by text not null,
  sweep_from bigint,
  swept_at bigint,
  sweep_found integer,
  sweep_error text
);
create table threat_indicator (
  list_id text not null references threat_list (id) on delete cascade,
  kind text not null,
  value text not null,
  note text not null,
  expires_at bigint,
  primary key (list_id, kind, value)
);

-- What an actor was first seen with, and by which event: a batch that comes again gets the same answer.
create table enrichment_seen (
  key text primary key,
  event_id text not null,
  first_at bigint not null,
  seen_day integer not null
);
create index enrichment_seen_day on enrichment_seen (seen_day);

-- What the worker enriches from, for whoever looks at it in the console.
create table enrichment_state (
  one boolean primary key default true check (one),
  files jsonb not null,
  problems jsonb not null,
  indicators integer not null,
  at bigint not null
);
