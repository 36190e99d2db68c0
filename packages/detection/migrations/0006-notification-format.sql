-- What a target is, and when and how it wants to be told. Targets that were there are plain webhooks.
alter table notification_target
  add column kind text not null default 'webhook'
    check (kind in ('webhook', 'slack', 'teams', 'pagerduty', 'mail')),
  add column mail_to text[] not null default '{}',
  add column routing_key text,
  add column template jsonb,
  add column quiet jsonb,
  add column tell_closed boolean not null default false;

alter table notification_delivery
  add column event text not null default 'raised' check (event in ('raised', 'closed'));
create index notification_delivery_failed on notification_delivery (failed_at) where failed_at is not null;

-- Old alerts and what belongs to them are cleared by age.
create index alert_closed on alert (status_at) where status = 'closed';
create index alert_signal_quiet on alert_signal (at) where alert_id is null;
create index event_source_time_age on event_source_time (first_at);
