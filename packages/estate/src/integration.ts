import { z } from 'zod';
import { assurance, integrationEntry } from '@cordon/policy';
import { instant, line } from './input.ts';

const DAY_MS = 86_400_000;
/** An integration that nobody looked at for this long should not go on by itself. */
export const EXPIRY_DAYS_DEFAULT = 365;

const owner = z.strictObject({ id: line.min(1).max(128), name: line.min(1).max(200) });

export const integrationInput = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a-z, 0-9 and inner dashes, at most 63 characters'),
  purpose: line.min(3, 'say in a few words what it is for').max(2000),
  kind: integrationEntry.shape.kind.prefault('service'),
  /** Milliseconds since the epoch; absent: a year from now; null: never. */
  expiresAt: instant.nullable().optional(),
  /** Absent: the person who registers it. */
  owner: owner.optional(),
  /** Takes over when the owner leaves. */
  backupOwner: owner.nullable().optional(),
  assurance: assurance.default('m0'),
});
export type IntegrationInput = z.input<typeof integrationInput>;

export const integrationPatch = z.strictObject({
  purpose: integrationInput.shape.purpose.optional(),
  expiresAt: instant.nullable().optional(),
  owner: integrationInput.shape.owner,
  backupOwner: integrationInput.shape.backupOwner,
  assurance: assurance.optional(),
});
export type IntegrationPatch = z.input<typeof integrationPatch>;

export interface Integration {
  readonly id: string;
  readonly name: string;
  readonly owner: { readonly id: string; readonly name: string };
  readonly backupOwner: { readonly id: string; readonly name: string } | null;
  /** Its owner left and nobody took over: it is suspended at this moment unless somebody does. */
  readonly orphanedUntil: number | null;
  readonly purpose: string;
  readonly kind: string;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly statusReason: string | null;
  readonly statusAt: number;
  readonly expiresAt: number | null;
  readonly assurance: 'm0' | 'm1' | 'm2';
  readonly createdAt: number;
  readonly updatedAt: number;
}

export function defaultExpiry(now: number): number {
  return now + EXPIRY_DAYS_DEFAULT * DAY_MS;
}

/** What the gateway needs to know of an integration. */
export function integrationSnapshotEntry(integration: Integration): readonly [string, unknown] {
  return [
    `integration:${integration.id}`,
    {
      id: integration.id,
      name: integration.name,
      ownerId: integration.owner.id,
      purpose: integration.purpose,
      kind: integration.kind,
      status: integration.status,
      expiresAt: integration.expiresAt,
      clientId: integration.id,
      assurance: integration.assurance,
    },
  ];
}
