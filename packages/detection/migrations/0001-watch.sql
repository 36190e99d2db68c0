-- Times are milliseconds since the epoch.

-- Where vendor events come from. Only the hash of a credential is kept; the hint lets a person tell two apart.
create table event_source (
  id text primary key,
  name text not null unique,
  product text not null,
  credential_hash text not null unique,
  credential_hint text not null,
  status text not null check (status in ('active', 'paused')),
  rate_max integer not null check (rate_max > 0),
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  accepted bigint not null default 0,
  duplicates bigint not null default 0,
  failed bigint not null default 0,
  last_received_at bigint,
  -- Event time of the newest event, and how far behind the last delivery was.
  watermark bigint,
  lag_ms bigint
);

-- What came in each hour: the error rate is that of the last hours, not of all time.
create table event_source_hour (
  source_id text not null references event_source (id) on delete cascade,
  hour bigint not null,
  accepted bigint not null,
  failed bigint not null,
  primary key (source_id, hour)
);

-- A record without a time of its own keeps the time of its first delivery, else a second one would look new.
create table event_source_time (
  source_id text not null references event_source (id) on delete cascade,
  event_id text not null,
  first_at bigint not null,
  primary key (source_id, event_id)
);

-- Records that no event could be made of. The id follows from source and record: a resend is no second letter.
create table dead_letter (
  id text primary key,
  source_id text not null references event_source (id) on delete cascade,
  received_at bigint not null,
  raw text not null,
  external_id text,
  reason text not null,
  attempts integer not null default 1,
  status text not null check (status in ('waiting', 'replay', 'replayed', 'discarded')),
  updated_at bigint not null
);
create index dead_letter_list on dead_letter (source_id, status, received_at);
create index dead_letter_replay on dead_letter (received_at) where status = 'replay';

create table alert (
  id text primary key,
  rule_id text not null,
  rule_kind text not null check (rule_kind in ('rule', 'correlation')),
  title text not null,
  level text not null check (level in ('informational', 'low', 'medium', 'high', 'critical')),
  entity_key text not null,
  entity jsonb not null,
  product text not null,
  -- How many alerts of this rule and entity were closed before: part of the id.
  generation integer not null,
  status text not null check (status in ('open', 'acknowledged', 'closed')),
  status_reason text,
  status_at bigint not null,
  status_by text not null,
  assignee text,
  signals bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  -- From the moment Cordon had the event to the moment the alert was here.
  delay_ms bigint not null
);
create unique index alert_one_open on alert (rule_id, entity_key) where status <> 'closed';
create index alert_newest on alert (updated_at desc, id);

-- What an alert rests on. A signal belongs to one alert for good, so a second delivery raises nothing.
create table alert_signal (
  signal_id text primary key,
  alert_id text references alert (id) on delete cascade,
  -- Set instead of an alert where an exception kept it quiet.
  exception_id text,
  at bigint not null,
  event_ids text[] not null
);
create index alert_signal_alert on alert_signal (alert_id, at);

create table alert_comment (
  id text primary key,
  alert_id text not null references alert (id) on delete cascade,
  at bigint not null,
  author text not null,
  text text not null
);
create index alert_comment_alert on alert_comment (alert_id, at);

create table detection_setting (
  rule_id text primary key,
  enabled boolean not null,
  reason text not null,
  changed_at bigint not null,
  changed_by text not null
);

-- A rule stays quiet about one entity, or about all, until a day.
create table detection_exception (
  id text primary key,
  rule_id text not null,
  entity_key text,
  reason text not null,
  expires_at bigint not null,
  created_at bigint not null,
  created_by text not null
);
create index detection_exception_rule on detection_exception (rule_id, expires_at);

create table notification_target (
  id text primary key,
  name text not null unique,
  url text not null,
  level_min text not null,
  private_addresses text[] not null,
  created_at bigint not null,
  created_by text not null
);

-- Written with the alert, sent later: nothing is lost between the two.
create table notification_delivery (
  id text primary key,
  target_id text not null references notification_target (id) on delete cascade,
  alert_id text not null references alert (id) on delete cascade,
  attempts integer not null default 0,
  next_at bigint not null,
  delivered_at bigint,
  failed_at bigint,
  last_error text
);
create index notification_delivery_due on notification_delivery (next_at) where delivered_at is null and failed_at is null;
