-- Events that control made and the worker has not yet put into the lake.
create table event_outbox (
  id bigint generated always as identity primary key,
  event jsonb not null,
  created_at timestamptz not null default now()
);

-- How far the worker has turned the audit trail into events. The batch that is under way is kept with its end, so
-- that a worker that died in the middle sends exactly the same batch again.
create table audit_export (
  one boolean primary key default true check (one),
  done_seq bigint not null,
  pending_seq bigint
);
insert into audit_export (done_seq) values (0);
