import type { ColumnType } from 'kysely';
import type { PlannedGroup } from './group-plan.ts';
import type { PlannedItem } from './plan.ts';
import type { ItemState } from './target.ts';

/** jsonb: written as text, read as whatever was stored; the reader parses it. */
type Json = ColumnType<unknown, string, string>;

export interface ProvisionTables {
  provision_target: {
    id: string;
    name: string;
    kind: 'scim' | 'task';
    base_url: string | null;
    sealed_token: string | null;
    private_addresses: string[];
    mapping: Json;
    groups: string[];
    push_groups: string[];
    on_leave: 'deactivate' | 'delete';
    requests_per_s: number;
    leavers_max: number;
    paused: boolean;
    fingerprint: string | null;
    checked_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  provision_link: {
    target_id: string;
    person_id: string;
    person_name: string;
    remote_id: string | null;
    pushed: Json;
    state: 'live' | 'left' | 'ended';
    at: Date;
  };
  provision_run: {
    id: string;
    target_id: string;
    mode: 'preview' | 'push';
    reason: string;
    leavers_allowed: number | null;
    started_by: string;
    started_at: Date;
    planned_at: Date | null;
    unmanaged: number | null;
    wanted: string | null;
    ended_at: Date | null;
    error: string | null;
  };
  provision_item: {
    run_id: string;
    person_id: string;
    person_name: string;
    act: PlannedItem['act'];
    remote_id: string | null;
    wanted: Json;
    differences: Json;
    status: ItemState;
    detail: string | null;
    attempts: number;
    at: Date;
    closed_by: string | null;
  };
  provision_group_link: {
    target_id: string;
    group_id: string;
    group_name: string;
    remote_id: string;
    pushed: Json;
    at: Date;
  };
  provision_group_item: {
    run_id: string;
    group_id: string;
    group_name: string;
    act: PlannedGroup['act'];
    remote_id: string | null;
    wanted: Json;
    differences: Json;
    status: ItemState;
    detail: string | null;
    attempts: number;
    at: Date;
  };
  lifecycle_date: {
    person_id: string;
    starts_at: Date | null;
    ends_at: Date | null;
    ended_at: Date | null;
    set_by: string;
    set_at: Date;
  };
}
