-- A removed app stays until it was told that its sessions are over; nothing but that finds it.
alter table sso_apps add column removed_at timestamptz;
