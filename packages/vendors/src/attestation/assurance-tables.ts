import type { Queryable } from '@cordon/kernel';
import type { ColumnType, Kysely } from 'kysely';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string, string>;
type JsonOrNull = ColumnType<unknown, string | null, string | null>;

/** Tables of attestations, own audits, penetration tests and findings. Days are ISO texts. */
export interface AssuranceTables {
  vendor_attestations: {
    id: string;
    vendor_id: string;
    file_id: string | null;
    kind: string;
    title: string;
    state: string;
    reading: Json;
    facts: JsonOrNull;
    valid_from: string | null;
    valid_until: string | null;
    note: string;
    decided_by: string | null;
    decided_at: Date | null;
    created_by: string;
    created_at: Date;
  };
  vendor_warnings: {
    id: string;
    vendor_id: string;
    topic: string;
    text: string;
    owner: string;
    mailed_to: string | null;
    created_at: Date;
  };
  vendor_audits: {
    id: string;
    vendor_id: string;
    title: string;
    checklist: Json;
    owner: string;
    every_months: number | null;
    ended_at: Date | null;
    created_by: string;
    created_at: Date;
  };
  vendor_audit_runs: {
    id: string;
    audit_id: string;
    due_on: string;
    results: Json;
    done_at: Date | null;
    done_by: string | null;
    created_at: Date;
  };
  pentests: {
    id: string;
    vendor_id: string;
    file_id: string | null;
    title: string;
    kind: string;
    integration_id: string | null;
    tester: string;
    scope: string;
    tested_from: string | null;
    tested_until: string | null;
    created_by: string;
    created_at: Date;
  };
  vendor_findings: {
    id: string;
    vendor_id: string;
    pentest_id: string | null;
    audit_run_id: string | null;
    reference: string;
    title: string;
    description: string;
    recommendation: string;
    severity: string;
    cvss_score: number | null;
    cvss_vector: string | null;
    side: string;
    owner: string;
    due_on: string | null;
    state: string;
    accepted_until: string | null;
    found_on: string;
    closed_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  vendor_finding_entries: {
    id: string;
    finding_id: string;
    side: string;
    author: string;
    text: string;
    state_from: string | null;
    state_to: string | null;
    file_id: string | null;
    is_shared: boolean;
    at: Date;
  };
  vendor_settings: { key: string; value: Json; updated_at: Date };
}

export function assuranceTablesOf(source: Queryable): Kysely<AssuranceTables> {
  return source.tables<AssuranceTables>();
}
