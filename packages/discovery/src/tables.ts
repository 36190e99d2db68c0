import type { Queryable } from '@cordon/kernel';
import type { Kysely } from 'kysely';
import type { ActState } from './act.ts';
import type { AppState } from './found-app.ts';

export interface DiscoveryTables {
  discovery_app: {
    key: string;
    name: string;
    company: string | null;
    category: string | null;
    state: AppState;
    owner_id: string | null;
    owner_name: string | null;
    due_at: Date | null;
    decided_by: string | null;
    decided_at: Date | null;
    reason: string | null;
    expires_at: Date | null;
    users: number;
    addresses: number;
    events: number;
    bytes: number;
    first_at: Date;
    last_at: Date;
    created_at: Date;
    told_at: Date | null;
  };
  discovery_use: {
    app_key: string;
    evidence: string;
    bucket: string;
    who: string;
    source: string;
    detail: string | null;
    first_at: Date;
    last_at: Date;
    events: number;
    bytes: number;
  };
  discovery_read: { sha256: string; name: string; format: string; report: unknown; read_by: string; read_at: Date };
  discovery_decision: {
    id: string;
    app_key: string;
    from_state: AppState;
    to_state: AppState;
    decided_by: string;
    reason: string;
    expires_at: Date | null;
    at: Date;
  };
  discovery_run: {
    id: string;
    subject_type: 'app' | 'key' | 'client';
    subject: string;
    name: string;
    reason: string;
    started_by: string;
    started_at: Date;
    ended_at: Date | null;
  };
  discovery_act: {
    run_id: string;
    key: string;
    place: number;
    kind: string;
    name: string;
    act: string;
    input: unknown;
    status: ActState;
    detail: string | null;
    attempts: number;
    at: Date;
    closed_by: string | null;
  };
}

export const tablesOf = (db: Queryable): Kysely<DiscoveryTables> => db.tables<DiscoveryTables>();
