-- Times are milliseconds since the epoch.

-- An address under /hooks/ of the gateways, and where what comes there goes.
create table webhook_endpoint (
  id text primary key,
  name text not null unique,
  app_id text not null,
  integration_id text not null,
  status text not null check (status in ('active', 'paused', 'disabled')),
  settings jsonb not null,
  -- Hash of the snapshot entry last published: a scheme that an upgrade changed is published again.
  published text not null,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null
);

-- `vendor`: what the vendor signs with. `signing`: what Cordon signs its deliveries with. Two live of each at most.
create table webhook_secret (
  id text primary key,
  endpoint_id text not null references webhook_endpoint (id) on delete cascade,
  purpose text not null check (purpose in ('vendor', 'signing')),
  sealed text not null,
  -- Set when another took its place: good until then.
  not_after bigint,
  created_at bigint not null,
  created_by text not null
);
create index webhook_secret_endpoint on webhook_secret (endpoint_id, purpose, created_at desc);

create table webhook_delivery (
  id text primary key,
  endpoint_id text not null references webhook_endpoint (id) on delete cascade,
  received_at bigint not null,
  type text not null,
  vendor_id text not null,
  order_key text,
  content_type text not null,
  bytes bigint not null,
  -- The content, sealed; null once it was erased.
  sealed text,
  status text not null check (status in ('waiting', 'delivered', 'dead', 'duplicate')),
  attempts integer not null default 0,
  -- Attempts of this round: a redelivery by hand begins a new one.
  round integer not null default 0,
  next_at bigint not null,
  leased_until bigint not null default 0,
  settled_at bigint
);
create index webhook_delivery_list on webhook_delivery (endpoint_id, id desc);
create index webhook_delivery_due on webhook_delivery (next_at) where status = 'waiting';
create index webhook_delivery_order on webhook_delivery (endpoint_id, order_key, received_at, id) where status = 'waiting' and order_key is not null;
create index webhook_delivery_erase on webhook_delivery (endpoint_id, settled_at) where sealed is not null;

-- What was taken once. One table for all gateways: of two that took a copy each, one finds the other's row.
create table webhook_replay (
  endpoint_id text not null references webhook_endpoint (id) on delete cascade,
  replay_key text not null,
  delivery_id text not null,
  seen_at bigint not null,
  primary key (endpoint_id, replay_key)
);
create index webhook_replay_age on webhook_replay (seen_at);

create table webhook_attempt (
  id text primary key,
  delivery_id text not null references webhook_delivery (id) on delete cascade,
  number integer not null,
  at bigint not null,
  duration_ms integer not null,
  -- What the integration answered; null when it didn't.
  status integer,
  error text,
  headers jsonb not null,
  -- The beginning of the answer, sealed; null once it was erased.
  sealed text,
  by_hand text
);
create index webhook_attempt_delivery on webhook_attempt (delivery_id, number);
