import type { Migrations } from '@cordon/kernel';
import type { ColumnType } from 'kysely';

export const backupMigrations: Migrations = { name: 'backup', folder: new URL('../migrations/', import.meta.url) };

type Json = ColumnType<unknown, string, string>;

/** Times are milliseconds since the epoch. */
export interface BackupTables {
  backup_plans: {
    id: string;
    connection_id: string;
    name: string;
    app: string;
    streams: ColumnType<unknown, string | null, string | null>;
    every_s: number | null;
    verify_every_s: number | null;
    sample_every_s: number | null;
    whole_every_s: number;
    retention: Json;
    rpo_s: number;
    rto_s: number;
    next_backup_at: number | null;
    next_verify_at: number | null;
    next_sample_at: number | null;
    whole_at: number | null;
    /** Of the newest snapshot that was verified: when it was taken, and when that was seen. */
    verified_taken_at: number | null;
    verified_at: number | null;
    sample_ms: number | null;
    sample_records: number | null;
    sample_at: number | null;
    created_at: number;
  };
  backup_jobs: {
    id: string;
    key: string;
    plan_id: string | null;
    kind: string;
    input: Json;
    status: string;
    result: ColumnType<unknown, string | null, string | null>;
    error: string | null;
    actor: string;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
  };
  backup_restore_items: {
    job_id: string;
    ordinal: number;
    op: string;
    object: string;
    record_id: string;
    title: string | null;
    blob: string | null;
    action: string | null;
    note: string | null;
    status: string;
    new_id: string | null;
  };
  /** One row: how Cordon backs itself up. */
  backup_own: {
    id: number;
    recipient: string;
    recipient_id: string;
    every_s: number | null;
    rpo_s: number;
    next_at: number | null;
    verified_taken_at: number | null;
    verified_at: number | null;
  };
  backup_new_ids: { connection_id: string; object: string; old_id: string; new_id: string };
}
