-- A run may be about an OAuth client: every grant that it holds in a connected tool.
alter table discovery_run drop constraint discovery_run_subject_type_check;
alter table discovery_run add constraint discovery_run_subject_type_check check (subject_type in ('app', 'key', 'client'));
