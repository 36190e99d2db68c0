import type { ColumnType, Generated, Kysely } from 'kysely';
import type { Queryable } from '@cordon/kernel';

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string | undefined, string>;
type MaybeJson = ColumnType<unknown, string | null | undefined, string | null>;

export type ConnectionStatus = 'active' | 'paused' | 'refused';
export type StreamStatus = 'never' | 'ok' | 'partial' | 'not_visible' | 'failed';
export type SyncStatus = 'queued' | 'running' | 'done' | 'partial' | 'failed' | 'cancelled';
export type SyncStreamStatus = 'waiting' | 'running' | 'ok' | 'partial' | 'not_visible' | 'failed';

export interface ConnectorTables {
  connector_connection: {
    id: string;
    app: string;
    name: string;
    config: Json;
    plan: string | null;
    base_url: string | null;
    private_addresses: Json;
    auth_kind: string;
    sealed: string;
    credential_at: Date;
    status: ConnectionStatus;
    status_reason: string | null;
    every_minutes: number | null;
    next_sync_at: Date | null;
    source_id: string | null;
    created_at: Date;
    created_by: string;
    updated_at: Date;
  };
  connector_stream: {
    connection_id: string;
    stream: string;
    status: StreamStatus;
    reason: string | null;
    mark: Json;
    position: MaybeJson;
    position_sync: string | null;
    seen: MaybeJson;
    read_at: Date | null;
    ok_at: Date | null;
  };
  connector_sync: {
    id: string;
    connection_id: string;
    cause: 'schedule' | 'manual';
    status: SyncStatus;
    requested_by: string;
    streams: Json;
    cancel: Generated<boolean>;
    error: string | null;
    created_at: Date;
    started_at: Date | null;
    ended_at: Date | null;
  };
  connector_sync_stream: {
    sync_id: string;
    stream: string;
    status: SyncStreamStatus;
    reason: string | null;
    pages: Generated<number>;
    entities: Generated<number>;
    added: Generated<number>;
    changed: Generated<number>;
    removed: Generated<number>;
    events: Generated<number>;
    problems: Json;
  };
  connector_entity: {
    connection_id: string;
    stream: string;
    kind: string;
    external_id: string;
    payload: Json;
    hash: Buffer;
    name: string | null;
    first_seen: Date;
    last_seen: Date;
    changed_at: Date;
    gone_at: Date | null;
    seen_sync: string;
  };
  connector_change: {
    id: Generated<number>;
    connection_id: string;
    sync_id: string;
    stream: string;
    kind: string;
    external_id: string;
    name: string | null;
    change: 'added' | 'changed' | 'removed' | 'returned';
    fields: Json;
    at: Date;
  };
  connector_action_run: {
    id: string;
    connection_id: string;
    action: string;
    mode: string;
    input: Json;
    idempotency_key: string;
    undo_of: string | null;
    status: 'queued' | 'running' | 'ended' | 'failed';
    attempts: Generated<number>;
    outcome: string | null;
    summary: string | null;
    state: MaybeJson;
    result: MaybeJson;
    captured: Json;
    sealed_secret: string | null;
    error: string | null;
    actor: Json;
    created_at: Date;
    started_at: Date | null;
    ended_at: Date | null;
  };
}

export const tablesOf = (db: Queryable): Kysely<ConnectorTables> => db.tables<ConnectorTables>();
