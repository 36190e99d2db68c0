-- What an organisation looks for beside the shipped detectors. Values and documents stand here as keyed hashes only.

create table own_detector_key (
  id text primary key,
  sealed text not null,
  created_at timestamptz not null
);

create table own_detector (
  id text primary key,
  name text not null unique,
  kind text not null,
  title text not null,
  label text not null,
  category text not null,
  confidence real not null,
  enabled boolean not null,
  -- Terms, values or phrases; 0 until something was given.
  count int not null,
  -- As packages/classifier packs it; null until something was given.
  packed bytea,
  sha256 text,
  key_id text not null references own_detector_key (id),
  created_by text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index own_detector_sha256 on own_detector (sha256);
