import type { AccessTables } from './groups/access-tables.ts';
import type { Role } from '@cordon/kernel';
import type { ColumnType, Generated } from 'kysely';

/** jsonb: written as text, read as whatever was stored; the reader parses it. */
type Json = ColumnType<unknown, string, string>;
type JsonOrNull = ColumnType<unknown, string | null, string | null>;

/** The tables of this package's migrations, as `pg` returns their rows. */
export interface IdentityTables extends AccessTables {
  people: {
    id: string;
    name: string;
    email: string;
    login: string;
    login_key: string;
    status: 'invited' | 'active' | 'disabled';
    roles: Role[];
    webauthn_handle: Buffer;
    source: 'local' | 'scim' | 'upstream';
    created_at: Date;
    updated_at: Date;
    last_sign_in_at: Date | null;
  };
  passkeys: {
    id: string;
    person_id: string;
    name: string;
    credential_id: string;
    public_key: Buffer;
    sign_count: number;
    transports: string[];
    device_type: string;
    backed_up: boolean;
    aaguid: string;
    attestation_format: string;
    attestation_object: Buffer;
    created_at: Date;
    last_used_at: Date | null;
  };
  passwords: { person_id: string; hash: string; updated_at: Date };
  totp_factors: {
    id: string;
    person_id: string;
    sealed_secret: string;
    last_step: Generated<number>;
    confirmed_at: Date | null;
    created_at: Date;
    last_used_at: Date | null;
  };
  recovery_codes: { person_id: string; hash: Buffer; created_at: Date; used_at: Date | null };
  auth_challenges: {
    hash: Buffer;
    kind: 'passkey-sign-in' | 'passkey-register' | 'second-factor' | 'step-up';
    person_id: string | null;
    session_id: string | null;
    challenge: string;
    expires_at: Date;
  };
  sessions: {
    id: string;
    hash: Buffer;
    person_id: string;
    stage: 'enrol' | 'full';
    amr: string[];
    strong_auth_at: Date | null;
    agent: string;
    agent_key: Buffer;
    ip: string;
    created_at: Date;
    seen_at: Date;
    expires_at: Date;
  };
  sign_in_links: {
    hash: Buffer;
    kind: 'first-owner' | 'invite' | 'recover';
    person_id: string | null;
    created_by: string;
    created_at: Date;
    expires_at: Date;
  };
  api_tokens: {
    id: string;
    hash: Buffer;
    person_id: string | null;
    name: string;
    roles: Role[];
    created_at: Date;
    expires_at: Date;
    last_used_at: Date | null;
  };
  sign_in_counters: { key: string; failures: number; window_start: Date; locked_until: Date | null };
  oauth_clients: {
    id: string;
    integration_id: string | null;
    name: string;
    auth_method: ClientAuthMethod;
    jwks: JsonOrNull;
    federation: JsonOrNull;
    tls_subject: string | null;
    tls_uri: string | null;
    dpop_nonce: Generated<boolean>;
    delivery_mode: Generated<DeliveryMode>;
    notification_endpoint: string | null;
    binding: TokenBinding;
    token_ttl_s: number;
    introspects: boolean;
    status: 'active' | 'suspended' | 'revoked';
    created_at: Date;
    updated_at: Date;
    expires_at: Date | null;
    last_token_at: Date | null;
  };
  oauth_client_secrets: {
    id: string;
    client_id: string;
    hash: Buffer;
    hint: string;
    created_at: Date;
    expires_at: Date | null;
  };
  oauth_tokens: {
    hash: Buffer;
    kind: string;
    client_id: string;
    integration_id: string | null;
    grant_hash: Buffer | null;
    payload: Json;
    cnf: JsonOrNull;
    scope: string | null;
    issued_at: Date;
    expires_at: Date;
    consumed_at: Date | null;
    published: Generated<boolean>;
    approval_id: string | null;
    peer_jkt: string | null;
    /** The token that was exchanged for this one. */
    source_hash: Buffer | null;
  };
  exchange_policies: {
    from_integration: string;
    to_integration: string;
    resources: Json;
    reason: string;
    created_by: string;
    created_at: Date;
  };
  oauth_artifacts: {
    polled_at: Generated<Date | null>;
    poll_interval_s: Generated<number | null>;
    model: string;
    hash: Buffer;
    payload: Json;
    grant_hash: Buffer | null;
    uid: string | null;
    expires_at: Date | null;
    consumed_at: Date | null;
  };
  oauth_replays: { id: string; expires_at: Date };
  client_authorities: { id: string; certificate: string; sealed_key: string; created_at: Date; ends_at: Date };
  client_certificates: {
    id: string;
    client_id: string;
    integration_id: string;
    serial: string;
    thumbprint: string;
    uri: string;
    starts_at: Date;
    ends_at: Date;
    issued_at: Date;
    issued_by: 'enrolment' | 'renewal';
    revoked_at: Date | null;
    revoked_reason: string | null;
  };
  client_enrolments: {
    hash: Buffer;
    integration_id: string;
    name: string;
    created_by: Json;
    created_at: Date;
    expires_at: Date;
    used_at: Date | null;
  };
  approvals: {
    id: string;
    client_id: string;
    integration_id: string;
    integration_name: string;
    owner_id: string;
    asked: string;
    call: Json;
    message: string | null;
    sealed_request: string;
    grant_hash: Buffer | null;
    status: 'pending' | 'approved' | 'denied';
    decided_by: string | null;
    decided_by_name: string | null;
    decided_at: Date | null;
    reason: string | null;
    created_at: Date;
    expires_at: Date;
    token_at: Date | null;
    uses: Generated<number>;
    uses_max: number;
    last_used_at: Date | null;
  };
  client_locks: {
    kind: 'address' | 'client' | 'gateway';
    value: string;
    failures: number;
    window_start: Date;
    locked_until: Date | null;
    reason: string;
  };
  signing_keys: {
    kid: string;
    alg: string;
    public_jwk: Json;
    sealed_private: string;
    status: 'active' | 'retired';
    created_at: Date;
    retired_at: Date | null;
  };
  scim_tokens: {
    id: string;
    hash: Buffer;
    name: string;
    created_at: Date;
    expires_at: Date;
    last_used_at: Date | null;
  };
  scim_users: {
    id: string;
    user_name_key: string;
    external_id: string | null;
    attributes: Json;
    version: Generated<number>;
    created_at: Date;
    updated_at: Date;
  };
  scim_groups: {
    id: string;
    display_key: string;
    external_id: string | null;
    attributes: Json;
    roles: Role[];
    kept_by: Generated<'directory' | 'cordon'>;
    description: Generated<string>;
    owner_id: Generated<string | null>;
    version: Generated<number>;
    created_at: Date;
    updated_at: Date;
  };
  scim_members: { group_id: string; user_id: string };
  sso_apps: {
    id: string;
    name: string;
    protocol: 'oidc' | 'saml';
    catalogue: string | null;
    settings: Json;
    entity_id: string | null;
    everyone: boolean;
    roles: Role[];
    groups: string[];
    launch_url: string | null;
    status: 'active' | 'disabled';
    created_at: Date;
    updated_at: Date;
    removed_at: Date | null;
  };
  sso_app_secrets: { id: string; app_id: string; hash: Buffer; created_at: Date; expires_at: Date | null };
  sso_logins: {
    id: string;
    app_id: string;
    person_id: string;
    session_id: string;
    sid: string;
    name_id: JsonOrNull;
    grant_hash: Buffer | null;
    first_at: Date;
    last_at: Date;
    count: Generated<number>;
    ended_at: Date | null;
    notice: Generated<SsoNotice>;
    attempts: Generated<number>;
    next_at: Date | null;
    outcome: string | null;
  };
  upstream_providers: {
    id: string;
    name: string;
    status: 'draft' | 'active' | 'disabled';
    protocol: 'oidc' | 'saml';
    settings: Json;
    issuer: string;
    sealed_secret: string | null;
    created_at: Date;
    updated_at: Date;
    configured_at: Date;
    tested_at: Date | null;
  };
  upstream_domains: {
    domain: string;
    provider_id: string;
    challenge: string;
    verified_at: Date | null;
    verified_by: 'dns' | 'owner' | null;
    created_at: Date;
  };
  upstream_accounts: {
    provider_id: string;
    subject: string;
    person_id: string;
    email: string;
    roles: Role[];
    linked_by: 'made' | 'invited' | 'proof';
    created_at: Date;
    last_at: Date;
  };
  upstream_members: { provider_id: string; person_id: string; group_id: string };
  upstream_sessions: {
    session_id: string;
    provider_id: string;
    subject: string;
    sid: string | null;
    name_id: JsonOrNull;
    sealed_id_token: string | null;
  };
  upstream_attempts: {
    id: string;
    provider_id: string;
    at: Date;
    kind: 'sign-in' | 'test' | 'step-up' | 'link' | 'logout';
    reason: string | null;
    person_id: string | null;
    detail: Json;
  };
  sign_in_policy_versions: {
    version: number;
    base: boolean;
    policies: Json;
    networks: Json;
    note: string;
    made_by: string;
    made_at: Date;
  };
  known_devices: { person_id: string; hash: Buffer; first_at: Date; last_at: Date };
  sign_in_records: {
    id: string;
    at: Date;
    person_id: string;
    person_name: string;
    service_kind: 'cordon' | 'oidc' | 'saml';
    service_id: string;
    service_name: string;
    outcome: 'allow' | 'stronger' | 'refuse';
    policy_version: number | null;
    exempt: boolean;
    reasons: Json;
    watched: string | null;
    facts: Json;
  };
  person_states: {
    person_id: string;
    hold: 'suspended' | 'factor-reset' | null;
    hold_source: string | null;
    hold_reason: string | null;
    hold_at: Date | null;
    compliance: 'compliant' | 'not-compliant' | 'unknown';
    risk: 'LOW' | 'MEDIUM' | 'HIGH' | 'unknown';
  };
  signal_facts: {
    seq: Generated<string>;
    kind: string;
    person_id: string;
    detail: Json;
    origin: string | null;
    at: Generated<Date>;
  };
  signal_receivers: {
    id: string;
    name: string;
    hash: Buffer;
    audience: string;
    subject_format: 'email' | 'iss_sub';
    all_subjects: boolean;
    stream: JsonOrNull;
    sealed_authorization: string | null;
    status: 'enabled' | 'paused' | 'disabled';
    status_reason: string | null;
    created_at: Date;
    updated_at: Date;
    last_used_at: Date | null;
    removed_at: Date | null;
  };
  signal_subjects: { receiver_id: string; person_id: string; included: boolean; at: Date };
  signal_outbox: {
    id: string;
    receiver_id: string;
    event: string;
    claims: Json;
    person_id: string | null;
    state: 'waiting' | 'delivered' | 'dead';
    attempts: Generated<number>;
    next_at: Date;
    outcome: string | null;
    created_at: Date;
    settled_at: Date | null;
  };
  signal_sources: {
    id: string;
    name: string;
    issuer: string;
    audience: string;
    jwks_uri: string;
    delivery: 'push' | 'poll';
    push_hash: Buffer | null;
    transmitter: Json;
    sealed_token: string | null;
    stream_id: string | null;
    actions: Json;
    status: 'active' | 'paused';
    verified_at: Date | null;
    verify_state: string | null;
    last_at: Date | null;
    last_error: string | null;
    polled_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  signal_received: {
    source_id: string;
    jti: string;
    at: Date;
    event: string;
    person_id: string | null;
    subject: Json;
    outcome: string;
    detail: Json;
  };
  sso_seen: { kind: string; hash: Buffer; expires_at: Date };
  sso_states: { hash: Buffer; kind: string; sealed: string; expires_at: Date };
  sso_certificates: {
    id: string;
    certificate: string;
    sealed_private: string;
    status: 'next' | 'active' | 'retired';
    created_at: Date;
    retired_at: Date | null;
  };
}

/** Whether an app was told that a session ended. */
export type SsoNotice = 'none' | 'waiting' | 'told' | 'not-possible' | 'failed';

export type ClientAuthMethod =
  | 'client_secret_basic'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  /** No secret at all: an assertion of the issuer that the workload runs under. */
  | 'federated';

/** How a token is tied to its holder: not at all, to a DPoP key (RFC 9449) or to a certificate (RFC 8705). */
/** How a client learns that an approval was decided (OpenID CIBA Core 1.0, section 5). */
export type DeliveryMode = 'poll' | 'ping' | 'push';
export type TokenBinding = 'none' | 'dpop' | 'mtls';
