-- The label that the tool has on a record, as it was read: another than ours is drift.
alter table dlp_incident add column tool_label text;
