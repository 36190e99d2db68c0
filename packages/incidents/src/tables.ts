import type { Migrations } from '@cordon/kernel';
import type { Generated, JSONColumnType } from 'kysely';
import type { ActKind, ActStatus, Decision, RunMode, RunStatus } from './engine/run.ts';
import type {
  CaseLinkKind,
  CaseOrigin,
  CaseReview,
  CaseRoles,
  CaseSeverity,
  CaseStatus,
  EntryKind,
  Tlp,
} from './cases/case.ts';
import type { ContactKind, ContactStep } from './communication/contact.ts';
import type { Variables } from './cacao/variables.ts';

export const incidentsMigrations: Migrations = {
  name: 'incidents',
  folder: new URL('../migrations/', import.meta.url),
};

type Json = Record<string, unknown>;
type By = { kind: string; id: string | null; name: string };

/** Rows of this package's own migrations. Times are milliseconds since the epoch. */
export interface IncidentTables {
  incident_case: {
    id: string;
    number: Generated<number>;
    title: string;
    summary: string;
    severity: CaseSeverity;
    status: CaseStatus;
    tlp: Tlp;
    origin: CaseOrigin;
    origin_key: string | null;
    status_page: string;
    occurred_at: number;
    detected_at: number;
    acknowledged_at: number | null;
    contained_at: number | null;
    notified_at: number | null;
    recovered_at: number | null;
    closed_at: number | null;
    created_at: number;
    created_by: JSONColumnType<By>;
    updated_at: number;
    roles: JSONColumnType<CaseRoles>;
    review: JSONColumnType<CaseReview> | null;
    drill: Generated<string | null>;
  };
  incident_link: { case_id: string; kind: CaseLinkKind; ref: string; name: string; added_at: number };
  incident_entry: {
    id: string;
    case_id: string;
    key: string | null;
    kind: EntryKind;
    at: number;
    recorded_at: number;
    author: string;
    text: string;
    detail: JSONColumnType<Json>;
  };
  incident_evidence: {
    id: string;
    case_id: string;
    name: string;
    media_type: string;
    bytes: number;
    sha256: string;
    sealed: string;
    added_at: number;
    added_by: string;
  };
  incident_task: {
    id: string;
    case_id: string;
    key: string | null;
    kind: 'task' | 'review-action';
    title: string;
    assignee: string | null;
    due_at: number | null;
    done_at: number | null;
    done_by: string | null;
    created_at: number;
  };
  incident_channel: {
    id: string;
    name: string;
    kind: 'chat' | 'mail';
    sealed: string;
    shown: string;
    private_addresses: JSONColumnType<string[]>;
    created_at: number;
    created_by: string;
  };
  incident_message: {
    id: string;
    key: string;
    case_id: string | null;
    channel: string;
    recipients: JSONColumnType<string[]>;
    subject: string;
    text: string;
    status: 'waiting' | 'sent' | 'failed' | 'held';
    attempts: Generated<number>;
    next_at: number;
    sent_at: number | null;
    error: string | null;
    created_at: number;
  };
  playbook: { id: string; name: string; document: string; digest: string; updated_at: number; updated_by: string };
  playbook_run: {
    id: string;
    playbook_id: string;
    playbook_name: string;
    document: string;
    digest: string;
    mode: RunMode;
    status: RunStatus;
    case_id: string | null;
    alert_id: string | null;
    trigger_key: string | null;
    started_by: JSONColumnType<By>;
    approval: JSONColumnType<Decision> | null;
    inputs: JSONColumnType<Record<string, string>>;
    variables: JSONColumnType<Variables>;
    error: string | null;
    driving: Generated<boolean>;
    wanted: Generated<number>;
    segment: Generated<number>;
    wake_at: number | null;
    created_at: number;
    finished_at: number | null;
  };
  playbook_act: {
    run_id: string;
    key: string;
    seq: Generated<number>;
    step_id: string;
    kind: ActKind;
    title: string;
    command: string;
    effect: string;
    status: ActStatus;
    input: JSONColumnType<Json>;
    prepared: JSONColumnType<Json>;
    result: JSONColumnType<Json> | null;
    proof: JSONColumnType<Json> | null;
    error: string | null;
    approval: JSONColumnType<Decision> | null;
    attempts: number;
    created_at: number;
    started_at: number | null;
    finished_at: number | null;
    due_at: number | null;
    undo_title: string | null;
  };
  incident_contact: {
    id: string;
    kind: ContactKind;
    name: string;
    about: string;
    steps: JSONColumnType<ContactStep[]>;
    note: string;
    notice_hours: number | null;
    test_days: number;
    tested_at: number | null;
    confirmed_at: number | null;
    confirmed_by: string | null;
    created_at: number;
    updated_at: number;
  };
  incident_outreach: {
    id: string;
    contact_id: string;
    case_id: string | null;
    subject: string;
    text: string;
    token_sha256: string;
    token_sealed: string;
    next_step: number | null;
    next_at: number;
    started_at: number;
    started_by: string;
    confirmed_at: number | null;
    confirmed_by: string | null;
  };
  incident_facts: { id: string; facts: JSONColumnType<Json>; updated_at: number; updated_by: string };
  incident_duty_record: {
    case_id: string;
    duty: string;
    stage: string;
    kind: 'sent' | 'waived' | 'soon' | 'overdue';
    at: number;
    recorded_at: number;
    recorded_by: string;
    due_at: number | null;
    detail: JSONColumnType<Json>;
  };
  incident_notice: {
    id: string;
    case_id: string;
    form: 'mail' | 'form' | 'csaf';
    vendor: string;
    reference: string;
    sha256: string;
    sealed: string;
    received_at: number;
    received_by: string;
  };
}
