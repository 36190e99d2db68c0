-- The vault: credentials that are renewed, staged, kept for a while after a switch, or one integration's own.
alter table credentials
  add column integration_id uuid references integrations (id) on delete cascade,
  -- staged: to be switched to. current: in use. overlap: was in use; kept so that a switch can be taken back.
  add column stage text not null default 'current' check (stage in ('staged', 'current', 'overlap')),
  -- What is minted from (client, endpoints, scopes), never a secret; null for a credential that is sent as it is.
  add column source jsonb,
  -- Refresh token, client secret, private key: never published to a gateway.
  add column sealed_source text,
  add column state text not null default 'ready' check (state in ('pending', 'ready', 'failing', 'expired')),
  -- Counts what was minted; a gateway that was refused names the one it used.
  add column generation bigint not null default 0,
  add column expires_at timestamptz,
  add column refresh_at timestamptz,
  add column refreshed_at timestamptz,
  -- A path of the app that answers 2xx when the credential is good.
  add column verify_path text,
  add column verified_at timestamptz,
  add column problem text,
  add column failures integer not null default 0,
  -- Who renews at the moment: one at a time among all workers and controls.
  add column lease_id uuid,
  add column lease_until timestamptz,
  add column switch_at timestamptz,
  add column overlap_ms bigint,
  add column overlap_until timestamptz;

drop index credentials_current;
create unique index credentials_in_use on credentials (app_id, coalesce(integration_id, app_id), stage)
  where retired_at is null;
create index credentials_refresh on credentials (refresh_at) where retired_at is null;

-- A person on the way to a vendor's consent page and back.
create table vault_connections (
  state_sha256 text primary key check (state_sha256 ~ '^[0-9a-f]{64}$'),
  credential_id uuid not null references credentials (id) on delete cascade,
  person_id text not null,
  sealed_verifier text not null,
  redirect_uri text not null,
  expires_at timestamptz not null
);

alter table gateways add column upstreams jsonb;
