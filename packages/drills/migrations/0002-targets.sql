-- Apps of the estate that somebody said are an emulator or a test system: a drill may steal a token to them.
create table drill_target (
  app_id text primary key,
  app text not null,
  -- The one read that the drill's integration is granted, and a path of it that answers.
  operation text not null,
  path text not null,
  reason text not null,
  made_at bigint not null,
  made_by text not null
);

-- Null: the drill's own app before an emulator that the worker serves.
alter table drill add column target jsonb;
alter table drill_schedule add column target text;
