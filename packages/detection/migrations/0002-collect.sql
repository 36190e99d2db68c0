-- How Cordon itself fetches or listens for a source's events; null: senders push them over HTTP.
alter table event_source add column collect jsonb;
-- What went wrong with that last; null when all is well.
alter table event_source add column collect_error text;

-- How far a collector has read: one row for each file.
create table event_source_position (
  source_id text not null references event_source (id) on delete cascade,
  item text not null,
  position jsonb not null,
  updated_at bigint not null,
  primary key (source_id, item)
);
