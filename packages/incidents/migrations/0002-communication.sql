-- Times are milliseconds since the epoch.

create table incident_contact (
  id text primary key,
  kind text not null check (kind in ('vendor', 'app', 'regulator', 'insurer', 'customer-group', 'internal')),
  name text not null unique,
  -- The vendor's or app's name, or the recipient of a duty such as `supervisory-authority-eu`.
  about text not null default '',
  -- One after the other until somebody confirms: channel, addresses, minutes to wait.
  steps jsonb not null,
  note text not null default '',
  -- Of a customer group: hours within which its contract asks for notice.
  notice_hours integer,
  test_days integer not null,
  tested_at bigint,
  confirmed_at bigint,
  confirmed_by text,
  created_at bigint not null,
  updated_at bigint not null
);

-- One attempt to reach a contact: a test, or a message of a case.
create table incident_outreach (
  id text primary key,
  contact_id text not null references incident_contact (id) on delete cascade,
  case_id text references incident_case (id) on delete cascade,
  subject text not null,
  text text not null,
  -- Of the word in the link by which the contact confirms; the word itself is only in the message.
  token_sha256 text not null unique,
  token_sealed text not null,
  -- The next step to try; null when all were tried.
  next_step integer,
  next_at bigint not null,
  started_at bigint not null,
  started_by text not null,
  confirmed_at bigint,
  confirmed_by text
);
create index incident_outreach_due on incident_outreach (next_at) where confirmed_at is null and next_step is not null;

-- What is known about a case, as far as duties ask; the organisation's own row has the id `organisation`.
create table incident_facts (id text primary key, facts jsonb not null, updated_at bigint not null, updated_by text not null);

create table incident_duty_record (
  case_id text not null references incident_case (id) on delete cascade,
  duty text not null,
  stage text not null,
  kind text not null check (kind in ('sent', 'waived', 'soon', 'overdue')),
  at bigint not null,
  recorded_at bigint not null,
  recorded_by text not null,
  due_at bigint,
  detail jsonb not null default '{}',
  primary key (case_id, duty, stage, kind)
);

-- A vendor's notice as it came; the same text opens one case.
create table incident_notice (
  id text primary key,
  case_id text not null references incident_case (id) on delete cascade,
  form text not null check (form in ('mail', 'form', 'csaf')),
  vendor text not null,
  reference text not null,
  sha256 text not null unique,
  sealed text not null,
  received_at bigint not null,
  received_by text not null
);
