-- Corporate providers that people come from (OpenID Connect, SAML), and what ties a person, a session, a group to one.

alter table people drop constraint people_source_check;
alter table people add constraint people_source_check check (source in ('local', 'scim', 'upstream'));

create table upstream_providers (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 200),
  -- draft: test sign-ins only, until one has gone well.
  status text not null check (status in ('draft', 'active', 'disabled')),
  protocol text not null check (protocol in ('oidc', 'saml')),
  settings jsonb not null,
  -- The issuer, or the entity id: of two providers with the same one, answers could not be told apart.
  issuer text not null unique,
  -- Client secret, by the secret envelope.
  sealed_secret text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- When settings that decide who gets in changed; a test sign-in must be younger.
  configured_at timestamptz not null,
  tested_at timestamptz
);

create table upstream_domains (
  domain text primary key check (domain = lower(domain) and length(domain) between 3 and 253),
  provider_id uuid not null references upstream_providers (id) on delete cascade,
  -- What the DNS TXT record must hold.
  challenge text not null,
  verified_at timestamptz,
  -- 'dns', or 'owner': an owner's explicit act.
  verified_by text check (verified_by in ('dns', 'owner')),
  created_at timestamptz not null
);
create index upstream_domains_provider on upstream_domains (provider_id);

-- A person's account at a provider, by what the provider promises never to give to somebody else.
create table upstream_accounts (
  provider_id uuid not null references upstream_providers (id) on delete cascade,
  subject text not null check (length(subject) between 1 and 1000),
  person_id uuid not null references people (id),
  email text not null,
  -- Roles that the mapping gave at the last sign-in, so that the next can take them away.
  roles text[] not null default '{}',
  linked_by text not null check (linked_by in ('made', 'invited', 'proof')),
  created_at timestamptz not null,
  last_at timestamptz not null,
  primary key (provider_id, subject),
  unique (provider_id, person_id)
);
create index upstream_accounts_person on upstream_accounts (person_id);

-- Groups by mapping, beside those of the directory.
create table upstream_members (
  provider_id uuid not null references upstream_providers (id) on delete cascade,
  person_id uuid not null references people (id),
  group_id uuid not null references scim_groups (id) on delete cascade,
  primary key (provider_id, person_id, group_id)
);
create index upstream_members_person on upstream_members (person_id);

-- Which sign-in at a provider a session came from: what a sign-out there ends, and a sign-out here tells.
create table upstream_sessions (
  session_id uuid primary key references sessions (id) on delete cascade,
  provider_id uuid not null references upstream_providers (id) on delete cascade,
  subject text not null,
  -- `sid` of the id_token, or the SessionIndex.
  sid text,
  name_id jsonb,
  sealed_id_token text
);
create index upstream_sessions_subject on upstream_sessions (provider_id, subject);

-- What came of the latest sign-ins, with the reason, for whoever sets a provider up.
create table upstream_attempts (
  id uuid primary key,
  provider_id uuid not null references upstream_providers (id) on delete cascade,
  at timestamptz not null,
  kind text not null check (kind in ('sign-in', 'test', 'step-up', 'link', 'logout')),
  -- Null: it went well.
  reason text,
  person_id uuid,
  detail jsonb not null
);
create index upstream_attempts_provider on upstream_attempts (provider_id, at);
