import { ROLES } from '@cordon/kernel';
import { z } from 'zod';

export const ELEVATION_KINDS = ['role', 'group', 'app', 'operation'] as const;
export const ELEVATION_STATES = ['asked', 'live', 'refused', 'withdrawn', 'lapsed', 'ended'] as const;
export type ElevationState = (typeof ELEVATION_STATES)[number];

/** The longest that each kind may last: a role in Cordon is the most dangerous of them. */
export const ELEVATION_MINUTES_MAX = { role: 480, group: 10_080, app: 10_080, operation: 10_080 } as const;
/** Nobody decided for a day: whoever needs it asks anew. */
export const LAPSE_MS = 24 * 60 * 60_000;

const reason = z.string().trim().min(5).max(1_000);
const minutes = (most: number) => z.int().min(1).max(most);

/** What can be asked for. */
export const elevationInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('role'), ref: z.enum(ROLES), reason, minutes: minutes(ELEVATION_MINUTES_MAX.role) }),
  z.strictObject({ kind: z.literal('group'), ref: z.uuid(), reason, minutes: minutes(ELEVATION_MINUTES_MAX.group) }),
  /** A tool that people sign on to. */
  z.strictObject({ kind: z.literal('app'), ref: z.uuid(), reason, minutes: minutes(ELEVATION_MINUTES_MAX.app) }),
  /** Operations of an app behind the gateway, for an integration. */
  z.strictObject({
    kind: z.literal('operation'),
    ref: z.uuid(),
    integrationId: z.uuid(),
    operations: z.array(z.string().min(1).max(512)).min(1).max(100),
    reason,
    minutes: minutes(ELEVATION_MINUTES_MAX.operation),
  }),
]);
export type ElevationInput = z.output<typeof elevationInput>;

export interface Elevation {
  readonly id: string;
  readonly kind: (typeof ELEVATION_KINDS)[number];
  readonly ref: string;
  readonly name: string;
  readonly integration: { readonly id: string; readonly name: string } | null;
  readonly operations: readonly string[];
  readonly grantId: string | null;
  readonly person: { readonly id: string; readonly name: string };
  readonly reason: string;
  readonly minutes: number;
  readonly state: ElevationState;
  readonly askedAt: number;
  readonly lapsesAt: number;
  readonly decidedBy: { readonly id: string; readonly name: string } | null;
  readonly decidedAt: number | null;
  readonly note: string | null;
  readonly endsAt: number | null;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly endedWhy: string | null;
}

/** Who answers for what is asked for; null: whoever is an owner of Cordon. */
export interface Approver {
  readonly id: string;
  readonly name: string;
}

/** What of integrations and apps behind the gateway an elevation needs. */
export interface OperationPort {
  findApp(id: string): Promise<{ readonly id: string; readonly name: string; readonly owner: Approver | null } | null>;
  /** Grants until then; the same elevation again replaces its grant. Gives the grant's id. */
  give(input: {
    readonly elevationId: string;
    readonly integrationId: string;
    readonly appId: string;
    readonly operations: readonly string[];
    readonly expiresAt: number;
    readonly by: string;
  }): Promise<string>;
  /** Takes it again; nothing happens when it is gone. */
  take(grantId: string): Promise<void>;
}
