import type { Migrations } from '@cordon/kernel';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { BehaviourState, BehaviourType, Feature } from './behaviour/behaviour.ts';
import type { ForwardKind } from './forward/forward.ts';
import type { TargetKind } from './notification/format.ts';
import type { AlertEvent } from './notification/queue.ts';
import type { Level } from './sigma/ast.ts';
import type { AlertStatus, Entity } from './alert/alert.ts';

export const detectionMigrations: Migrations = {
  name: 'detection',
  folder: new URL('../migrations/', import.meta.url),
};

/** Rows of this package's own migrations. Times are milliseconds since the epoch. */
export interface WatchTables {
  event_source: {
    id: string;
    name: string;
    product: string;
    credential_hash: string;
    credential_hint: string;
    status: 'active' | 'paused';
    rate_max: number;
    created_at: number;
    created_by: string;
    updated_at: number;
    accepted: Generated<number>;
    duplicates: Generated<number>;
    failed: Generated<number>;
    last_received_at: number | null;
    watermark: number | null;
    lag_ms: number | null;
    collect: ColumnType<unknown, string | null, string | null>;
    collect_error: string | null;
    sealed: Generated<string | null>;
  };
  hec_channel: { source_id: string; channel: string; next_id: number; used_at: number };
  event_source_position: {
    source_id: string;
    item: string;
    position: ColumnType<unknown, string, string>;
    updated_at: number;
  };
  event_source_hour: { source_id: string; hour: number; accepted: number; failed: number };
  event_source_time: { source_id: string; event_id: string; first_at: number };
  dead_letter: {
    id: string;
    source_id: string;
    received_at: number;
    raw: string;
    external_id: string | null;
    reason: string;
    attempts: Generated<number>;
    status: 'waiting' | 'replay' | 'replayed' | 'discarded';
    updated_at: number;
  };
  alert: {
    id: string;
    rule_id: string;
    rule_kind: 'rule' | 'correlation';
    title: string;
    level: Level;
    entity_key: string;
    entity: JSONColumnType<Entity>;
    product: string;
    generation: number;
    status: AlertStatus;
    status_reason: string | null;
    status_at: number;
    status_by: string;
    assignee: string | null;
    signals: number;
    first_at: number;
    last_at: number;
    created_at: number;
    updated_at: number;
    delay_ms: number;
    drill: Generated<string | null>;
  };
  alert_signal: {
    signal_id: string;
    alert_id: string | null;
    exception_id: string | null;
    at: number;
    event_ids: readonly string[];
  };
  alert_comment: { id: string; alert_id: string; at: number; author: string; text: string };
  detection_setting: { rule_id: string; enabled: boolean; reason: string; changed_at: number; changed_by: string };
  detection_exception: {
    id: string;
    rule_id: string;
    entity_key: string | null;
    reason: string;
    expires_at: number;
    created_at: number;
    created_by: string;
  };
  notification_target: {
    id: string;
    name: string;
    url: string;
    level_min: Level;
    private_addresses: readonly string[];
    kind: Generated<TargetKind>;
    mail_to: Generated<readonly string[]>;
    routing_key: string | null;
    sealed: string | null;
    template: ColumnType<unknown, string | null, string | null>;
    quiet: ColumnType<unknown, string | null, string | null>;
    tell_closed: Generated<boolean>;
    created_at: number;
    created_by: string;
  };
  notification_delivery: {
    id: string;
    target_id: string;
    alert_id: string;
    event: Generated<AlertEvent>;
    attempts: Generated<number>;
    next_at: number;
    delivered_at: number | null;
    failed_at: number | null;
    last_error: string | null;
  };
  forward_target: {
    id: string;
    name: string;
    kind: ForwardKind;
    query: string;
    settings: ColumnType<unknown, string, string>;
    sealed: string | null;
    private_addresses: readonly string[];
    status: Generated<'active' | 'paused'>;
    position_at: number;
    position_id: Generated<string>;
    sent: Generated<number>;
    refused: Generated<number>;
    failures: Generated<number>;
    next_at: Generated<number>;
    last_error: string | null;
    last_refusal: string | null;
    last_sent_at: number | null;
    created_at: number;
    created_by: string;
  };
  event_retention_rule: {
    id: string;
    name: string;
    query: string;
    days: number;
    created_at: number;
    created_by: string;
    run_at: number | null;
    deleted: Generated<number>;
    last_error: string | null;
  };
  event_hold: {
    id: string;
    name: string;
    query: string;
    from_at: number | null;
    to_at: number | null;
    reason: string;
    created_at: number;
    created_by: string;
  };
  event_size_limit: { one: boolean; bytes_max: number; changed_at: number; changed_by: string };
  monitor_slo: {
    id: string;
    name: string;
    kind: 'availability' | 'latency';
    app_id: string;
    integration_id: string | null;
    operation: string | null;
    objective: number;
    period_days: number;
    latency_ms: number | null;
    calls_min: number;
    state: ColumnType<unknown, string | null, string | null>;
    created_at: number;
    created_by: string;
  };
  behaviour_position: { name: string; value: ColumnType<unknown, string, string>; updated_at: number };
  behaviour_entity: {
    entity_key: string;
    type: BehaviourType;
    id: string;
    name: string;
    score: number;
    state: BehaviourState;
    criticality: Generated<number>;
    criticality_reason: string | null;
    peers: ColumnType<unknown, string, string>;
    first_at: number;
    last_at: number;
    updated_at: number;
  };
  behaviour_day: {
    entity_key: string;
    day: number;
    score: number;
    state: BehaviourState;
    terms: ColumnType<unknown, string, string>;
    updated_at: number;
  };
  behaviour_feedback: {
    id: string;
    entity_key: string;
    feature: Feature;
    value: string | null;
    verdict: 'expected' | 'not-expected';
    observed: number;
    day: number;
    reason: string;
    expires_at: number;
    created_at: number;
    created_by: string;
  };
}
