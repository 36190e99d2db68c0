-- Which integration's clients may exchange another one's tokens (RFC 8693), and for which apps.
create table exchange_policies (
  from_integration uuid not null,
  to_integration uuid not null,
  resources jsonb not null check (jsonb_array_length(resources) > 0),
  reason text not null,
  created_by text not null,
  created_at timestamptz not null,
  primary key (from_integration, to_integration),
  check (from_integration <> to_integration)
);
