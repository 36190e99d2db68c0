-- Requirements of sensitive calls: assurance, a nonce in DPoP proofs, approval by a second person.
alter table rules drop constraint rules_kind_check;
alter table rules add constraint rules_kind_check check (kind in ('policy', 'inspection', 'limit', 'requirement'));
