import type { Queryable } from '@cordon/kernel';
import type { ColumnType, Generated, Kysely } from 'kysely';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string | undefined, string>;
type MaybeJson = ColumnType<unknown, string | null | undefined, string | null>;

export interface DlpTables {
  dlp_scan: {
    id: string;
    connection_id: string;
    app: string;
    name: string;
    mode: string;
    enforce: boolean;
    status: string;
    requested_by: string;
    requested_at: Date;
    started_at: Date | null;
    ended_at: Date | null;
    error: string | null;
  };
  dlp_scan_stream: {
    scan_id: string;
    stream: string;
    place: number;
    status: string;
    position: MaybeJson;
    seen: MaybeJson;
    records: Generated<number>;
    skipped: Generated<number>;
    files: Generated<number>;
    bytes: Generated<number>;
    found: Generated<number>;
    unreadable: Json;
    reason: string | null;
  };
  dlp_mark: { connection_id: string; stream: string; mark: Json; scanned_at: Date };
  dlp_schedule: { connection_id: string; every_hours: number; enforce: boolean; next_at: Date; set_by: string };
  dlp_incident: {
    id: string;
    source: string;
    connection_id: string | null;
    stream: string | null;
    app: string;
    object: string;
    record_id: string;
    parent_id: string | null;
    title: string | null;
    url: string | null;
    sharing: string | null;
    owner_id: string | null;
    direction: string | null;
    integration_id: string | null;
    integration_name: string | null;
    action: string;
    rule_id: string;
    rule_name: string;
    label: string;
    classes: Json;
    found: number;
    status: string;
    assignee: string | null;
    scan_id: string | null;
    record_at: Date | null;
    first_seen: Date;
    last_seen: Date;
    times: Generated<number>;
    tool_label: string | null;
  };
  dlp_note: { id: string; incident_id: string; at: Date; by_name: string; what: string; note: string | null };
  dlp_remedy: {
    id: string;
    incident_id: string;
    action: string;
    status: string;
    requested_by: string;
    requested_at: Date;
    connector_action: string | null;
    action_run_id: string | null;
    undo_of: string | null;
    can_undo: Generated<boolean>;
    outcome: string | null;
    reason: string | null;
    evidence: MaybeJson;
    evidence_sha256: string | null;
    ended_at: Date | null;
  };
  dlp_pass: {
    id: string;
    rule_id: string;
    rule_name: string;
    integration_id: string;
    app_id: string | null;
    kind: string;
    reason: string;
    given_by: string;
    given_at: Date;
    expires_at: Date;
    ended_at: Date | null;
  };
  dlp_token_key: { id: string; sealed: string; status: string; created_at: Date };
  dlp_motion_event: { event_id: string; at: Date };
  dlp_label_map: { connector: string; label: string; tool_label: string; set_by: string; set_at: Date };
}

export const tablesOf = (db: Queryable): Kysely<DlpTables> => db.tables<DlpTables>();
