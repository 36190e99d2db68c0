import type { ColumnType, Generated, Kysely } from 'kysely';
import type { Queryable } from '@cordon/kernel';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string | undefined, string>;
type MaybeJson = ColumnType<unknown, string | null | undefined, string | null>;

interface Labelled {
  label: Generated<string>;
  label_reasons: Json;
  pinned_label: string | null;
  pinned_by: string | null;
  first_seen: Date;
  last_seen: Date;
}

export interface GovernanceTables {
  data_set: Labelled & { app: string; object: string; records: Generated<number> };
  data_field: Labelled & {
    app: string;
    object: string;
    path: string;
    type: string | null;
    category: string;
    category_from: string;
    subject: string | null;
    samples: Generated<number>;
    detections: Json;
    sources: Json;
  };
  data_place: {
    app: string;
    region: string | null;
    vendor: string | null;
    label_floor: string | null;
    updated_at: Date;
  };
  data_operation: { app_id: string; app: string; operation: string; object: string };
  data_published: { app_id: string; entry: string };
  label_change: {
    id: string;
    app: string;
    object: string;
    path: string | null;
    from_label: string;
    to_label: string | null;
    reason: string;
    status: string;
    requested_by: string;
    requested_name: string;
    requested_at: Date;
    decided_by: string | null;
    decided_name: string | null;
    decided_at: Date | null;
  };
  data_observation_batch: { key: string; at: Date };
  fingerprint_key: { id: string; sealed: string; status: string; created_at: Date };
  data_print: {
    key_id: string;
    print: Buffer;
    kind: string;
    app: string;
    object: string;
    direction: string;
    integration_id: string;
    first_seen: Date;
    last_seen: Date;
    seen: number;
  };
  data_sketch: { key_id: string; app: string; sketch: Buffer };
  data_document: {
    key_id: string;
    app: string;
    object: string;
    document: string;
    signature: Buffer;
    bands: string[];
    last_seen: Date;
  };
  spread_sighting: { key_id: string; print: Buffer; app: string; label: string; place_label: string; at: Date };
  data_flow: {
    id: string;
    from_app: string;
    from_object: string;
    to_app: string;
    to_object: string;
    integration_id: string;
    integration_name: string;
    how: string;
    fields: Json;
    records: Generated<number>;
    bytes: Generated<number>;
    calls: Generated<number>;
    purpose: string | null;
    legal_basis: string | null;
    safeguard: string | null;
    transfer_instrument: string | null;
    transfer_importer: string | null;
    transfer_assessment: string | null;
    first_seen: Date;
    last_seen: Date;
  };
  data_flow_record: { flow_id: string; key_id: string; print: Buffer };
  retention_rule: {
    id: string;
    name: string;
    settings: Json;
    status: string;
    created_by: string;
    created_at: Date;
    updated_at: Date;
    every_days: number | null;
    next_at: Date | null;
  };
  retention_hold: {
    id: string;
    name: string;
    scope: Json;
    reason: string;
    placed_by: string;
    placed_at: Date;
    released_by: string | null;
    released_at: Date | null;
  };
  retention_exception: {
    id: string;
    rule_id: string;
    scope: Json;
    reason: string;
    expires_at: Date;
    granted_by: string;
    granted_at: Date;
  };
  retention_run: {
    id: string;
    rule_id: string;
    rule: Json;
    mode: string;
    status: string;
    requested_by: Json;
    requested_at: Date;
    approved_by: string | null;
    approved_at: Date | null;
    counts: Json;
    unenforceable: Json;
    cursor: MaybeJson;
    evidence: MaybeJson;
    evidence_sha256: string | null;
    error: string | null;
    ended_at: Date | null;
  };
  retention_item: {
    run_id: string;
    seq: number;
    connection_id: string;
    app: string;
    object: string;
    record_id: string;
    parent_id: string | null;
    clock_at: Date;
    verdict: string;
    reason: string | null;
    status: string;
    action_run_id: string | null;
    outcome: string | null;
    verified_at: Date | null;
    error: string | null;
  };
  subject_request: {
    id: string;
    kind: string;
    reference: string;
    masked: Json;
    sealed: string | null;
    identity: MaybeJson;
    received_at: Date;
    due_at: Date;
    extension: MaybeJson;
    status: string;
    approval_above: number;
    per_minute_max: number;
    runs: Generated<number>;
    opened_by: Json;
    opened_at: Date;
    run_by: MaybeJson;
    approved_by: string | null;
    approved_at: Date | null;
    counts: Json;
    gaps: Json;
    evidence: MaybeJson;
    evidence_sha256: string | null;
    error: string | null;
    searched_at: Date | null;
    ended_at: Date | null;
  };
  subject_target: {
    request_id: string;
    seq: number;
    connection_id: string;
    app: string;
    object: string;
    record_id: string;
    parent_id: string | null;
    url: string | null;
    fields: Json;
    kinds: Json;
    way: string | null;
    action: string | null;
    status: string;
    reason: string | null;
    sealed: string | null;
    action_run_id: string | null;
    outcome: string | null;
    verified_at: Date | null;
    error: string | null;
    done_by: string | null;
    done_at: Date | null;
  };
}

export const tablesOf = (db: Queryable): Kysely<GovernanceTables> => db.tables<GovernanceTables>();
