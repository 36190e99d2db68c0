-- How a client learns of a decision (OpenID CIBA Core 1.0, section 5), and where it is told.
alter table oauth_clients add column delivery_mode text not null default 'poll'
  check (delivery_mode in ('poll', 'ping', 'push'));
alter table oauth_clients add column notification_endpoint text
  check ((notification_endpoint is null) = (delivery_mode = 'poll'));
-- When a request that waits was last polled for, and how long its client has to leave between two polls.
alter table oauth_artifacts add column polled_at timestamptz;
alter table oauth_artifacts add column poll_interval_s integer;
