-- The audit trail: append-only and hash-chained. `hash` covers `prev` and the record's canonical bytes.
create table audit_trail (
  seq bigint primary key,
  at timestamptz not null,
  actor_kind text not null,
  actor_id text,
  actor_name text not null,
  action text not null,
  target_type text not null,
  target_id text,
  target_name text,
  record text not null,
  prev bytea not null,
  hash bytea not null
);

create index audit_trail_target on audit_trail (target_type, target_id);
create index audit_trail_at on audit_trail (at);

-- One row: the head of the chain. Its lock makes appends of concurrent transactions strictly ordered.
create table audit_head (
  one boolean primary key default true check (one),
  seq bigint not null,
  hash bytea not null
);
insert into audit_head (seq, hash) values (0, '\x0000000000000000000000000000000000000000000000000000000000000000');

create function audit_trail_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only';
end $$;

create trigger audit_trail_no_change before update or delete on audit_trail
  for each row execute function audit_trail_is_append_only();
create trigger audit_trail_no_truncate before truncate on audit_trail
  for each statement execute function audit_trail_is_append_only();
