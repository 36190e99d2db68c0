-- How far summing up and judging came; survives a restart.
create table behaviour_position (
  name text primary key,
  value jsonb not null,
  updated_at bigint not null
);

create table behaviour_entity (
  entity_key text primary key,
  type text not null,
  id text not null,
  name text not null,
  score double precision not null,
  state text not null,
  criticality double precision not null default 1,
  criticality_reason text,
  peers jsonb not null default '[]',
  first_at bigint not null,
  last_at bigint not null,
  updated_at bigint not null
);
create index behaviour_entity_score on behaviour_entity (score desc);

create table behaviour_day (
  entity_key text not null references behaviour_entity (entity_key) on delete cascade,
  day bigint not null,
  score double precision not null,
  state text not null,
  terms jsonb not null,
  updated_at bigint not null,
  primary key (entity_key, day)
);
create index behaviour_day_day on behaviour_day (day);

-- A person's word on a term: what was expected becomes usual, what was not stays unusual.
create table behaviour_feedback (
  id text primary key,
  entity_key text not null,
  feature text not null,
  value text,
  verdict text not null,
  observed double precision not null,
  day bigint not null,
  reason text not null,
  expires_at bigint not null,
  created_at bigint not null,
  created_by text not null
);
create index behaviour_feedback_entity on behaviour_feedback (entity_key, expires_at);
