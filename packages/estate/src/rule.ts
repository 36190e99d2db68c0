import type { z } from 'zod';
import { inspectionEntry, limitEntry, policyEntry, requirementEntry } from '@cordon/policy';
import type { Permission } from '@cordon/kernel';
import type { RuleKind } from './tables.ts';

/** Input of each kind of rule: the snapshot's entry without its id. */
export const ruleInputs = {
  policy: policyEntry.omit({ id: true }),
  inspection: inspectionEntry.omit({ id: true }),
  limit: limitEntry.omit({ id: true }),
  requirement: requirementEntry.omit({ id: true }),
} as const satisfies Record<RuleKind, z.ZodType>;

export type RuleInput<Kind extends RuleKind> = z.input<(typeof ruleInputs)[Kind]>;
export type RuleEntry<Kind extends RuleKind> = z.output<(typeof ruleInputs)[Kind]>;

export interface Rule<Kind extends RuleKind = RuleKind> {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  readonly entry: RuleEntry<Kind>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Rules are policy: the same people read and write them. */
export const RULE_PERMISSIONS: { readonly read: Permission; readonly write: Permission } = {
  read: 'policy.read',
  write: 'policy.write',
};

export const RULE_NAMES: Readonly<Record<RuleKind, string>> = {
  policy: 'policy',
  inspection: 'inspection rule',
  limit: 'limit',
  requirement: 'requirement',
};
