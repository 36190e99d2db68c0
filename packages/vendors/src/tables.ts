import type { Queryable } from '@cordon/kernel';
import type { ColumnType, Kysely } from 'kysely';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string, string>;
type JsonOrNull = ColumnType<unknown, string | null, string | null>;

export interface VendorsTables {
  vendors: { id: string; name: string; stage: string; profile: Json; created_at: Date; updated_at: Date };
  vendor_apps: { app_id: string; vendor_id: string };
  vendor_subprocessors: {
    vendor_id: string;
    key: string;
    name: string;
    country: string | null;
    purpose: string | null;
    source: string;
    seen_at: Date;
  };
  vendor_tasks: {
    id: string;
    vendor_id: string;
    kind: string;
    title: string;
    position: number;
    proof: JsonOrNull;
    done_at: Date | null;
    done_by: string | null;
    created_at: Date;
  };
  vendor_files: {
    id: string;
    vendor_id: string;
    name: string;
    kind: string;
    purpose: string;
    sha256: string;
    bytes: number;
    sealed: string;
    sealed_text: string | null;
    created_at: Date;
    created_by: string;
  };
  questionnaires: {
    id: string;
    vendor_id: string;
    title: string;
    form: Json;
    origin: JsonOrNull;
    state: string;
    due_at: Date | null;
    reminded_at: Date | null;
    submitted_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  questionnaire_answers: {
    questionnaire_id: string;
    question_id: string;
    value: Json;
    version: number;
    review: string | null;
    answered_by: string;
    answered_at: Date;
  };
  questionnaire_comments: {
    id: string;
    questionnaire_id: string;
    question_id: string;
    author: string;
    side: string;
    text: string;
    created_at: Date;
  };
  portal_links: {
    id: string;
    /** A link leads to a questionnaire, or to the open findings of `vendor_id`. */
    questionnaire_id: string | null;
    vendor_id: string | null;
    email: string;
    language: string;
    token_sha256: Buffer;
    sealed: string;
    questions: JsonOrNull;
    invited_by: string;
    expires_at: Date;
    revoked_at: Date | null;
    opened_at: Date | null;
    created_at: Date;
  };
  portal_codes: {
    link_id: string;
    code_sha256: Buffer;
    attempts: number;
    sent: number;
    window_at: Date;
    sent_at: Date;
    expires_at: Date;
  };
  portal_sessions: { token_sha256: Buffer; link_id: string; expires_at: Date };
  vendor_contracts: {
    id: string;
    vendor_id: string;
    file_id: string;
    title: string;
    result: Json;
    confirmations: Json;
    created_at: Date;
  };
  vendor_mail: {
    id: string;
    sealed: string;
    attempts: number;
    next_at: Date;
    sent_at: Date | null;
    failed: string | null;
    created_at: Date;
  };
}

export function tablesOf(source: Queryable): Kysely<VendorsTables> {
  return source.tables<VendorsTables>();
}

/** Lists are small, but never unbounded. */
export const LIST_MAX = 2_000;

const UNIQUE_VIOLATION = '23505';

export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
