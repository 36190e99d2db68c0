-- What gateways saw of upstreams when they connected to them: the last of each host, and when people were told.

create table upstream_certificates (
  app_id uuid not null references apps (id) on delete cascade,
  host text not null check (length(host) <= 300),
  -- The last connection that came about; null when none has.
  seen jsonb,
  seen_at timestamptz,
  -- Why the gateway refused the last one, if it did after that.
  refused text,
  refused_at timestamptz,
  -- Problems that people were told of, and the day (UTC) of it.
  told text[] not null default '{}',
  told_on text,
  primary key (app_id, host)
);
