-- What was cut off from the graph, target by target, as evidence; and proposals that were applied, so that they can be undone.
create table graph_cuts (
  id uuid primary key,
  node_id text not null,
  node_name text not null,
  reason text not null,
  digest text not null,
  targets jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  ended_at timestamptz
);
create index graph_cuts_created on graph_cuts (created_at desc);
create table access_changes (
  id uuid primary key,
  integration_id uuid not null references integrations (id),
  proposal jsonb not null,
  before_grants jsonb not null,
  after_grants jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  undone_at timestamptz,
  undone_by text
);
create index access_changes_integration on access_changes (integration_id, created_at desc);
