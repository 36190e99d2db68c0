-- What a vendor is seen to do, and what follows from it: scores, contradictions, watched hosts, news, notices.

-- A score is kept when it changed; its rows are what it is the sum of.
create table vendor_scores (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  at timestamptz not null,
  weights text not null,
  inherent int not null,
  residual int not null,
  rows jsonb not null
);
create index vendor_scores_vendor on vendor_scores (vendor_id, at desc);

-- What a vendor said, and what was seen instead. `key` names the pair: seen again, it is the same finding.
create table vendor_contradictions (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  key text not null,
  rule text not null,
  severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
  title text not null,
  said jsonb not null,
  evidence jsonb not null,
  found_at timestamptz not null,
  seen_at timestamptz not null,
  -- Set when it is no longer seen; null again when it returns.
  gone_at timestamptz,
  -- A person's word: the risk is accepted, or the finding is wrong.
  decision jsonb,
  unique (vendor_id, key)
);

create table vendor_hosts (
  id uuid primary key,
  vendor_id uuid not null references vendors (id) on delete cascade,
  host text not null,
  port int not null,
  -- Where the host is known from: an app, the website, or a person.
  source text not null,
  observation jsonb,
  checked_at timestamptz,
  due_at timestamptz not null,
  unique (vendor_id, host, port)
);
create index vendor_hosts_due on vendor_hosts (due_at);

create table vendor_news (
  id uuid primary key,
  -- Null: it is about no vendor of the register.
  vendor_id uuid references vendors (id) on delete cascade,
  kind text not null,
  severity text not null check (severity in ('critical', 'high', 'medium', 'low', 'info')),
  title text not null,
  detail jsonb not null,
  at timestamptz not null
);
create index vendor_news_vendor on vendor_news (vendor_id, at desc);

create table vendor_feeds (
  id uuid primary key,
  name text not null unique,
  kind text not null check (kind in ('notices', 'csaf')),
  url text not null,
  private_addresses jsonb not null,
  every_minutes int not null,
  due_at timestamptz not null,
  polled_at timestamptz,
  problem text,
  created_at timestamptz not null,
  created_by text not null
);

-- What a feed said, once for each of its items.
create table vendor_notices (
  id uuid primary key,
  feed_id uuid references vendor_feeds (id) on delete set null,
  external_id text not null,
  sha256 text not null unique,
  -- Null: it names no vendor of the register.
  vendor_id uuid references vendors (id) on delete cascade,
  named text not null,
  title text not null,
  text text not null,
  severity text not null check (severity in ('critical', 'high', 'medium', 'low')),
  occurred_at timestamptz,
  case_id text,
  at timestamptz not null
);
create index vendor_notices_vendor on vendor_notices (vendor_id, at desc);

create table vendor_bad_clients (
  client_id text primary key,
  reason text not null,
  source text not null,
  at timestamptz not null,
  -- Who was told of which grant: a grant is news once.
  told jsonb not null
);

-- The key that exports are signed with; one for this installation, sealed.
create table vendor_export_key (
  id int primary key check (id = 1),
  certificate text not null,
  sealed text not null,
  created_at timestamptz not null
);
