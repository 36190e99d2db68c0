-- Secrets of ways in and out, sealed: the key of a bucket that is read, the address of a webhook that is told.
alter table event_source add column sealed text;
alter table notification_target add column sealed text;

-- Channels of Splunk's HTTP Event Collector: how many deliveries of each are on disk.
create table hec_channel (
  source_id text not null references event_source (id) on delete cascade,
  channel text not null,
  next_id bigint not null,
  used_at bigint not null,
  primary key (source_id, channel)
);
