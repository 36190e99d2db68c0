import { z } from 'zod';
import type { PlannedGroup } from './group-plan.ts';
import { DEFAULT_MAPPING, type Flat, mappingSchema, type SourcePerson } from './mapping.ts';
import type { Difference, PlannedItem } from './plan.ts';

const GROUPS_MAX = 100;
const ADDRESSES_MAX = 20;
const REQUESTS_PER_S = 10;
const LEAVERS_MAX = 20;

const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((text) => !/[?#@]/.test(text), { error: 'An address without query, fragment and credentials.' })
  .transform((text) => text.replace(/\/+$/, ''));

const fields = {
  name: z.string().trim().min(1).max(100),
  mapping: mappingSchema.default(DEFAULT_MAPPING),
  /** Ids of groups of people; their members have an account there. */
  groups: z.array(z.uuid()).min(1).max(GROUPS_MAX),
  onLeave: z.enum(['deactivate', 'delete']).default('deactivate'),
  requestsPerS: z.int().min(1).max(100).default(REQUESTS_PER_S),
  leaversMax: z.int().min(0).max(100_000).default(LEAVERS_MAX),
};

export const targetInput = z.discriminatedUnion('kind', [
  z.strictObject({
    ...fields,
    kind: z.literal('scim'),
    baseUrl,
    token: z.string().min(1).max(4_000),
    privateAddresses: z.array(z.string().max(100)).max(ADDRESSES_MAX).default([]),
    /** Groups that are pushed themselves, with those of their members who have an account there. */
    pushGroups: z.array(z.uuid()).max(GROUPS_MAX).default([]),
  }),
  /** A tool without an interface: each change is a task for a person. */
  z.strictObject({ ...fields, kind: z.literal('task') }),
]);
export type TargetInput = z.input<typeof targetInput>;

export const targetChange = z.strictObject({
  mapping: mappingSchema.optional(),
  groups: fields.groups.optional(),
  pushGroups: z.array(z.uuid()).max(GROUPS_MAX).optional(),
  onLeave: z.enum(['deactivate', 'delete']).optional(),
  requestsPerS: z.int().min(1).max(100).optional(),
  leaversMax: z.int().min(0).max(100_000).optional(),
  paused: z.boolean().optional(),
  token: z.string().min(1).max(4_000).optional(),
});
export type TargetChange = z.input<typeof targetChange>;

export interface ProvisionTarget {
  readonly id: string;
  readonly name: string;
  readonly kind: 'scim' | 'task';
  readonly baseUrl: string | null;
  readonly privateAddresses: readonly string[];
  readonly mapping: z.output<typeof mappingSchema>;
  readonly groups: readonly string[];
  readonly pushGroups: readonly string[];
  readonly onLeave: 'deactivate' | 'delete';
  readonly requestsPerS: number;
  readonly leaversMax: number;
  readonly paused: boolean;
  readonly fingerprint: string | null;
  readonly checkedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const ITEM_STATES = ['planned', 'waiting', 'done', 'nothing', 'task', 'failed'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export interface ProvisionRun {
  readonly id: string;
  readonly targetId: string;
  readonly targetName: string;
  readonly mode: 'preview' | 'push';
  readonly reason: string;
  readonly leaversAllowed: number | null;
  readonly startedBy: string;
  readonly startedAt: number;
  readonly plannedAt: number | null;
  readonly unmanaged: number | null;
  readonly endedAt: number | null;
  readonly error: string | null;
  readonly counts: Readonly<Record<ItemState, number>>;
}

export interface ProvisionItem extends Omit<PlannedItem, 'why' | 'wanted' | 'differences'> {
  readonly wanted: Flat;
  readonly differences: readonly Difference[];
  readonly state: ItemState;
  readonly detail: string | null;
  readonly attempts: number;
  readonly at: number;
  readonly closedBy: string | null;
}

export interface ProvisionGroupItem extends Omit<PlannedGroup, 'why'> {
  readonly state: ItemState;
  readonly detail: string | null;
  readonly attempts: number;
  readonly at: number;
}

/** What this package asks of people and groups. */
export interface PeopleSource {
  /** Active and invited members of any of these groups, each once. */
  membersOf(groups: readonly string[]): Promise<readonly SourcePerson[]>;
  /** These groups with the ids of their members; one that is gone is left out. */
  groups(
    ids: readonly string[],
  ): Promise<readonly { readonly id: string; readonly name: string; readonly memberIds: readonly string[] }[]>;
}
