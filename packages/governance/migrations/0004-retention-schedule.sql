-- A rule runs by itself only when somebody says how often; a removed one keeps its runs as evidence.
alter table retention_rule add column every_days int;
alter table retention_rule add column next_at timestamptz;
create index retention_rule_next on retention_rule (next_at) where status = 'active' and next_at is not null;
