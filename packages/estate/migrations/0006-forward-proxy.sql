-- The forward proxy: one row of settings, and the authority that signs certificates of opened connections.
create table proxy_settings (
  one boolean primary key default true check (one),
  settings jsonb not null,
  certificate text not null,
  sealed_key text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
