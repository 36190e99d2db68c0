-- Policy on sign-in: every change is a new version in full, so that history is what was in force.

create table sign_in_policy_versions (
  version integer primary key check (version > 0),
  -- Whether people sign in when no policy says otherwise.
  base boolean not null,
  policies jsonb not null,
  networks jsonb not null,
  note text not null,
  made_by text not null,
  made_at timestamptz not null
);

-- Browsers that a person has signed in with; the value is a cookie, so only its hash.
create table known_devices (
  person_id uuid not null,
  hash bytea not null check (length(hash) = 32),
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (person_id, hash)
);
create index known_devices_last on known_devices (last_at);

-- What was decided of each sign-in, with the facts it was decided from: explanation for the administrator, and what a
-- change is tried on before it is in force.
create table sign_in_records (
  id uuid primary key,
  at timestamptz not null,
  -- No foreign key: it is written beside transactions that hold the person's row.
  person_id uuid not null,
  person_name text not null,
  service_kind text not null check (service_kind in ('cordon', 'oidc', 'saml')),
  service_id text not null,
  service_name text not null,
  outcome text not null check (outcome in ('allow', 'stronger', 'refuse')),
  -- Null: nobody asked a policy then.
  policy_version integer,
  exempt boolean not null default false,
  reasons jsonb not null,
  watched text,
  facts jsonb not null
);
create index sign_in_records_at on sign_in_records (at desc);
create index sign_in_records_person on sign_in_records (person_id, at desc);

-- What the audit trail knows of the time before: who, when, from where and how; not the browser, groups or risk.
insert into sign_in_records
  (id, at, person_id, person_name, service_kind, service_id, service_name, outcome, policy_version, reasons, facts)
select
  gen_random_uuid(), a.at, p.id, p.name, 'cordon', 'cordon', 'Cordon', 'allow', null, '[]'::jsonb,
  jsonb_build_object(
    'login', p.login, 'roles', to_jsonb(p.roles), 'groups', '[]'::jsonb,
    'address', coalesce(a.record::jsonb #>> '{detail,ip}', ''),
    'agent', '', 'country', 'unknown',
    'methods', coalesce(a.record::jsonb #> '{detail,amr}', '[]'::jsonb),
    'strength', case
      when a.record::jsonb #> '{detail,amr}' ?| array['hwk', 'fed-phr'] then 'passkey'
      when a.record::jsonb #> '{detail,amr}' ?| array['otp', 'fed-mfa'] then 'mfa'
      else 'any' end,
    'authAgeS', 0, 'device', 'new', 'compliance', 'unknown', 'risk', 0, 'alerts', 0,
    'missing', '["groups", "country", "device", "compliance", "risk", "alerts"]'::jsonb)
from audit_trail a
join people p on p.id::text = a.actor_id
where a.action = 'session.started'
  and a.record::jsonb #>> '{detail,stage}' = 'full'
  and a.at > now() - interval '35 days';
