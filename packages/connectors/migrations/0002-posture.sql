-- How the settings of a connection compare with the checks of its product, as last judged.
create table connector_posture (
  connection_id uuid not null references connector_connection (id) on delete cascade,
  check_id text not null,
  title text not null,
  severity text not null,
  result text not null check (result in ('pass', 'fail', 'not_visible', 'not_applicable', 'error')),
  reason text not null,
  evidence jsonb not null,
  since timestamptz not null,
  evaluated_at timestamptz not null,
  primary key (connection_id, check_id)
);

-- Each time a result became another one.
create table connector_posture_change (
  id bigint generated always as identity primary key,
  connection_id uuid not null references connector_connection (id) on delete cascade,
  check_id text not null,
  kind text not null,
  before text,
  after text,
  reason text not null,
  at timestamptz not null
);
create index connector_posture_change_connection on connector_posture_change (connection_id, id desc);

-- Somebody answers for a failing check until a day.
create table connector_posture_exception (
  id uuid primary key,
  connection_id uuid not null references connector_connection (id) on delete cascade,
  check_id text not null,
  reason text not null,
  approved_by text not null,
  approved_at timestamptz not null,
  expires_at timestamptz not null
);
create index connector_posture_exception_connection on connector_posture_exception (connection_id, check_id);
