import {
  ACTION_KINDS,
  ACTION_MODES,
  type ActionRun,
  type Connection,
  ENTITY_KINDS,
  type Manifest,
  OUTCOMES,
  type StreamState,
} from '@cordon/connectors';
import { z } from 'zod';

const evidence = z.enum(['emulated', 'recorded', 'described']);

export const connectorBody = z.object({
  app: z.string(),
  title: z.string(),
  vendor: z.string(),
  category: z.string().nullable(),
  evidence,
  evidenceNote: z.string(),
  sources: z.array(z.string()),
  baseUrl: z.string(),
  config: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      help: z.string().nullable(),
      example: z.string().nullable(),
      required: z.boolean(),
      default: z.string().nullable(),
    }),
  ),
  auth: z.array(
    z.object({
      kind: z.string(),
      title: z.string(),
      help: z.string().nullable(),
      scopes: z.array(z.string()),
      /** Secret headers beside the first. */
      extra: z.array(z.object({ header: z.string(), title: z.string() })),
    }),
  ),
  plans: z.array(z.object({ name: z.string(), title: z.string() })),
  scopes: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      risk: z.enum(['low', 'medium', 'high', 'critical']),
      classes: z.array(z.string()),
      operations: z.array(z.string()),
    }),
  ),
  streams: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      emits: z.array(z.enum(ENTITY_KINDS)),
      evidence,
      plans: z.array(z.string()),
      scopes: z.array(z.string()),
      incremental: z.boolean(),
      onDemand: z.boolean(),
    }),
  ),
  actions: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      kind: z.enum(ACTION_KINDS),
      risk: z.enum(['low', 'medium', 'high', 'critical']),
      evidence,
      canVerify: z.boolean(),
      canUndo: z.boolean(),
      undoNote: z.string().nullable(),
      input: z.array(z.object({ name: z.string(), title: z.string(), kind: z.string(), required: z.boolean() })),
    }),
  ),
});

/** A manifest as people and programs choose by it. */
export function describeManifest(one: Manifest): z.input<typeof connectorBody> {
  const { app, title, vendor, evidenceNote, sources, baseUrl, plans, scopes } = one;
  return {
    app,
    title,
    vendor,
    category: one.category ?? null,
    evidence: one.evidence,
    evidenceNote,
    sources,
    baseUrl,
    plans,
    scopes,
    config: one.config.map(({ name, title: label, help, example, required, default: usual }) => ({
      name,
      title: label,
      help: help ?? null,
      example: example ?? null,
      required,
      default: usual ?? null,
    })),
    auth: one.auth.map((auth) => ({
      kind: auth.kind,
      title: auth.title,
      help: auth.help ?? null,
      scopes: 'scopes' in auth ? auth.scopes : [],
      extra: auth.kind === 'header' ? auth.extra : [],
    })),
    streams: Object.entries(one.streams).map(([name, stream]) => ({
      name,
      title: stream.title,
      emits: stream.emits,
      evidence: stream.evidence ?? one.evidence,
      plans: stream.plans,
      scopes: stream.scopes,
      incremental: stream.incremental !== undefined,
      onDemand: stream.onDemand || stream.emits.includes('record'),
    })),
    actions: Object.entries(one.actions).map(([name, action]) => ({
      name,
      title: action.title,
      kind: action.kind,
      risk: action.risk,
      evidence: action.evidence ?? one.evidence,
      canVerify: action.state !== undefined,
      canUndo: action.undo.length > 0,
      undoNote: action.undoNote ?? null,
      input: Object.entries(action.input).map(([field, { title: label, kind, required }]) => ({
        name: field,
        title: label,
        kind,
        required,
      })),
    })),
  };
}

const streamState = z.object({
  stream: z.string(),
  status: z.enum(['never', 'ok', 'partial', 'not_visible', 'failed']),
  reason: z.string().nullable(),
  readAt: z.int().nullable(),
  okAt: z.int().nullable(),
});

export const connectionBody = z.object({
  id: z.string(),
  app: z.string(),
  name: z.string(),
  config: z.record(z.string(), z.string()),
  plan: z.string().nullable(),
  baseUrl: z.string().nullable(),
  privateAddresses: z.array(z.string()),
  credential: z.object({ kind: z.string(), createdAt: z.int() }),
  status: z.enum(['active', 'paused', 'refused']),
  statusReason: z.string().nullable(),
  everyMinutes: z.int().nullable(),
  nextSyncAt: z.int().nullable(),
  sourceId: z.string().nullable(),
  createdAt: z.int(),
  createdBy: z.string(),
  updatedAt: z.int(),
});

export const syncBody = z.object({
  id: z.string(),
  connectionId: z.string(),
  cause: z.enum(['schedule', 'manual']),
  status: z.enum(['queued', 'running', 'done', 'partial', 'failed', 'cancelled']),
  requestedBy: z.string(),
  cancelRequested: z.boolean(),
  error: z.string().nullable(),
  createdAt: z.int(),
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  streams: z.array(
    z.object({
      stream: z.string(),
      status: z.enum(['waiting', 'running', 'ok', 'partial', 'not_visible', 'failed']),
      reason: z.string().nullable(),
      pages: z.int(),
      entities: z.int(),
      added: z.int(),
      changed: z.int(),
      removed: z.int(),
      events: z.int(),
      problems: z.array(z.string()),
    }),
  ),
});

export const connectionDetail = connectionBody.extend({
  streams: z.array(streamState),
  counts: z.array(z.object({ stream: z.string(), kind: z.string(), count: z.int() })),
  lastSync: syncBody.nullable(),
});

export const connectionRow = connectionBody.extend({ lastSync: syncBody.nullable() });

export const entityRow = z.object({
  connectionId: z.string(),
  stream: z.string(),
  kind: z.enum(ENTITY_KINDS),
  id: z.string(),
  name: z.string().nullable(),
  /** As the entity kinds in docs/reference/connector-manifest.md. */
  entity: z.record(z.string(), z.unknown()),
  firstSeen: z.int(),
  lastSeen: z.int(),
  changedAt: z.int(),
  goneAt: z.int().nullable(),
});

export const changeBody = z.object({
  id: z.int(),
  syncId: z.string(),
  stream: z.string(),
  kind: z.string(),
  externalId: z.string(),
  name: z.string().nullable(),
  change: z.enum(['added', 'changed', 'removed', 'returned']),
  fields: z.array(z.string()),
  at: z.int(),
});

export const actionRunBody = z.object({
  id: z.string(),
  connectionId: z.string(),
  action: z.string(),
  mode: z.enum(ACTION_MODES),
  input: z.record(z.string(), z.unknown()),
  idempotencyKey: z.string(),
  undoOf: z.string().nullable(),
  status: z.enum(['queued', 'running', 'ended', 'failed']),
  attempts: z.int(),
  outcome: z.enum(OUTCOMES).nullable(),
  summary: z.string().nullable(),
  state: z.unknown(),
  result: z.unknown(),
  hasSecret: z.boolean(),
  error: z.string().nullable(),
  actor: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() }),
  createdAt: z.int(),
  endedAt: z.int().nullable(),
});

export const actionRequest = z.strictObject({
  action: z.string().min(1).max(64),
  input: z.record(z.string().max(64), z.unknown()).default({}),
  mode: z.enum(ACTION_MODES),
  idempotencyKey: z.string().min(1).max(200),
  undoOf: z.uuid().optional(),
});

/** Lists in what the database gives are read-only; response schemas want their own. */
export const openConnection = (one: Connection) => ({
  ...one,
  config: { ...one.config },
  privateAddresses: [...one.privateAddresses],
});
export const openStates = (states: readonly StreamState[]) => states.map((state) => ({ ...state }));
export const openRun = (run: ActionRun) => ({ ...run, input: { ...run.input } });
