-- People and groups as a corporate directory provisions them (RFC 7643). A SCIM user is a person; what the directory
-- says beyond name and login stays with it as a document.

create table scim_tokens (
  id uuid primary key,
  hash bytea not null unique,
  name text not null check (length(name) between 1 and 100),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz
);

create table scim_users (
  id uuid primary key references people (id),
  user_name_key text not null unique,
  external_id text,
  attributes jsonb not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index scim_users_external on scim_users (external_id);

create table scim_groups (
  id uuid primary key,
  display_key text not null,
  external_id text,
  attributes jsonb not null,
  -- What members of this group may do in Cordon; set by an owner, never by the directory.
  roles text[] not null default '{}',
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index scim_groups_display on scim_groups (display_key);
create index scim_groups_external on scim_groups (external_id);

create table scim_members (
  group_id uuid not null references scim_groups (id) on delete cascade,
  user_id uuid not null references scim_users (id) on delete cascade,
  primary key (group_id, user_id)
);
create index scim_members_user on scim_members (user_id);
