-- Deliveries that a detection source gets too: when it had them.
alter table webhook_delivery add column fed_at bigint;
create index webhook_delivery_feed on webhook_delivery (id) where fed_at is null and sealed is not null;
