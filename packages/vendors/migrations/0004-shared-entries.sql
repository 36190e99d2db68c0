-- What we write about a finding stays ours unless it is meant for the vendor.
alter table vendor_finding_entries add column is_shared boolean not null default false;
