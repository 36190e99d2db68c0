-- Cases of an exercise, and messages of theirs that were held back where they would have left.
alter table incident_case add column drill text;
create index incident_case_drill on incident_case (drill) where drill is not null;
alter table incident_message drop constraint incident_message_status_check;
alter table incident_message add constraint incident_message_status_check
  check (status in ('waiting', 'sent', 'failed', 'held'));
