-- What MCP servers offer, as seen and as accepted, and the schemas of GraphQL endpoints.

create table mcp_items (
  id uuid primary key,
  app_id uuid not null references apps (id) on delete cascade,
  kind text not null check (kind in ('tool', 'prompt', 'instructions')),
  name text not null,
  state text not null check (state in ('pending', 'accepted', 'suspended', 'rejected')),
  -- Definitions as JSON text: jsonb would refuse what a hostile server may put into one.
  accepted text,
  accepted_sha256 text,
  seen text not null,
  seen_sha256 text not null,
  access text not null check (access in ('read', 'write')),
  first_seen_at timestamptz not null,
  seen_at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  unique (app_id, kind, name)
);

alter table blobs drop constraint blobs_kind_check;
alter table blobs add constraint blobs_kind_check check (kind in ('operations', 'description', 'graphql-schema'));

create table graphql_schemas (
  app_id uuid primary key references apps (id) on delete cascade,
  sha256 text not null references blobs (sha256),
  bytes bigint not null,
  types integer not null,
  -- Root fields: what grants name.
  operations jsonb not null,
  updated_at timestamptz not null
);
