-- Addresses that gateways locked, shown beside those of the token endpoint.
alter table client_locks drop constraint client_locks_kind_check;
alter table client_locks add constraint client_locks_kind_check check (kind in ('address', 'client', 'gateway'));
