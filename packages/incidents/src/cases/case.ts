import { z } from 'zod';
import type { Party } from '../engine/run.ts';

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type CaseSeverity = (typeof SEVERITIES)[number];
export const CASE_STATUSES = ['open', 'contained', 'recovered', 'closed'] as const;
export type CaseStatus = (typeof CASE_STATUSES)[number];
/** FIRST Traffic Light Protocol 2.0. */
export const TLPS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
export type Tlp = (typeof TLPS)[number];
export const ORIGINS = ['alert', 'finding', 'vendor-notice', 'manual'] as const;
export type CaseOrigin = (typeof ORIGINS)[number];
export const LINK_KINDS = [
  'alert',
  'finding',
  'event',
  'app',
  'integration',
  'person',
  'data-class',
  'vendor',
  'case',
] as const;
export type CaseLinkKind = (typeof LINK_KINDS)[number];
export const ENTRY_KINDS = ['event', 'act', 'note', 'evidence', 'status', 'message'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];
export const ROLES = ['commander', 'technical', 'communications', 'liaison', 'scribe'] as const;
export type CaseRoles = Readonly<Partial<Record<(typeof ROLES)[number], string>>>;
export const MARKS = ['acknowledged', 'contained', 'notified', 'recovered'] as const;
export type CaseMark = (typeof MARKS)[number];

export interface CaseReview {
  readonly whatHappened: string;
  readonly rootCause: string;
  readonly wentWell: string;
  readonly wentBadly: string;
  readonly by: string;
  readonly at: number;
}

export interface IncidentCase {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly summary: string;
  readonly severity: CaseSeverity;
  readonly status: CaseStatus;
  readonly tlp: Tlp;
  readonly origin: CaseOrigin;
  /** What may be told to customers. */
  readonly statusPage: string;
  /** When it began, as far as is known. */
  readonly occurredAt: number;
  readonly detectedAt: number;
  readonly acknowledgedAt: number | null;
  readonly containedAt: number | null;
  readonly notifiedAt: number | null;
  readonly recoveredAt: number | null;
  readonly closedAt: number | null;
  readonly createdAt: number;
  readonly createdBy: Party;
  readonly updatedAt: number;
  readonly roles: CaseRoles;
  readonly review: CaseReview | null;
  /** The exercise that it belongs to; null: it is real. */
  readonly drill: string | null;
}

const text = (max: number) => z.string().trim().max(max);
const moment = z.int().nonnegative();
export const linkInput = z.strictObject({ kind: z.enum(LINK_KINDS), ref: text(600).min(1), name: text(600).min(1) });

export const caseInput = z.strictObject({
  title: text(300).min(3),
  summary: text(8_000).default(''),
  severity: z.enum(SEVERITIES),
  tlp: z.enum(TLPS).default('amber'),
  origin: z.enum(ORIGINS).default('manual'),
  occurredAt: moment.optional(),
  detectedAt: moment.optional(),
  links: z.array(linkInput).max(200).default([]),
});
export type CaseInput = z.input<typeof caseInput>;

export const casePatch = z.strictObject({
  title: text(300).min(3).optional(),
  summary: text(8_000).optional(),
  severity: z.enum(SEVERITIES).optional(),
  tlp: z.enum(TLPS).optional(),
  statusPage: text(8_000).optional(),
  occurredAt: moment.optional(),
  roles: z.partialRecord(z.enum(ROLES), text(200).min(1)).optional(),
});
export const markInput = z.strictObject({ mark: z.enum(MARKS), at: moment.optional(), note: text(2_000).default('') });
export const entryInput = z.strictObject({
  kind: z.enum(['note', 'event', 'message']).default('note'),
  text: text(8_000).min(1),
  at: moment.optional(),
});
export const taskInput = z.strictObject({
  title: text(300).min(1),
  assignee: text(200).min(1).nullable().default(null),
  dueAt: moment.nullable().default(null),
  kind: z.enum(['task', 'review-action']).default('task'),
});
export const taskPatch = z.strictObject({
  done: z.boolean().optional(),
  assignee: text(200).min(1).nullable().optional(),
  dueAt: moment.nullable().optional(),
});
export const reviewInput = z.strictObject({
  whatHappened: text(20_000).min(10),
  rootCause: text(20_000).min(3),
  wentWell: text(20_000).default(''),
  wentBadly: text(20_000).default(''),
  actions: z
    .array(
      z.strictObject({
        title: text(300).min(3),
        assignee: text(200).min(1).nullable().default(null),
        dueAt: moment.nullable().default(null),
      }),
    )
    .max(100),
});

export interface CaseMetrics {
  /** Milliseconds; null while it has not happened. Detection counts from the beginning, all others from detection. */
  readonly detectMs: number | null;
  readonly acknowledgeMs: number | null;
  readonly containMs: number | null;
  readonly notifyMs: number | null;
  readonly recoverMs: number | null;
}

const span = (from: number, to: number | null): number | null => (to === null ? null : Math.max(0, to - from));

export function metricsOf(
  of: Pick<IncidentCase, 'occurredAt' | 'detectedAt' | 'acknowledgedAt' | 'containedAt' | 'notifiedAt' | 'recoveredAt'>,
): CaseMetrics {
  return {
    detectMs: span(of.occurredAt, of.detectedAt),
    acknowledgeMs: span(of.detectedAt, of.acknowledgedAt),
    containMs: span(of.detectedAt, of.containedAt),
    notifyMs: span(of.detectedAt, of.notifiedAt),
    recoverMs: span(of.detectedAt, of.recoveredAt),
  };
}

/** The middle value of each metric over cases; null where none has it. */
export function medianMetrics(cases: readonly CaseMetrics[]): CaseMetrics {
  const median = (key: keyof CaseMetrics): number | null => {
    const values = cases.flatMap((one) => (one[key] === null ? [] : [one[key]])).sort((a, b) => a - b);
    const middle = values.length >> 1;
    if (values.length === 0) return null;
    return values.length % 2 === 1
      ? (values[middle] ?? null)
      : Math.round(((values[middle - 1] ?? 0) + (values[middle] ?? 0)) / 2);
  };
  return {
    detectMs: median('detectMs'),
    acknowledgeMs: median('acknowledgeMs'),
    containMs: median('containMs'),
    notifyMs: median('notifyMs'),
    recoverMs: median('recoverMs'),
  };
}
