import { z } from 'zod';
import { isWithin, type Label, LABELS } from './label.ts';

const DAY_MS = 86_400_000;
const name = z.string().min(1).max(200);

/** What a rule, a hold or an exception is about; null: any. */
export const retentionScope = z.strictObject({
  app: name.nullable().default(null),
  object: name.nullable().default(null),
  connectionId: name.nullable().default(null),
  /** A record's own id; with app and object. */
  recordId: z.string().min(1).max(512).nullable().default(null),
});
export type RetentionScope = z.output<typeof retentionScope>;

export const retentionRule = z.strictObject({
  app: name.nullable().default(null),
  object: name.nullable().default(null),
  /** Data sets labelled at least so. */
  label: z.enum(LABELS).nullable().default(null),
  /** Data sets that hold this fideslang category. */
  category: z
    .string()
    .regex(/^[a-z_]+(?:\.[a-z_]+)*$/)
    .nullable()
    .default(null),
  clock: z.enum(['createdAt', 'updatedAt']),
  days: z.int().min(1).max(36_500),
  action: z.enum(['delete', 'anonymise', 'report']),
  /** A run that would act on more records waits for another person. */
  approvalAbove: z.int().min(0).max(1_000_000).default(100),
  perMinuteMax: z.int().min(1).max(10_000).default(60),
});
export type RetentionRule = z.output<typeof retentionRule>;

export interface RetentionRecord {
  readonly connectionId: string;
  readonly app: string;
  readonly object: string;
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt?: string | null | undefined;
  readonly updatedAt?: string | null | undefined;
}

export interface RetentionSet {
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly categories: readonly string[];
}

export type Verdict =
  | { readonly verdict: 'due'; readonly clockAt: number }
  | { readonly verdict: 'held' | 'excepted'; readonly clockAt: number; readonly reason: string }
  | { readonly verdict: 'young' }
  /** The tool shows no time for it: what can't be dated is never deleted. */
  | { readonly verdict: 'undated' };

export interface Exemption {
  readonly name: string;
  readonly scope: RetentionScope;
}

/** Whether a rule is about a data set. */
export function coversSet(rule: RetentionRule, set: RetentionSet): boolean {
  return (
    (rule.app === null || rule.app === set.app) &&
    (rule.object === null || rule.object === set.object) &&
    (rule.label === null || LABELS.indexOf(set.label) >= LABELS.indexOf(rule.label)) &&
    (rule.category === null || set.categories.some((one) => isWithin(one, rule.category ?? '')))
  );
}

export function coversRecord(scope: RetentionScope, record: RetentionRecord): boolean {
  return (
    (scope.app === null || scope.app === record.app) &&
    (scope.object === null || scope.object === record.object) &&
    (scope.connectionId === null || scope.connectionId === record.connectionId) &&
    (scope.recordId === null || scope.recordId === record.id)
  );
}

/** What is to happen to a record at a moment. A legal hold wins over everything, an exception over the rule. */
export function judgeRecord(
  rule: RetentionRule,
  record: RetentionRecord,
  exemptions: { readonly holds: readonly Exemption[]; readonly exceptions: readonly Exemption[] },
  now: number,
): Verdict {
  const time = record[rule.clock];
  const clockAt = time ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(clockAt)) return { verdict: 'undated' };
  if (now - clockAt < rule.days * DAY_MS) return { verdict: 'young' };
  const hold = exemptions.holds.find(({ scope }) => coversRecord(scope, record));
  if (hold) return { verdict: 'held', clockAt, reason: hold.name };
  const exception = exemptions.exceptions.find(({ scope }) => coversRecord(scope, record));
  if (exception) return { verdict: 'excepted', clockAt, reason: exception.name };
  return { verdict: 'due', clockAt };
}
