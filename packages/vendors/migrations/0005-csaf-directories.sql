-- A feed may be a whole provider of CSAF documents: where the walk stands, and how the last one went.
alter table vendor_feeds drop constraint vendor_feeds_kind_check;
alter table vendor_feeds add constraint vendor_feeds_kind_check check (kind in ('notices', 'csaf', 'csaf_provider'));
-- Authorities (PEM) that are trusted for this address in addition to the system's.
alter table vendor_feeds add column authorities jsonb not null default '[]';
alter table vendor_feeds add column state jsonb;
