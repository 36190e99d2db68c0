-- Groups are objects of Cordon: the directory keeps some, people here keep others; what a group gives follows its members.

alter table scim_groups add column kept_by text not null default 'directory' check (kept_by in ('directory', 'cordon'));
alter table scim_groups add column description text not null default '' check (length(description) <= 2000);
-- Answers for the group: approves who comes in for a while.
alter table scim_groups add column owner_id uuid references people (id);

-- Members whom no directory put there: by hand, or for a while.
create table group_members (
  group_id uuid not null references scim_groups (id) on delete cascade,
  person_id uuid not null references people (id) on delete cascade,
  by text not null check (by in ('hand', 'elevation')),
  added_by text not null,
  added_at timestamptz not null,
  -- Of an elevation: from then on it counts no more, whether or not somebody has deleted the row.
  ends_at timestamptz,
  primary key (group_id, person_id, by),
  check ((by = 'elevation') = (ends_at is not null))
);
create index group_members_person on group_members (person_id);

-- Everybody in a group, however they came in. Whoever reads it compares ends_at with the clock.
create view group_people as
  select group_id, user_id as person_id, 'directory'::text as by, null::timestamptz as ends_at from scim_members
  union all
  select group_id, person_id, 'provider', null from upstream_members
  union all
  select group_id, person_id, by, ends_at from group_members;

-- What the SCIM server shows: members whose ids a client can look up below /Users.
create view scim_group_members as
  select group_id, user_id from scim_members
  union
  select m.group_id, m.person_id from group_members m join scim_users u on u.id = m.person_id where m.by = 'hand';

-- Who answers for a tool that people sign on to.
create table sso_app_owners (
  app_id uuid primary key references sso_apps (id) on delete cascade,
  person_id uuid not null references people (id)
);

-- Access for a while: asked for with a reason, approved by whoever answers for it, ended by the clock.
create table elevations (
  id uuid primary key,
  kind text not null check (kind in ('role', 'group', 'app', 'operation')),
  -- The role, or the id of the group or app.
  ref text not null,
  name text not null,
  -- Of an integration's: which, and which operations of the app.
  integration_id text,
  integration_name text,
  operations text[] not null default '{}',
  grant_id text,
  person_id uuid not null references people (id),
  person_name text not null,
  reason text not null check (length(reason) between 5 and 1000),
  minutes integer not null check (minutes between 1 and 10080),
  state text not null check (state in ('asked', 'live', 'refused', 'withdrawn', 'lapsed', 'ended')),
  asked_at timestamptz not null,
  -- Nobody decided until then: asked for again, or not at all.
  lapses_at timestamptz not null,
  decided_by uuid,
  decided_by_name text,
  decided_at timestamptz,
  note text,
  ends_at timestamptz,
  ended_at timestamptz,
  ended_by text,
  ended_why text,
  check ((state in ('live', 'ended')) = (ends_at is not null)),
  check (decided_by is null or decided_by <> person_id)
);
create index elevations_person on elevations (person_id, state);
create index elevations_due on elevations (ends_at) where state = 'live';
create unique index elevations_open on elevations (person_id, kind, ref, coalesce(integration_id, ''))
  where state in ('asked', 'live');

-- Accounts for the day when the corporate provider is gone. They sign in here alone, and every use is an alarm.
create table break_glass (
  person_id uuid primary key references people (id) on delete cascade,
  -- Where the envelope lies, and its seal: what a person must find unbroken.
  place text not null default '',
  seal text not null default '',
  sealed_at timestamptz,
  drill_days integer not null default 90 check (drill_days between 7 and 366),
  -- An announced drill: a sign-in until then counts as one, and is still an alarm.
  drill_until timestamptz,
  drill_by text,
  last_drill_at timestamptz,
  last_used_at timestamptz,
  overdue_told_at timestamptz,
  created_at timestamptz not null,
  created_by text not null
);

create table break_glass_uses (
  id uuid primary key,
  person_id uuid not null references break_glass (person_id) on delete cascade,
  at timestamptz not null,
  kind text not null check (kind in ('drill', 'use')),
  session_id uuid not null,
  ip text not null,
  methods text[] not null,
  -- What the drill found, item by item.
  findings jsonb not null default '[]'
);
create index break_glass_uses_person on break_glass_uses (person_id, at);
