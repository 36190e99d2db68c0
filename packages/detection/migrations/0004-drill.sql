-- Set by the worker on what an exercise made, after it checked the signature of its events: never counted with the rest.
alter table alert add column drill text;
create index alert_drill on alert (drill) where drill is not null;
