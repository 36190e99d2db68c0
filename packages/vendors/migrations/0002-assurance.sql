-- What others certify about a vendor, what we audit, and what tests found. Days are ISO texts: a period has no time zone.

create table vendor_attestations (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  file_id uuid references vendor_files (id) on delete cascade,
  kind text not null,
  title text not null,
  state text not null check (state in ('proposed', 'confirmed', 'rejected')),
  -- What was read from the text, each with its passage; never overwritten by what a person says.
  reading jsonb not null,
  -- What a person confirmed or corrected; null until then.
  facts jsonb,
  -- By the kind's rule, from the confirmed facts; null: it does not run out by a day.
  valid_from text check (valid_from ~ '^\d{4}-\d{2}-\d{2}$'),
  valid_until text check (valid_until ~ '^\d{4}-\d{2}-\d{2}$'),
  note text not null,
  decided_by text,
  decided_at timestamptz,
  created_by text not null,
  created_at timestamptz not null
);
create index vendor_attestations_vendor on vendor_attestations (vendor_id, created_at);

-- A warning that somebody was told of once; it is told again only when its words change.
create table vendor_warnings (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  -- What it is about and what was said: the same is not said twice.
  topic text not null,
  text text not null,
  owner text not null,
  -- Where it went; null: the owner is no address and no known person.
  mailed_to text,
  created_at timestamptz not null,
  unique (vendor_id, topic)
);

-- Our own audits: the checklist as it was when it was chosen, and how often it comes again.
create table vendor_audits (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  title text not null,
  checklist jsonb not null,
  owner text not null,
  -- Null: once.
  every_months int check (every_months between 1 and 60),
  ended_at timestamptz,
  created_by text not null,
  created_at timestamptz not null
);
create table vendor_audit_runs (
  id uuid primary key,
  audit_id uuid not null references vendor_audits (id) on delete cascade,
  due_on text not null check (due_on ~ '^\d{4}-\d{2}-\d{2}$'),
  results jsonb not null,
  done_at timestamptz,
  done_by text,
  created_at timestamptz not null,
  -- The next occurrence exists once, whoever makes it.
  unique (audit_id, due_on)
);

create table pentests (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  file_id uuid references vendor_files (id) on delete set null,
  title text not null,
  -- A vendor's report or letter, or our own test of an integration.
  kind text not null check (kind in ('report', 'letter', 'own')),
  integration_id uuid,
  tester text not null,
  scope text not null,
  tested_from text check (tested_from ~ '^\d{4}-\d{2}-\d{2}$'),
  tested_until text check (tested_until ~ '^\d{4}-\d{2}-\d{2}$'),
  created_by text not null,
  created_at timestamptz not null,
  check ((kind = 'own') = (integration_id is not null))
);
create index pentests_vendor on pentests (vendor_id, created_at);

create table vendor_findings (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  pentest_id uuid references pentests (id) on delete cascade,
  audit_run_id uuid references vendor_audit_runs (id) on delete cascade,
  reference text not null,
  title text not null,
  description text not null,
  recommendation text not null,
  severity text not null check (severity in ('critical', 'high', 'medium', 'low', 'info')),
  cvss_score double precision check (cvss_score between 0 and 10),
  cvss_vector text,
  -- Whose work it is: only the vendor's own findings are shown in the portal.
  side text not null check (side in ('vendor', 'own')),
  owner text not null,
  due_on text check (due_on ~ '^\d{4}-\d{2}-\d{2}$'),
  state text not null check (state in ('open', 'fixed', 'retest', 'closed', 'accepted')),
  accepted_until text check (accepted_until ~ '^\d{4}-\d{2}-\d{2}$'),
  found_on text not null check (found_on ~ '^\d{4}-\d{2}-\d{2}$'),
  closed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((pentest_id is null) <> (audit_run_id is null)),
  check ((state = 'accepted') = (accepted_until is not null)),
  check ((state = 'closed') = (closed_at is not null))
);
create index vendor_findings_vendor on vendor_findings (vendor_id, state);
create index vendor_findings_pentest on vendor_findings (pentest_id);

-- What happened to a finding, in order: words, changes of state, evidence.
create table vendor_finding_entries (
  id uuid primary key,
  finding_id uuid not null references vendor_findings (id) on delete cascade,
  side text not null check (side in ('vendor', 'own')),
  author text not null,
  text text not null,
  state_from text,
  state_to text,
  file_id uuid references vendor_files (id) on delete set null,
  at timestamptz not null
);
create index vendor_finding_entries_finding on vendor_finding_entries (finding_id, at);

create table vendor_settings (key text primary key, value jsonb not null, updated_at timestamptz not null);

-- A link leads to one questionnaire or to one vendor's open findings.
alter table portal_links alter column questionnaire_id drop not null;
alter table portal_links add column vendor_id uuid references vendors (id) on delete cascade;
alter table portal_links add constraint portal_links_subject check ((questionnaire_id is null) <> (vendor_id is null));
create index portal_links_vendor on portal_links (vendor_id) where vendor_id is not null;
