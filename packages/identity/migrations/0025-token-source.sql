-- A token that came from an exchange dies with the one it came from.

alter table oauth_tokens add column source_hash bytea;
create index oauth_tokens_source on oauth_tokens (source_hash) where source_hash is not null;
