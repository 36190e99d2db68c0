-- What is due of one endpoint, in the order in which it is claimed.
create index webhook_delivery_claim on webhook_delivery (endpoint_id, next_at, id) where status = 'waiting';
