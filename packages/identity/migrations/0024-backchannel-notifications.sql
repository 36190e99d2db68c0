-- Notifications of backchannel requests (ping and push) that are still to be delivered: they outlive the process.

create table backchannel_notifications (
  id uuid primary key,
  client_id text not null,
  -- Where to, the client's own token and what it is told, sealed: a pushed token is in it.
  sealed text not null,
  tries integer not null default 0,
  next_at timestamptz not null,
  -- What is told is worth nothing after this.
  expires_at timestamptz not null,
  created_at timestamptz not null
);

create index backchannel_notifications_next_at on backchannel_notifications (next_at);
