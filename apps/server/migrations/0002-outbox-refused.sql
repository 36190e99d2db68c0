-- An event that is no OCSF event can't be stored by trying again: it stays here with the reason and holds up nothing.
alter table event_outbox add column refused text;
create index event_outbox_waiting on event_outbox (id) where refused is null;
