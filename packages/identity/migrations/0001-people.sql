-- People, their factors, sessions, links and API tokens. Secrets are stored as SHA-256 of a random value,
-- as Argon2id (passwords) or sealed by the secret envelope (TOTP): none can be read back.

create table people (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  email text not null check (length(email) <= 320),
  -- What the person types to sign in: the e-mail address, or the SCIM userName. Compared without case.
  login text not null check (length(login) between 1 and 320),
  login_key text not null unique,
  status text not null check (status in ('invited', 'active', 'disabled')),
  roles text[] not null default '{}',
  -- Random user handle for WebAuthn (section 5.4.3 forbids personal data in it).
  webauthn_handle bytea not null unique check (length(webauthn_handle) = 32),
  source text not null default 'local' check (source in ('local', 'scim')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_sign_in_at timestamptz
);

create table passkeys (
  id uuid primary key,
  person_id uuid not null references people (id) on delete cascade,
  name text not null check (length(name) between 1 and 100),
  credential_id text not null unique,
  public_key bytea not null,
  sign_count bigint not null,
  transports text[] not null default '{}',
  device_type text not null,
  backed_up boolean not null,
  aaguid text not null,
  attestation_format text not null,
  attestation_object bytea not null,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_person on passkeys (person_id);

create table passwords (
  person_id uuid primary key references people (id) on delete cascade,
  hash text not null,
  updated_at timestamptz not null
);

create table totp_factors (
  id uuid primary key,
  person_id uuid not null references people (id) on delete cascade,
  sealed_secret text not null,
  -- The last time step that was accepted: RFC 6238, section 5.2 forbids a second use.
  last_step bigint not null default 0,
  confirmed_at timestamptz,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create unique index totp_factors_person on totp_factors (person_id) where confirmed_at is not null;

create table recovery_codes (
  person_id uuid not null references people (id) on delete cascade,
  hash bytea not null,
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (person_id, hash)
);

-- One row for each ceremony that waits for its second half; taken (deleted) by the attempt that answers it.
create table auth_challenges (
  hash bytea primary key,
  kind text not null check (kind in ('passkey-sign-in', 'passkey-register', 'second-factor', 'step-up')),
  person_id uuid references people (id) on delete cascade,
  session_id uuid,
  challenge text not null,
  expires_at timestamptz not null
);
create index auth_challenges_expiry on auth_challenges (expires_at);

create table sessions (
  id uuid primary key,
  hash bytea not null unique,
  person_id uuid not null references people (id) on delete cascade,
  -- 'enrol': made by a one-time link or a recovery code; may only set up factors.
  stage text not null check (stage in ('enrol', 'full')),
  amr text[] not null default '{}',
  strong_auth_at timestamptz,
  agent text not null,
  agent_key bytea not null,
  ip text not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_person on sessions (person_id);
create index sessions_expiry on sessions (expires_at);

create table sign_in_links (
  hash bytea primary key,
  kind text not null check (kind in ('first-owner', 'invite', 'recover')),
  person_id uuid references people (id) on delete cascade,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create table api_tokens (
  id uuid primary key,
  hash bytea not null unique,
  -- null: a service token made by the system itself.
  person_id uuid references people (id) on delete cascade,
  name text not null check (length(name) between 1 and 100),
  roles text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz
);
create index api_tokens_person on api_tokens (person_id);

create table sign_in_counters (
  key text primary key,
  failures integer not null,
  window_start timestamptz not null,
  locked_until timestamptz
);
