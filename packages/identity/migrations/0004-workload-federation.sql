-- Workloads that show an assertion of an issuer they run under (RFC 7523, section 2.1) instead of a stored secret.
alter table oauth_clients drop constraint oauth_clients_auth_method_check;
alter table oauth_clients add constraint oauth_clients_auth_method_check check (auth_method in
  ('client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'federated'));
alter table oauth_clients add column federation jsonb;
alter table oauth_clients add constraint oauth_clients_federation_check
  check ((auth_method = 'federated') = (federation is not null));
