import type { ColumnType, Generated } from 'kysely';

/** jsonb: written as text, read as whatever was stored; the reader parses it. */
type Json = ColumnType<unknown, string, string>;

/** How somebody came into a group. */
export type GroupBy = 'directory' | 'provider' | 'hand' | 'elevation';

/** Groups, elevations and break-glass accounts. */
export interface AccessTables {
  group_members: {
    group_id: string;
    person_id: string;
    by: 'hand' | 'elevation';
    added_by: string;
    added_at: Date;
    ends_at: Date | null;
  };
  /** A view: everybody in a group, however they came in. */
  group_people: { group_id: string; person_id: string; by: GroupBy; ends_at: Date | null };
  /** A view: members whom SCIM clients can look up. */
  scim_group_members: { group_id: string; user_id: string };
  sso_app_owners: { app_id: string; person_id: string };
  elevations: {
    id: string;
    kind: 'role' | 'group' | 'app' | 'operation';
    ref: string;
    name: string;
    integration_id: string | null;
    integration_name: string | null;
    operations: string[];
    grant_id: string | null;
    person_id: string;
    person_name: string;
    reason: string;
    minutes: number;
    state: 'asked' | 'live' | 'refused' | 'withdrawn' | 'lapsed' | 'ended';
    asked_at: Date;
    lapses_at: Date;
    decided_by: string | null;
    decided_by_name: string | null;
    decided_at: Date | null;
    note: string | null;
    ends_at: Date | null;
    ended_at: Date | null;
    ended_by: string | null;
    ended_why: string | null;
  };
  break_glass: {
    person_id: string;
    place: Generated<string>;
    seal: Generated<string>;
    sealed_at: Date | null;
    drill_days: Generated<number>;
    drill_until: Date | null;
    drill_by: string | null;
    last_drill_at: Date | null;
    last_used_at: Date | null;
    overdue_told_at: Date | null;
    created_at: Date;
    created_by: string;
  };
  break_glass_uses: {
    id: string;
    person_id: string;
    at: Date;
    kind: 'drill' | 'use';
    session_id: string;
    ip: string;
    methods: string[];
    findings: Json;
  };
}
