create table backup_own (
  id integer primary key check (id = 1),
  recipient text not null,
  recipient_id text not null,
  every_s integer,
  rpo_s integer not null,
  next_at bigint,
  verified_taken_at bigint,
  verified_at bigint
);
