import type { Queryable } from '@cordon/kernel';
import type { ColumnType, Kysely } from 'kysely';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string, string>;
type JsonOrNull = ColumnType<unknown, string | null, string | null>;

export interface MonitoringTables {
  vendor_hosts: {
    id: string;
    vendor_id: string;
    host: string;
    port: number;
    source: string;
    observation: JsonOrNull;
    checked_at: Date | null;
    due_at: Date;
  };
  vendor_news: {
    id: string;
    vendor_id: string | null;
    kind: string;
    severity: string;
    title: string;
    detail: Json;
    at: Date;
  };
  vendor_feeds: {
    id: string;
    name: string;
    kind: string;
    url: string;
    private_addresses: Json;
    every_minutes: number;
    due_at: Date;
    polled_at: Date | null;
    problem: string | null;
    authorities: Json;
    state: JsonOrNull;
    created_at: Date;
    created_by: string;
  };
  vendor_notices: {
    id: string;
    feed_id: string | null;
    external_id: string;
    sha256: string;
    vendor_id: string | null;
    named: string;
    title: string;
    text: string;
    severity: string;
    occurred_at: Date | null;
    case_id: string | null;
    at: Date;
  };
  vendor_bad_clients: { client_id: string; reason: string; source: string; at: Date; told: Json };
  vendor_scores: {
    id: string;
    vendor_id: string;
    at: Date;
    weights: string;
    inherent: number;
    residual: number;
    rows: Json;
  };
  vendor_contradictions: {
    id: string;
    vendor_id: string;
    key: string;
    rule: string;
    severity: string;
    title: string;
    said: Json;
    evidence: Json;
    found_at: Date;
    seen_at: Date;
    gone_at: Date | null;
    decision: JsonOrNull;
  };
  vendor_export_key: { id: number; certificate: string; sealed: string; created_at: Date };
}

export function monitoringTablesOf(source: Queryable): Kysely<MonitoringTables> {
  return source.tables<MonitoringTables>();
}
