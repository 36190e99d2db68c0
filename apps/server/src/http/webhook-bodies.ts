import { endpointSettings } from '@cordon/webhooks';
import { z } from 'zod';

/** Response schemas of webhooks. */
export const endpointBody = z.object({
  id: z.string(),
  name: z.string(),
  appId: z.string(),
  integrationId: z.string(),
  status: z.enum(['active', 'paused', 'disabled']),
  /** What is pasted at the vendor. */
  address: z.string(),
  settings: endpointSettings,
  secrets: z.array(
    z.object({
      id: z.string(),
      purpose: z.enum(['vendor', 'signing']),
      notAfter: z.int().nullable(),
      createdAt: z.int(),
      createdBy: z.string(),
    }),
  ),
  counts: z.object({ waiting: z.int(), delivered: z.int(), dead: z.int(), duplicate: z.int() }),
  lastReceivedAt: z.int().nullable(),
  createdAt: z.int(),
  createdBy: z.string(),
  updatedAt: z.int(),
});

export const endpointWithSecret = z.object({
  endpoint: endpointBody,
  /** What the integration checks deliveries with; shown this once. */
  signingSecret: z.string(),
});

export const deliveryBody = z.object({
  id: z.string(),
  endpointId: z.string(),
  receivedAt: z.int(),
  type: z.string(),
  vendorId: z.string(),
  contentType: z.string(),
  bytes: z.int(),
  status: z.enum(['waiting', 'delivered', 'dead', 'duplicate']),
  attempts: z.int(),
  nextAt: z.int().nullable(),
  settledAt: z.int().nullable(),
  isKept: z.boolean(),
});

export const deliveryDetail = z.object({
  delivery: deliveryBody,
  content: z.object({ headers: z.record(z.string(), z.string()), body: z.string() }).nullable(),
  attempts: z.array(
    z.object({
      id: z.string(),
      number: z.int(),
      at: z.int(),
      durationMs: z.int(),
      status: z.int().nullable(),
      error: z.string().nullable(),
      headers: z.record(z.string(), z.string()),
      byHand: z.string().nullable(),
      body: z.string().nullable(),
    }),
  ),
});

export const schemeBody = z.object({ name: z.string(), title: z.string(), docs: z.string(), hint: z.string() });
