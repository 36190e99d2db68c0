import {
  ALERT_STATUSES,
  collectInput,
  LEVELS,
  notificationTemplate,
  quietHours,
  TARGET_KINDS,
} from '@cordon/detection';
import { z } from 'zod';

/** Response schemas of sources, detections and alerts. Times are milliseconds since the epoch. */

export const levelName = z.enum(LEVELS as readonly ['informational', 'low', 'medium', 'high', 'critical']); // LEVELS in its order

export const sourceBody = z.object({
  id: z.string(),
  name: z.string(),
  product: z.string(),
  credentialHint: z.string(),
  status: z.enum(['active', 'paused']),
  rateMax: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
  updatedAt: z.int(),
  accepted: z.int(),
  duplicates: z.int(),
  failed: z.int(),
  lastReceivedAt: z.int().nullable(),
  watermark: z.int().nullable(),
  lagMs: z.int().nullable(),
  errorRate: z.number().nullable(),
  deadLetters: z.int(),
  collect: collectInput.nullable(),
  collectError: z.string().nullable(),
});

export const sourceWithCredential = z.object({ source: sourceBody, credential: z.string() });

export const deadLetterBody = z.object({
  id: z.string(),
  sourceId: z.string(),
  receivedAt: z.int(),
  raw: z.string(),
  reason: z.string(),
  attempts: z.int(),
  status: z.enum(['waiting', 'replay', 'replayed', 'discarded']),
});

export const alertBody = z.object({
  id: z.string(),
  ruleId: z.string(),
  ruleKind: z.enum(['rule', 'correlation']),
  title: z.string(),
  level: levelName,
  entity: z.object({
    type: z.enum(['integration', 'person', 'resource', 'address', 'product', 'group']),
    id: z.string(),
    name: z.string(),
  }),
  product: z.string(),
  status: z.enum(ALERT_STATUSES),
  statusReason: z.string().nullable(),
  statusAt: z.int(),
  statusBy: z.string(),
  assignee: z.string().nullable(),
  signals: z.int(),
  firstAt: z.int(),
  lastAt: z.int(),
  createdAt: z.int(),
  updatedAt: z.int(),
  delayMs: z.int(),
  /** The exercise that made it; null: it is real. */
  drill: z.string().nullable(),
});

export const alertDetail = alertBody.extend({
  timeline: z.array(z.object({ id: z.string(), at: z.int(), eventIds: z.array(z.string()) })),
  comments: z.array(z.object({ id: z.string(), at: z.int(), author: z.string(), text: z.string() })),
});

export const exceptionBody = z.object({
  id: z.string(),
  ruleId: z.string(),
  entityKey: z.string().nullable(),
  reason: z.string(),
  expiresAt: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const detectionBody = z.object({
  id: z.string(),
  kind: z.enum(['rule', 'correlation']),
  title: z.string(),
  level: levelName,
  status: z.string(),
  product: z.string().nullable(),
  service: z.string().nullable(),
  tags: z.array(z.string()),
  description: z.string(),
  why: z.string(),
  falsePositives: z.array(z.string()),
  questions: z.array(z.string()),
  playbook: z.string().nullable(),
  file: z.string(),
  enabled: z.boolean(),
  setting: z.object({ reason: z.string(), changedAt: z.int(), changedBy: z.string() }).nullable(),
  exceptions: z.array(exceptionBody),
});

/** A target as it is shown; a routing key never is. */
export const targetBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(TARGET_KINDS),
  url: z.string(),
  to: z.array(z.string()),
  levelMin: levelName,
  template: notificationTemplate.nullable(),
  quiet: quietHours.nullable(),
  tellClosed: z.boolean(),
  privateAddresses: z.array(z.string()),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const deliveryBody = z.object({
  id: z.string(),
  targetId: z.string(),
  target: z.string(),
  alertId: z.string(),
  event: z.enum(['raised', 'closed']),
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.int(),
  nextAt: z.int(),
  settledAt: z.int().nullable(),
  lastError: z.string().nullable(),
});
