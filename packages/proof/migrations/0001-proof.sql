-- Merkle logs: RFC 6962 trees whose leaves are the records of other tables. Only ever appended to.

create table proof_logs (
  name text primary key check (name ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- The origin line of its checkpoints and the name of its key; never changes.
  origin text not null unique,
  public_key text not null,
  sealed_private text not null,
  size bigint not null default 0 check (size >= 0),
  created_at timestamptz not null
);

-- A node is stored once, when all leaves under it are there.
create table proof_nodes (
  log text not null references proof_logs (name),
  level smallint not null,
  index bigint not null,
  hash bytea not null check (length(hash) = 32),
  primary key (log, level, index)
);

create table proof_checkpoints (
  log text not null references proof_logs (name),
  size bigint not null,
  root bytea not null,
  signed_at timestamptz not null,
  note text not null,
  primary key (log, size)
);

create table proof_witnesses (
  id uuid primary key,
  name text not null unique,
  url text not null,
  vkey text not null,
  created_at timestamptz not null
);

-- What a witness last cosigned of a log, and what went wrong since.
create table proof_witness_state (
  witness_id uuid not null references proof_witnesses (id) on delete cascade,
  log text not null references proof_logs (name),
  size bigint not null default 0,
  cosigned_at timestamptz,
  error text,
  primary key (witness_id, log)
);

create function proof_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'a Merkle log is append-only';
end $$;

create trigger proof_nodes_no_change before update or delete on proof_nodes
  for each row execute function proof_is_append_only();
create trigger proof_nodes_no_truncate before truncate on proof_nodes
  for each statement execute function proof_is_append_only();
