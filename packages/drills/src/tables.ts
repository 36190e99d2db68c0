import type { Migrations } from '@cordon/kernel';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { DrillStatus, DrillTarget, EntryKind, ObjectKind, Party, Participant } from './drill.ts';
import type { DrillMode } from './scenario.ts';
import type { Score } from './score.ts';

export const drillsMigrations: Migrations = {
  name: 'drills',
  folder: new URL('../migrations/', import.meta.url),
};

/** Rows of this package's own migrations. Times are milliseconds since the epoch. */
export interface DrillTables {
  drill: {
    id: string;
    number: Generated<number>;
    scenario: string;
    title: string;
    document: ColumnType<unknown, string, never>;
    digest: string;
    mode: DrillMode;
    status: DrillStatus;
    decide: 'person' | 'drill';
    pace: 'clock' | 'facilitator';
    stretch: number;
    participants: JSONColumnType<readonly Participant[]>;
    facilitator: JSONColumnType<Party>;
    sealed_key: string;
    schedule_id: string | null;
    created_at: number;
    started_at: number | null;
    paused_at: number | null;
    paused_ms: Generated<number>;
    ended_at: number | null;
    stop_reason: string | null;
    error: string | null;
    score: ColumnType<Score | null, string | null, string | null>;
    lessons: Generated<string>;
    target: ColumnType<DrillTarget | null, string | null, never>;
  };
  drill_object: {
    drill_id: string;
    kind: ObjectKind;
    ref: string;
    name: string;
    sealed: string | null;
    made_at: number;
    removed_at: number | null;
  };
  drill_entry: {
    drill_id: string;
    key: string;
    seq: Generated<number>;
    kind: EntryKind;
    at: number;
    author: string;
    text: string;
    detail: JSONColumnType<Record<string, unknown>>;
  };
  drill_effect: { drill_id: string; key: string; value: ColumnType<unknown, string, string>; at: number };
  drill_target: {
    app_id: string;
    app: string;
    operation: string;
    path: string;
    reason: string;
    made_at: number;
    made_by: string;
  };
  drill_schedule: {
    id: string;
    name: string;
    scenario: string;
    mode: DrillMode;
    decide: 'person' | 'drill';
    participants: JSONColumnType<readonly Participant[]>;
    every_days: number;
    remind_days: JSONColumnType<readonly number[]>;
    channel: string | null;
    starts_itself: boolean;
    next_at: number;
    created_at: number;
    created_by: string;
    target: string | null;
  };
  drill_reminder: { schedule_id: string; due_at: number; days: number; sent_at: number };
}
