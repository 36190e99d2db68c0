-- Vendors: who they are, what they answered, what they signed. Files and messages are sealed; tokens are kept as hashes.

create table vendors (
  id uuid primary key,
  name text not null,
  stage text not null check (stage in ('intake', 'assessment', 'approval', 'monitoring', 'offboarding', 'ended')),
  profile jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index vendors_name on vendors (lower(name));

-- An app belongs to one vendor; apps are the estate's, so their rows are not referenced.
create table vendor_apps (
  app_id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade
);

create table vendor_subprocessors (
  vendor_id uuid not null references vendors (id) on delete cascade,
  -- The name without case, signs and legal form: one company under several spellings is one node.
  key text not null,
  name text not null,
  country text,
  purpose text,
  source text not null,
  seen_at timestamptz not null,
  primary key (vendor_id, key)
);

create table vendor_tasks (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  kind text not null,
  title text not null,
  position int not null,
  proof jsonb,
  done_at timestamptz,
  done_by text,
  created_at timestamptz not null
);

create table vendor_files (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  name text not null,
  kind text not null check (kind in ('workbook', 'docx', 'pdf', 'text', 'image')),
  purpose text not null check (purpose in ('evidence', 'questionnaire', 'contract', 'attachment', 'subprocessors')),
  sha256 text not null,
  bytes int not null,
  sealed text not null,
  sealed_text text,
  created_at timestamptz not null,
  created_by text not null
);
create index vendor_files_vendor on vendor_files (vendor_id, created_at);

create table questionnaires (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  title text not null,
  form jsonb not null,
  -- The workbook that it came from and goes back into; null for own forms.
  origin jsonb,
  state text not null check (state in ('draft', 'sent', 'submitted', 'reviewed')),
  due_at timestamptz,
  reminded_at timestamptz,
  submitted_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index questionnaires_vendor on questionnaires (vendor_id, created_at);

create table questionnaire_answers (
  questionnaire_id uuid not null references questionnaires (id) on delete cascade,
  question_id text not null,
  value jsonb not null,
  version int not null,
  review text check (review in ('accepted', 'follow_up')),
  answered_by text not null,
  answered_at timestamptz not null,
  primary key (questionnaire_id, question_id)
);

create table questionnaire_comments (
  id uuid primary key,
  questionnaire_id uuid not null references questionnaires (id) on delete cascade,
  question_id text not null,
  author text not null,
  side text not null check (side in ('reviewer', 'vendor')),
  text text not null,
  created_at timestamptz not null
);
create index questionnaire_comments_questionnaire on questionnaire_comments (questionnaire_id, created_at);

create table portal_links (
  id uuid primary key,
  questionnaire_id uuid not null references questionnaires (id) on delete cascade,
  email text not null,
  language text not null,
  token_sha256 bytea not null unique,
  -- For reminders, which repeat the link.
  sealed text not null,
  -- The questions that a colleague was asked for; null: all of them.
  questions jsonb,
  invited_by text not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  opened_at timestamptz,
  created_at timestamptz not null
);
create index portal_links_questionnaire on portal_links (questionnaire_id);

create table portal_codes (
  link_id uuid primary key references portal_links (id) on delete cascade,
  code_sha256 bytea not null,
  attempts int not null,
  sent int not null,
  window_at timestamptz not null,
  sent_at timestamptz not null,
  expires_at timestamptz not null
);

create table portal_sessions (
  token_sha256 bytea primary key,
  link_id uuid not null references portal_links (id) on delete cascade,
  expires_at timestamptz not null
);

create table vendor_contracts (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  file_id uuid not null references vendor_files (id) on delete cascade,
  title text not null,
  result jsonb not null,
  -- Clause id → what a person decided, who and when.
  confirmations jsonb not null,
  created_at timestamptz not null
);
create index vendor_contracts_vendor on vendor_contracts (vendor_id);

create table vendor_mail (
  id uuid primary key,
  sealed text not null,
  attempts int not null,
  next_at timestamptz not null,
  sent_at timestamptz,
  failed text,
  created_at timestamptz not null
);
create index vendor_mail_due on vendor_mail (next_at) where sent_at is null and failed is null;
