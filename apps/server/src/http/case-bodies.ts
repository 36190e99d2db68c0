import {
  ACT_STATUSES,
  CASE_STATUSES,
  ENTRY_KINDS,
  LINK_KINDS,
  ORIGINS,
  RUN_STATUSES,
  SEVERITIES,
  TLPS,
} from '@cordon/incidents';
import { z } from 'zod';

/** Response schemas of cases, playbooks and runs. Times are milliseconds since the epoch. */

const party = z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() });
const record = z.record(z.string(), z.unknown());

export const metricsBody = z.object({
  detectMs: z.int().nullable(),
  acknowledgeMs: z.int().nullable(),
  containMs: z.int().nullable(),
  notifyMs: z.int().nullable(),
  recoverMs: z.int().nullable(),
});

export const caseBody = z.object({
  id: z.string(),
  number: z.int(),
  title: z.string(),
  summary: z.string(),
  severity: z.enum(SEVERITIES),
  status: z.enum(CASE_STATUSES),
  tlp: z.enum(TLPS),
  origin: z.enum(ORIGINS),
  statusPage: z.string(),
  occurredAt: z.int(),
  detectedAt: z.int(),
  acknowledgedAt: z.int().nullable(),
  containedAt: z.int().nullable(),
  notifiedAt: z.int().nullable(),
  recoveredAt: z.int().nullable(),
  closedAt: z.int().nullable(),
  createdAt: z.int(),
  createdBy: party,
  updatedAt: z.int(),
  roles: z.record(z.string(), z.string()),
  review: z
    .object({
      whatHappened: z.string(),
      rootCause: z.string(),
      wentWell: z.string(),
      wentBadly: z.string(),
      by: z.string(),
      at: z.int(),
    })
    .nullable(),
  /** The exercise that it belongs to; null: it is real. */
  drill: z.string().nullable(),
  metrics: metricsBody,
});

export const evidenceBody = z.object({
  id: z.string(),
  name: z.string(),
  mediaType: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  addedAt: z.int(),
  addedBy: z.string(),
});

export const runBody = z.object({
  id: z.string(),
  playbookId: z.string(),
  playbookName: z.string(),
  digest: z.string(),
  mode: z.enum(['live', 'simulate']),
  status: z.enum(RUN_STATUSES),
  caseId: z.string().nullable(),
  alertId: z.string().nullable(),
  startedBy: party,
  approval: z.object({ by: party, at: z.int(), approved: z.boolean(), reason: z.string() }).nullable(),
  inputs: z.record(z.string(), z.string()),
  /** Of a proposed run: what its approval has to give. */
  missing: z.array(z.string()),
  error: z.string().nullable(),
  createdAt: z.int(),
  finishedAt: z.int().nullable(),
});

export const caseDetail = caseBody.extend({
  timeline: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(ENTRY_KINDS),
      at: z.int(),
      recordedAt: z.int(),
      author: z.string(),
      text: z.string(),
      detail: record,
    }),
  ),
  tasks: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['task', 'review-action']),
      title: z.string(),
      assignee: z.string().nullable(),
      dueAt: z.int().nullable(),
      doneAt: z.int().nullable(),
      doneBy: z.string().nullable(),
      createdAt: z.int(),
    }),
  ),
  links: z.array(z.object({ kind: z.enum(LINK_KINDS), ref: z.string(), name: z.string(), addedAt: z.int() })),
  evidence: z.array(evidenceBody),
  messages: z.array(
    z.object({
      id: z.string(),
      channel: z.string(),
      to: z.array(z.string()),
      subject: z.string(),
      text: z.string(),
      status: z.enum(['waiting', 'sent', 'failed', 'held']),
      attempts: z.int(),
      sentAt: z.int().nullable(),
      error: z.string().nullable(),
      createdAt: z.int(),
    }),
  ),
  runs: z.array(runBody),
});

export const channelBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['chat', 'mail']),
  shown: z.string(),
  createdAt: z.int(),
  createdBy: z.string(),
});

export const problemBody = z.object({
  level: z.enum(['error', 'warning']),
  code: z.string(),
  step: z.string().nullable(),
  message: z.string(),
});

export const playbookBody = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  types: z.array(z.string()),
  origin: z.enum(['product', 'own']),
  modified: z.string(),
  steps: z.int(),
  errors: z.int(),
  warnings: z.int(),
  triggers: z.array(z.string()),
});

export const playbookDetail = z.object({
  origin: z.enum(['product', 'own']),
  document: record,
  problems: z.array(problemBody),
  refusals: z.array(z.object({ stepId: z.string(), command: z.string(), reason: z.string() })),
  inputs: z.array(
    z.object({ name: z.string(), type: z.string(), description: z.string(), value: z.string().nullable() }),
  ),
});

export const runDetail = runBody.extend({
  document: record,
  variables: z.record(z.string(), z.object({ type: z.string(), value: z.string().nullable() })),
  acts: z.array(
    z.object({
      key: z.string(),
      stepId: z.string(),
      kind: z.enum(['control', 'act', 'manual', 'undo']),
      title: z.string(),
      command: z.string(),
      effect: z.string(),
      status: z.enum(ACT_STATUSES),
      input: record,
      result: record.nullable(),
      proof: record.nullable(),
      error: z.string().nullable(),
      approval: z.object({ by: party, at: z.int(), approved: z.boolean(), reason: z.string() }).nullable(),
      attempts: z.int(),
      createdAt: z.int(),
      startedAt: z.int().nullable(),
      finishedAt: z.int().nullable(),
      dueAt: z.int().nullable(),
      undoTitle: z.string().nullable(),
    }),
  ),
});
