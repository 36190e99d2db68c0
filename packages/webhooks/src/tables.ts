import type { Migrations, Queryable } from '@cordon/kernel';
import type { ColumnType, Generated, Kysely } from 'kysely';

export const webhookMigrations: Migrations = { name: 'webhooks', folder: new URL('../migrations/', import.meta.url) };

/** jsonb: written as text, read as what was stored; readers parse it with the schema that wrote it. */
type Json = ColumnType<unknown, string, string>;

export interface WebhookTables {
  webhook_endpoint: {
    id: string;
    name: string;
    app_id: string;
    integration_id: string;
    status: 'active' | 'paused' | 'disabled';
    settings: Json;
    published: string;
    created_at: number;
    created_by: string;
    updated_at: number;
  };
  webhook_secret: {
    id: string;
    endpoint_id: string;
    purpose: 'vendor' | 'signing';
    sealed: string;
    not_after: number | null;
    created_at: number;
    created_by: string;
  };
  webhook_delivery: {
    id: string;
    endpoint_id: string;
    received_at: number;
    type: string;
    vendor_id: string;
    order_key: string | null;
    content_type: string;
    bytes: number;
    sealed: string | null;
    status: 'waiting' | 'delivered' | 'dead' | 'duplicate';
    attempts: Generated<number>;
    round: Generated<number>;
    next_at: number;
    leased_until: Generated<number>;
    settled_at: number | null;
    fed_at: ColumnType<number | null, number | null | undefined, number | null>;
  };
  webhook_replay: { endpoint_id: string; replay_key: string; delivery_id: string; seen_at: number };
  webhook_attempt: {
    id: string;
    delivery_id: string;
    number: number;
    at: number;
    duration_ms: number;
    status: number | null;
    error: string | null;
    headers: Json;
    sealed: string | null;
    by_hand: string | null;
  };
}

export function tablesOf(source: Queryable): Kysely<WebhookTables> {
  return source.tables<WebhookTables>();
}
