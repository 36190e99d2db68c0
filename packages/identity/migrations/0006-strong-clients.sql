-- Certificates of integrations, approvals by a second person, and locks of clients that fail again and again.

-- The built-in authority that issues certificates to integrations. The newest one issues; older ones still verify.
create table client_authorities (
  id uuid primary key,
  certificate text not null,
  sealed_key text not null,
  created_at timestamptz not null,
  ends_at timestamptz not null
);

-- What the built-in authority issued. A certificate that isn't here, or is revoked, identifies nobody.
create table client_certificates (
  id uuid primary key,
  client_id uuid not null references oauth_clients (id) on delete cascade,
  integration_id uuid not null,
  serial text not null,
  -- RFC 8705: base64url of the SHA-256 of the DER.
  thumbprint text not null unique,
  uri text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  issued_at timestamptz not null,
  issued_by text not null check (issued_by in ('enrolment', 'renewal')),
  revoked_at timestamptz,
  revoked_reason text
);
create index client_certificates_integration on client_certificates (integration_id);
create index client_certificates_client on client_certificates (client_id);

-- One-time codes with which a workload gets its first certificate.
create table client_enrolments (
  hash bytea primary key check (length(hash) = 32),
  integration_id uuid not null,
  name text not null,
  created_by jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);

-- The URI name (SPIFFE id) of a certificate, instead of its subject.
alter table oauth_clients add column tls_uri text;
-- DPoP proofs of this client must carry a nonce (RFC 9449, section 8).
alter table oauth_clients add column dpop_nonce boolean not null default false;

create table approvals (
  id uuid primary key,
  client_id uuid not null references oauth_clients (id) on delete cascade,
  integration_id uuid not null,
  integration_name text not null,
  owner_id text not null,
  -- 'approvers', or the id of the person who was asked.
  asked text not null,
  call jsonb not null,
  message text,
  sealed_request text not null,
  grant_hash bytea,
  status text not null check (status in ('pending', 'approved', 'denied')),
  decided_by text,
  decided_by_name text,
  decided_at timestamptz,
  reason text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  token_at timestamptz,
  uses integer not null default 0,
  uses_max integer not null check (uses_max between 1 and 100),
  last_used_at timestamptz,
  check (uses <= uses_max)
);
create index approvals_status on approvals (status, created_at);
create unique index approvals_grant on approvals (grant_hash) where grant_hash is not null;

alter table oauth_tokens add column approval_id uuid references approvals (id) on delete cascade;
-- RFC 7638 thumbprint of the key of the certificate that the client showed when it obtained the token.
alter table oauth_tokens add column peer_jkt text;

-- Failures at the token endpoint, by address or client.
create table client_locks (
  kind text not null check (kind in ('address', 'client')),
  value text not null,
  failures integer not null,
  window_start timestamptz not null,
  locked_until timestamptz,
  reason text not null,
  primary key (kind, value)
);
