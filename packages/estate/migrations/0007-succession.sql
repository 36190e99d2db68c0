-- Who answers for an integration after its owner, and until when somebody has to be found when nobody does.
alter table integrations
  add column backup_owner_id text,
  add column backup_owner_name text,
  add column orphaned_until timestamptz;
create index integrations_owner on integrations (owner_id);
create index integrations_orphaned on integrations (orphaned_until) where orphaned_until is not null;
