-- OpenID Shared Signals Framework 1.0 (SSF), with CAEP 1.0 and RISC 1.0.

-- What others say of a person, for policy on sign-in.
create table person_states (
  person_id uuid primary key,
  hold text check (hold in ('suspended', 'factor-reset')),
  hold_source uuid,
  hold_reason text,
  hold_at timestamptz,
  compliance text not null default 'unknown' check (compliance in ('compliant', 'not-compliant', 'unknown')),
  risk text not null default 'unknown' check (risk in ('LOW', 'MEDIUM', 'HIGH', 'unknown'))
);
create index person_states_held on person_states (hold_at) where hold is not null;

-- What happened, written by the change itself, so that no change can be made without its being told.
create table signal_facts (
  seq bigint generated always as identity primary key,
  kind text not null,
  person_id uuid not null,
  detail jsonb not null,
  -- Issuer of the signal that this follows from: it isn't told back.
  origin text,
  at timestamptz not null default now()
);

create function cordon_signal_fact(kind text, person uuid, detail jsonb) returns void language plpgsql as $$
begin
  -- Nobody listens: nothing to keep.
  if not exists (select 1 from signal_receivers where removed_at is null) then return; end if;
  insert into signal_facts (kind, person_id, detail, origin)
  values (kind, person, detail, nullif(current_setting('cordon.signal_origin', true), ''));
  perform pg_notify('cordon_signals', '');
end $$;

-- Who is told: a receiver has one stream.
create table signal_receivers (
  id uuid primary key,
  name text not null unique,
  hash bytea not null unique check (length(hash) = 32),
  audience text not null,
  -- How people are named to it.
  subject_format text not null check (subject_format in ('email', 'iss_sub')),
  -- Whether people are told of who were not added one by one.
  all_subjects boolean not null,
  -- Null: the receiver has not made its stream yet.
  stream jsonb,
  sealed_authorization text,
  status text not null check (status in ('enabled', 'paused', 'disabled')),
  status_reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_used_at timestamptz,
  removed_at timestamptz
);

create table signal_subjects (
  receiver_id uuid not null references signal_receivers (id) on delete cascade,
  person_id uuid not null,
  -- False: removed from a stream of all.
  included boolean not null,
  at timestamptz not null,
  primary key (receiver_id, person_id)
);

create table signal_outbox (
  -- The `jti`.
  id uuid primary key,
  receiver_id uuid not null references signal_receivers (id) on delete cascade,
  event text not null,
  claims jsonb not null,
  person_id uuid,
  state text not null check (state in ('waiting', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_at timestamptz not null,
  outcome text,
  created_at timestamptz not null,
  settled_at timestamptz
);
create index signal_outbox_waiting on signal_outbox (receiver_id, created_at) where state = 'waiting';
create index signal_outbox_due on signal_outbox (next_at) where state = 'waiting';
create index signal_outbox_receiver on signal_outbox (receiver_id, created_at desc);

-- Who tells us.
create table signal_sources (
  id uuid primary key,
  name text not null unique,
  issuer text not null,
  audience text not null,
  jwks_uri text not null,
  delivery text not null check (delivery in ('push', 'poll')),
  -- Of push: what the transmitter must send as Authorization.
  push_hash bytea check (length(push_hash) = 32),
  -- The configuration of the transmitter that we use, our token there and the stream.
  transmitter jsonb not null,
  sealed_token text,
  stream_id text,
  actions jsonb not null,
  status text not null check (status in ('active', 'paused')),
  verified_at timestamptz,
  verify_state text,
  last_at timestamptz,
  last_error text,
  polled_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Every event that was believed, once.
create table signal_received (
  source_id uuid not null references signal_sources (id) on delete cascade,
  jti text not null,
  at timestamptz not null,
  event text not null,
  person_id uuid,
  subject jsonb not null,
  outcome text not null,
  detail jsonb not null,
  primary key (source_id, jti)
);
create index signal_received_at on signal_received (source_id, at desc);

create function cordon_session_signal() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    -- One that ran out was not revoked, and one that only sets up factors nobody was told of.
    if old.stage = 'full' and old.expires_at > now() then
      perform cordon_signal_fact('session-revoked', old.person_id, jsonb_build_object('session', old.id));
    end if;
  elsif old.amr is distinct from new.amr then
    perform cordon_signal_fact('assurance-level-change', old.person_id,
      jsonb_build_object('session', old.id, 'before', to_jsonb(old.amr), 'after', to_jsonb(new.amr)));
  end if;
  return null;
end $$;
create trigger sessions_signal after delete or update of amr on sessions
  for each row execute function cordon_session_signal();

create function cordon_factor_signal() returns trigger language plpgsql as $$
declare
  old_row jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
  new_row jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
  person uuid := coalesce(new_row ->> 'person_id', old_row ->> 'person_id')::uuid;
  change text := case tg_op when 'INSERT' then 'create' when 'DELETE' then 'delete' else 'update' end;
begin
  if tg_table_name = 'totp_factors' then
    if tg_op = 'UPDATE' and (old_row ->> 'confirmed_at' is not null or new_row ->> 'confirmed_at' is null) then return null; end if;
    if tg_op = 'INSERT' or (tg_op = 'DELETE' and old_row ->> 'confirmed_at' is null) then return null; end if;
    if tg_op = 'UPDATE' then change := 'create'; end if;
  end if;
  perform cordon_signal_fact('credential-change', person, jsonb_strip_nulls(jsonb_build_object(
    'credential', tg_argv[0], 'change', change,
    'name', coalesce(new_row ->> 'name', old_row ->> 'name'),
    'aaguid', coalesce(new_row ->> 'aaguid', old_row ->> 'aaguid'))));
  return null;
end $$;
create trigger passkeys_signal after insert or delete on passkeys
  for each row execute function cordon_factor_signal('fido2-platform');
create trigger passwords_signal after insert or delete or update of hash on passwords
  for each row execute function cordon_factor_signal('password');
create trigger totp_signal after update of confirmed_at or delete on totp_factors
  for each row execute function cordon_factor_signal('app');

create function cordon_person_signal() returns trigger language plpgsql as $$
begin
  if old.status <> 'disabled' and new.status = 'disabled' then
    perform cordon_signal_fact('account-disabled', new.id, '{}'::jsonb);
  elsif old.status = 'disabled' and new.status <> 'disabled' then
    perform cordon_signal_fact('account-enabled', new.id, '{}'::jsonb);
  end if;
  if lower(old.email) <> lower(new.email) then
    perform cordon_signal_fact('identifier-changed', new.id, jsonb_build_object('before', old.email, 'after', new.email));
  end if;
  return null;
end $$;
create trigger people_signal after update of status, email on people
  for each row execute function cordon_person_signal();

create function cordon_link_signal() returns trigger language plpgsql as $$
begin
  if new.kind = 'recover' and new.person_id is not null then
    perform cordon_signal_fact('recovery-activated', new.person_id, '{}'::jsonb);
  end if;
  return null;
end $$;
create trigger links_signal after insert on sign_in_links
  for each row execute function cordon_link_signal();
