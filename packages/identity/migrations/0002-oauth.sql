-- OAuth clients of integrations, and what oidc-provider keeps. Every token and code is stored as the SHA-256 of
-- its value: whoever reads these tables can use none of them.

create table oauth_clients (
  id uuid primary key,
  -- null: a client of Cordon itself (a gateway that introspects).
  integration_id uuid,
  name text not null check (length(name) between 1 and 200),
  auth_method text not null
    check (auth_method in ('client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth')),
  jwks jsonb,
  tls_subject text,
  binding text not null default 'none' check (binding in ('none', 'dpop', 'mtls')),
  token_ttl_s integer not null check (token_ttl_s between 60 and 86400),
  introspects boolean not null default false,
  status text not null check (status in ('active', 'suspended', 'revoked')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz,
  last_token_at timestamptz
);
create index oauth_clients_integration on oauth_clients (integration_id);

-- Several at once only while one replaces another.
create table oauth_client_secrets (
  id uuid primary key,
  client_id uuid not null references oauth_clients (id) on delete cascade,
  hash bytea not null,
  hint text not null,
  created_at timestamptz not null,
  expires_at timestamptz
);
create index oauth_client_secrets_client on oauth_client_secrets (client_id);

create table oauth_tokens (
  hash bytea primary key check (length(hash) = 32),
  kind text not null check (kind in ('AccessToken', 'ClientCredentials', 'RefreshToken')),
  client_id uuid not null references oauth_clients (id) on delete cascade,
  integration_id uuid,
  grant_hash bytea,
  payload jsonb not null,
  cnf jsonb,
  scope text,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  -- Set once the estate has put the token into the gateways' snapshot.
  published boolean not null default false
);
create index oauth_tokens_unpublished on oauth_tokens (issued_at) where not published;
create index oauth_tokens_client on oauth_tokens (client_id);
create index oauth_tokens_integration on oauth_tokens (integration_id);
create index oauth_tokens_grant on oauth_tokens (grant_hash) where grant_hash is not null;
create index oauth_tokens_expiry on oauth_tokens (expires_at);

-- Everything else that oidc-provider stores: codes, grants, sessions, interactions, pushed requests.
create table oauth_artifacts (
  model text not null,
  hash bytea not null,
  payload jsonb not null,
  grant_hash bytea,
  uid text,
  expires_at timestamptz,
  consumed_at timestamptz,
  primary key (model, hash)
);
create index oauth_artifacts_grant on oauth_artifacts (grant_hash) where grant_hash is not null;
create index oauth_artifacts_uid on oauth_artifacts (model, uid) where uid is not null;
create index oauth_artifacts_expiry on oauth_artifacts (expires_at);

-- jti values of client assertions and DPoP proofs that were seen (RFC 7523 section 3, RFC 9449 section 11.1).
create table oauth_replays (
  id text primary key,
  expires_at timestamptz not null
);
create index oauth_replays_expiry on oauth_replays (expires_at);

create table signing_keys (
  kid text primary key,
  alg text not null,
  public_jwk jsonb not null,
  sealed_private text not null,
  -- 'retired' still verifies what it signed.
  status text not null check (status in ('active', 'retired')),
  created_at timestamptz not null,
  retired_at timestamptz
);
