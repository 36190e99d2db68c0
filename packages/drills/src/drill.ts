import { z } from 'zod';
import { type DrillMode, MODES, ROLES, type Scenario } from './scenario.ts';
import type { Score } from './score.ts';

export const DRILL_STATUSES = ['planned', 'running', 'stopping', 'ended', 'aborted', 'failed'] as const;
/** `stopping`: told to end; what it made is being taken away. */
export type DrillStatus = (typeof DRILL_STATUSES)[number];
export const ENTRY_KINDS = ['status', 'inject', 'call', 'probe', 'response', 'action', 'note', 'cleanup'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];
export type ObjectKind = 'app' | 'integration' | 'source' | 'token';

export interface Party {
  readonly kind: string;
  readonly id: string | null;
  readonly name: string;
}
const text = (max: number) => z.string().trim().min(1).max(max);
/** Who plays which role; `personId` lets a drill see whether they acted. */
export const participant = z.strictObject({
  role: z.enum(ROLES),
  name: text(200),
  personId: z.uuid().optional(),
});
export type Participant = z.output<typeof participant>;

/** An app of the estate in place of the drill's own, as it was marked when the drill was planned. */
export const drillTarget = z.strictObject({
  appId: z.string(),
  app: z.string(),
  operation: z.string(),
  path: z.string(),
});
export type DrillTarget = z.output<typeof drillTarget>;

export const drillInput = z.strictObject({
  scenario: z.string().max(100),
  mode: z.enum(MODES),
  /** Of a live fire that steals a token: a marked app of the estate, by name; null: an emulator of the drill's own. */
  target: z.string().min(1).max(100).nullable().default(null),
  /** Of a live fire: who approves the playbooks that it leads to; `drill` measures the machine alone. */
  decide: z.enum(['person', 'drill']).default('person'),
  pace: z.enum(['clock', 'facilitator']).default('facilitator'),
  stretch: z.number().min(0.01).max(100).default(1),
  participants: z.array(participant).max(50).default([]),
});
export type DrillInput = z.input<typeof drillInput>;
export const responseInput = z.strictObject({
  inject: z.string().max(100),
  text: text(4_000),
  /** The role that one speaks for; absent: the first that one has. */
  role: z.enum(ROLES).optional(),
});
export const actionInput = z.strictObject({
  action: z.string().max(100),
  met: z.boolean(),
  note: z.string().trim().max(2_000).default(''),
});
export const noteInput = z.strictObject({ text: text(4_000) });
export const lessonsInput = z.strictObject({ text: z.string().trim().max(20_000) });

export interface Drill {
  readonly id: string;
  readonly number: number;
  readonly scenario: string;
  readonly title: string;
  readonly document: Scenario;
  readonly digest: string;
  readonly mode: DrillMode;
  readonly status: DrillStatus;
  readonly target: DrillTarget | null;
  readonly decide: 'person' | 'drill';
  readonly pace: 'clock' | 'facilitator';
  readonly stretch: number;
  readonly participants: readonly Participant[];
  readonly facilitator: Party;
  readonly sealedKey: string;
  readonly scheduleId: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly pausedAt: number | null;
  readonly pausedMs: number;
  readonly endedAt: number | null;
  readonly stopReason: string | null;
  readonly error: string | null;
  readonly score: Score | null;
  readonly lessons: string;
}

/** One line of what happened. */
export interface Entry {
  readonly key: string;
  readonly kind: EntryKind;
  readonly at: number;
  readonly author: string;
  readonly text: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface DrillObject {
  readonly kind: ObjectKind;
  readonly ref: string;
  readonly name: string;
  readonly sealed: string | null;
  readonly madeAt: number;
  readonly removedAt: number | null;
}

/** How far the clock of a drill has come: without the time for which it stood. */
export function elapsedMs(drill: Pick<Drill, 'startedAt' | 'pausedAt' | 'pausedMs' | 'endedAt'>, now: number): number {
  if (drill.startedAt === null) return 0;
  const until = drill.endedAt ?? drill.pausedAt ?? now;
  return Math.max(0, until - drill.startedAt - drill.pausedMs);
}

/** Where an inject stands on the clock of this drill. */
export function dueMs(drill: Pick<Drill, 'stretch'>, at: number): number {
  return Math.round(at * drill.stretch);
}

export const isOver = ({ status }: Pick<Drill, 'status'>): boolean =>
  status === 'ended' || status === 'aborted' || status === 'failed';
