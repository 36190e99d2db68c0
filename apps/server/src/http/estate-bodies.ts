import { appSettings } from '@cordon/estate';
import { assurance, grantEntry } from '@cordon/policy';
import { z } from 'zod';

/** Response schemas of the estate; the console's and the command line's types are generated from them. */
export const idParameter = z.object({ id: z.uuid() });

/** Kind and fortune of a vendor credential; nothing of what it holds. */
export const credentialBody = z.object({
  id: z.string(),
  kind: z.string(),
  integrationId: z.string().nullable(),
  stage: z.enum(['staged', 'current', 'overlap']),
  state: z.enum(['pending', 'ready', 'failing', 'expired']),
  expiresAt: z.int().nullable(),
  refreshAt: z.int().nullable(),
  refreshedAt: z.int().nullable(),
  verifyPath: z.string().nullable(),
  verifiedAt: z.int().nullable(),
  problem: z.string().nullable(),
  switchAt: z.int().nullable(),
  overlapUntil: z.int().nullable(),
  connects: z.boolean(),
  renews: z.boolean(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const appBody = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  owner: z.object({ id: z.string(), name: z.string() }).nullable(),
  settings: appSettings,
  description: z
    .object({
      title: z.string(),
      version: z.string(),
      operations: z.int(),
      problems: z.int(),
      sha256: z.string(),
    })
    .nullable(),
  credential: credentialBody.nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
});

export const operationBody = z.object({
  id: z.string(),
  method: z.string(),
  path: z.string(),
  summary: z.string(),
  tags: z.array(z.string()),
  access: z.enum(['read', 'write']),
  deprecated: z.boolean(),
});

export const integrationBody = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.object({ id: z.string(), name: z.string() }),
  backupOwner: z.object({ id: z.string(), name: z.string() }).nullable(),
  orphanedUntil: z.int().nullable(),
  purpose: z.string(),
  kind: z.string(),
  status: z.enum(['active', 'suspended', 'revoked']),
  statusReason: z.string().nullable(),
  statusAt: z.int(),
  expiresAt: z.int().nullable(),
  assurance,
  createdAt: z.int(),
  updatedAt: z.int(),
});

export const grantBody = z.object({
  id: z.string(),
  integrationId: z.string(),
  appId: z.string(),
  name: z.string(),
  select: grantEntry.shape.select,
  resourceScope: grantEntry.shape.resourceScope,
  expiresAt: z.int().nullable(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const cutOffBody = z.object({
  id: z.string(),
  integrationId: z.string(),
  epoch: z.int(),
  decidedAt: z.int(),
  reachedAt: z.int().nullable(),
  gateways: z.array(z.object({ id: z.string(), pid: z.int(), delayMs: z.int() })),
});

export const gatewayBody = z.object({
  gatewayId: z.string(),
  pid: z.int(),
  version: z.int(),
  epoch: z.int(),
  appliedAt: z.int(),
  seenAt: z.int(),
  live: z.boolean(),
});
