-- Times are milliseconds since the epoch.

create sequence drill_number;

create table drill_schedule (
  id text primary key,
  name text not null unique,
  scenario text not null,
  mode text not null check (mode in ('live-fire', 'tabletop')),
  decide text not null check (decide in ('person', 'drill')),
  participants jsonb not null,
  every_days integer not null check (every_days > 0),
  -- Days before, on which participants are reminded.
  remind_days jsonb not null,
  -- The channel of incidents that reminders go to; null: none.
  channel text,
  -- Whether a live fire begins by itself when it is due; a tabletop always waits for its facilitator.
  starts_itself boolean not null,
  next_at bigint not null,
  created_at bigint not null,
  created_by text not null
);

create table drill (
  id text primary key,
  number integer not null unique default nextval('drill_number'),
  scenario text not null,
  title text not null,
  -- The scenario as it was when the drill began, and its digest.
  document jsonb not null,
  digest text not null,
  mode text not null check (mode in ('live-fire', 'tabletop')),
  status text not null check (status in ('planned', 'running', 'stopping', 'ended', 'aborted', 'failed')),
  decide text not null check (decide in ('person', 'drill')),
  -- Of a tabletop: injects come by the clock, or when the facilitator says.
  pace text not null check (pace in ('clock', 'facilitator')),
  -- Slower or faster than the scenario says: 2 is twice as slow.
  stretch double precision not null default 1,
  participants jsonb not null,
  facilitator jsonb not null,
  -- Signs what the drill sends, so that a tag can't be forged.
  sealed_key text not null,
  schedule_id text references drill_schedule (id) on delete set null,
  created_at bigint not null,
  started_at bigint,
  -- When the clock of a tabletop was stopped, and for how long it stood before.
  paused_at bigint,
  paused_ms bigint not null default 0,
  ended_at bigint,
  stop_reason text,
  error text,
  score jsonb,
  lessons text not null default ''
);
create index drill_newest on drill (created_at desc);
-- One live fire at a time: two would measure each other.
create unique index drill_one_live on drill ((true)) where mode = 'live-fire' and status in ('running', 'stopping');

-- Everything that a drill made, so that all of it can be found and taken away again.
create table drill_object (
  drill_id text not null references drill (id) on delete cascade,
  kind text not null,
  ref text not null,
  name text not null,
  sealed text,
  made_at bigint not null,
  removed_at bigint,
  primary key (drill_id, kind, ref)
);
create index drill_object_ref on drill_object (kind, ref);

-- What happened, in order. A key is written once: after a crash what is there isn't done again.
create table drill_entry (
  drill_id text not null references drill (id) on delete cascade,
  key text not null,
  seq bigserial not null,
  kind text not null,
  at bigint not null,
  author text not null,
  text text not null,
  detail jsonb not null default '{}',
  primary key (drill_id, key)
);

-- What acts of a drill's playbooks would have changed: they see it as done, and nothing else does.
create table drill_effect (
  drill_id text not null references drill (id) on delete cascade,
  key text not null,
  value jsonb not null,
  at bigint not null,
  primary key (drill_id, key)
);

create table drill_reminder (
  schedule_id text not null references drill_schedule (id) on delete cascade,
  due_at bigint not null,
  days integer not null,
  sent_at bigint not null,
  primary key (schedule_id, due_at, days)
);
