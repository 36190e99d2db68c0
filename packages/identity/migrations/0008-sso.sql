-- Single sign-on: tools that people sign in to through Cordon.

create table sso_apps (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 200),
  protocol text not null check (protocol in ('oidc', 'saml')),
  -- Which file of content/sso the settings came from; null: written by hand.
  catalogue text,
  settings jsonb not null,
  -- Of SAML: one service provider is registered once.
  entity_id text unique,
  everyone boolean not null,
  roles text[] not null,
  groups uuid[] not null,
  launch_url text,
  status text not null check (status in ('active', 'disabled')),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Several at once only while one replaces another.
create table sso_app_secrets (
  id uuid primary key,
  app_id uuid not null references sso_apps (id) on delete cascade,
  hash bytea not null check (length(hash) = 32),
  created_at timestamptz not null,
  expires_at timestamptz
);
create index sso_app_secrets_app on sso_app_secrets (app_id);

-- One row for each app that a session signed on to: what single logout has to tell. The session may be gone, that is
-- the point, so it is no foreign key.
create table sso_logins (
  id uuid primary key,
  app_id uuid not null references sso_apps (id) on delete cascade,
  person_id uuid not null references people (id),
  session_id uuid not null,
  -- OpenID Connect: the `sid` of the id_token; SAML: the SessionIndex.
  sid text not null,
  name_id jsonb,
  grant_hash bytea,
  first_at timestamptz not null,
  last_at timestamptz not null,
  count integer not null default 1,
  ended_at timestamptz,
  notice text not null default 'none' check (notice in ('none', 'waiting', 'told', 'not-possible', 'failed')),
  attempts integer not null default 0,
  next_at timestamptz,
  outcome text,
  unique (app_id, session_id)
);
create index sso_logins_open on sso_logins (session_id) where ended_at is null;
create index sso_logins_waiting on sso_logins (next_at) where notice = 'waiting';
create index sso_logins_person on sso_logins (person_id, last_at);

-- However a session ends (sign-out, revocation, a leaver), whoever tells the apps hears of it.
create function cordon_session_ended() returns trigger language plpgsql as $$
begin
  perform pg_notify('cordon_sessions_ended', '');
  return null;
end $$;
create trigger sessions_ended after delete on sessions for each statement execute function cordon_session_ended();

-- Ids that must be seen once only: SAML requests, assertions.
create table sso_seen (
  kind text not null,
  hash bytea not null check (length(hash) = 32),
  expires_at timestamptz not null,
  primary key (kind, hash)
);
create index sso_seen_expiry on sso_seen (expires_at);

-- What a browser carries from one step of a sign-on to the next, sealed; the id is a bearer value, so only its hash.
create table sso_states (
  hash bytea primary key check (length(hash) = 32),
  kind text not null,
  sealed text not null,
  expires_at timestamptz not null
);
create index sso_states_expiry on sso_states (expires_at);

-- What Cordon signs SAML messages with.
create table sso_certificates (
  id uuid primary key,
  certificate text not null,
  sealed_private text not null,
  -- next: published, doesn't sign yet; active: signs; retired: still published for a while.
  status text not null check (status in ('next', 'active', 'retired')),
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index sso_certificates_active on sso_certificates (status) where status = 'active';
