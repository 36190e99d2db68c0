import type { ColumnType, Kysely } from 'kysely';
import type { Queryable } from '@cordon/kernel';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string, string>;

type Instant = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** staged: to be switched to. current: in use. overlap: kept so that a switch can be taken back. */
export type Stage = 'staged' | 'current' | 'overlap';
/** pending: nobody has connected it. failing: the last renewal failed. expired: what it gave has ended. */
export type CredentialState = 'pending' | 'ready' | 'failing' | 'expired';

export interface EstateTables {
  blobs: { sha256: string; kind: 'operations' | 'description' | 'graphql-schema'; bytes: Buffer; created_at: Date };
  apps: {
    id: string;
    name: string;
    title: string;
    owner_id: string | null;
    owner_name: string | null;
    settings: Json;
    operations_sha256: string | null;
    operations_bytes: number | null;
    description_sha256: string | null;
    description_summary: ColumnType<unknown, string | null, string | null>;
    created_at: Date;
    updated_at: Date;
  };
  credentials: {
    id: string;
    app_id: string;
    shape: Json;
    sealed: string;
    created_at: Date;
    created_by: string;
    retired_at: Date | null;
    integration_id: ColumnType<string | null, string | null | undefined, string | null>;
    stage: ColumnType<Stage, Stage | undefined, Stage>;
    source: ColumnType<unknown, string | null | undefined, string | null>;
    sealed_source: ColumnType<string | null, string | null | undefined, string | null>;
    state: ColumnType<CredentialState, CredentialState | undefined, CredentialState>;
    generation: ColumnType<number, number | undefined, number>;
    expires_at: Instant;
    refresh_at: Instant;
    refreshed_at: Instant;
    verify_path: ColumnType<string | null, string | null | undefined, string | null>;
    verified_at: Instant;
    problem: ColumnType<string | null, string | null | undefined, string | null>;
    failures: ColumnType<number, number | undefined, number>;
    lease_id: ColumnType<string | null, string | null | undefined, string | null>;
    lease_until: Instant;
    switch_at: Instant;
    overlap_ms: ColumnType<number | null, number | null | undefined, number | null>;
    overlap_until: Instant;
  };
  vault_connections: {
    state_sha256: string;
    credential_id: string;
    person_id: string;
    sealed_verifier: string;
    redirect_uri: string;
    expires_at: Date;
  };
  integrations: {
    id: string;
    name: string;
    owner_id: string;
    owner_name: string;
    backup_owner_id: string | null;
    backup_owner_name: string | null;
    orphaned_until: Date | null;
    purpose: string;
    kind: string;
    status: 'active' | 'suspended' | 'revoked';
    status_reason: string | null;
    status_at: Date;
    expires_at: Date | null;
    assurance: string;
    created_at: Date;
    updated_at: Date;
  };
  learned_traffic: {
    app_id: string;
    integration_id: string;
    integration_name: string;
    calls: ColumnType<string, number, number>;
    dropped: ColumnType<string, number | undefined, number>;
    state: Json;
    first_at: Date;
    last_at: Date;
  };
  learned_batches: { key: string; at: Date };
  grants: {
    id: string;
    name: string;
    integration_id: string;
    app_id: string;
    selectors: Json;
    resource_scope: Json;
    expires_at: Date | null;
    created_at: Date;
    created_by: string;
  };
  rules: { id: string; kind: RuleKind; name: string; entry: Json; created_at: Date; updated_at: Date };
  proxy_settings: {
    one: boolean;
    settings: Json;
    certificate: string;
    sealed_key: string;
    created_at: Date;
    updated_at: Date;
  };
  snapshot_state: { one: boolean; version: number; epoch: number; horizon: number; changed_at: Date };
  snapshot_entries: { key: string; value: ColumnType<unknown, string | null, string | null>; version: number };
  snapshot_keys: { key_id: string; public_key: string; sealed_private: string; created_at: Date };
  gateways: {
    id: string;
    pid: number;
    version: number;
    epoch: number;
    applied_at: Date;
    seen_at: Date;
    upstreams: ColumnType<unknown, string | null | undefined, string | null>;
  };
  graph_cuts: {
    id: string;
    node_id: string;
    node_name: string;
    reason: string;
    digest: string;
    targets: Json;
    created_at: Date;
    created_by: string;
    ended_at: Date | null;
  };
  access_changes: {
    id: string;
    integration_id: string;
    proposal: Json;
    before_grants: Json;
    after_grants: Json;
    created_at: Date;
    created_by: string;
    undone_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
    undone_by: ColumnType<string | null, string | null | undefined, string | null>;
  };
  cut_offs: {
    id: string;
    integration_id: string;
    epoch: number;
    decided_at: Date;
    reached_at: Date | null;
    gateways: ColumnType<unknown, string | null, string | null>;
  };
}

export type RuleKind = 'policy' | 'inspection' | 'limit' | 'requirement';

export function tablesOf(source: Queryable): Kysely<EstateTables> {
  return source.tables<EstateTables>();
}

const UNIQUE_VIOLATION = '23505';

/** Whether an error is PostgreSQL's unique violation. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
