-- Somebody answers for each app. Apps from before have nobody yet: only owners and security may change those.
alter table apps add column owner_id text, add column owner_name text;
