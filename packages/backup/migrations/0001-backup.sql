create table backup_plans (
  id uuid primary key,
  connection_id uuid not null unique,
  name text not null,
  app text not null,
  streams jsonb,
  every_s integer,
  verify_every_s integer,
  sample_every_s integer,
  whole_every_s integer not null,
  retention jsonb not null,
  rpo_s integer not null,
  rto_s integer not null,
  next_backup_at bigint,
  next_verify_at bigint,
  next_sample_at bigint,
  whole_at bigint,
  verified_taken_at bigint,
  verified_at bigint,
  sample_ms double precision,
  sample_records integer,
  sample_at bigint,
  created_at bigint not null
);

create table backup_jobs (
  id uuid primary key,
  key text not null unique,
  plan_id uuid references backup_plans (id) on delete cascade,
  kind text not null,
  input jsonb not null,
  status text not null,
  result jsonb,
  error text,
  actor text not null,
  created_at bigint not null,
  started_at bigint,
  ended_at bigint
);
create index backup_jobs_by_plan on backup_jobs (plan_id, created_at desc);

create table backup_restore_items (
  job_id uuid not null references backup_jobs (id) on delete cascade,
  ordinal integer not null,
  op text not null,
  object text not null,
  record_id text not null,
  title text,
  blob text,
  action text,
  note text,
  status text not null,
  new_id text,
  primary key (job_id, ordinal)
);

create table backup_new_ids (
  connection_id uuid not null,
  object text not null,
  old_id text not null,
  new_id text not null,
  primary key (connection_id, object, old_id)
);
