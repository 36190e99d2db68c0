-- How long events of the lake are kept, and which must stay whatever a rule says.
create table event_retention_rule (
  id text primary key,
  name text not null unique,
  query text not null,
  days integer not null,
  created_at bigint not null,
  created_by text not null,
  run_at bigint,
  deleted bigint not null default 0,
  last_error text
);
create table event_hold (
  id text primary key,
  name text not null unique,
  query text not null,
  from_at bigint,
  to_at bigint,
  reason text not null,
  created_at bigint not null,
  created_by text not null
);
create table event_size_limit (
  one boolean primary key default true check (one),
  bytes_max bigint not null,
  changed_at bigint not null,
  changed_by text not null
);
