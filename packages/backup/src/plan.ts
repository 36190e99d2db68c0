import { z } from 'zod';
import { retention } from './prune.ts';

const YEAR_S = 366 * 86_400;
const MINUTE_S = 60;
const every = z
  .int()
  .min(5 * MINUTE_S)
  .max(YEAR_S)
  .nullable();

/** How one app is backed up. Seconds; null: only when somebody asks. */
export const planInput = z.strictObject({
  connectionId: z.uuid(),
  name: z.string().min(1).max(100),
  app: z.string().min(1).max(100),
  /** Null: every stream that holds state. */
  streams: z.array(z.string().min(1).max(64)).min(1).max(100).nullable().default(null),
  everyS: every.default(86_400),
  verifyEveryS: every.default(86_400),
  sampleEveryS: every.default(7 * 86_400),
  /** How often all records are read, to see what is gone; between, only changes where the app tells them. */
  wholeEveryS: z
    .int()
    .min(5 * MINUTE_S)
    .max(YEAR_S)
    .default(7 * 86_400),
  retention: retention.default(() => retention.parse({})),
  /** At most so much may be lost, counted from the newest verified snapshot. */
  rpoS: z
    .int()
    .min(MINUTE_S)
    .max(YEAR_S)
    .default(2 * 86_400),
  /** Reading all of it back may take so long. */
  rtoS: z
    .int()
    .min(1)
    .max(YEAR_S)
    .default(4 * 3_600),
});
export type PlanInput = z.output<typeof planInput>;

export interface Plan extends PlanInput {
  readonly id: string;
  readonly nextBackupAt: number | null;
  readonly nextVerifyAt: number | null;
  readonly nextSampleAt: number | null;
  readonly wholeAt: number | null;
  readonly verifiedTakenAt: number | null;
  readonly verifiedAt: number | null;
  readonly sample: { readonly ms: number; readonly records: number; readonly at: number } | null;
}

/** Seconds now, beside the target; null where nothing was measured, which meets no target. */
export interface Recovery {
  readonly rpoS: number | null;
  readonly rpoMet: boolean;
  /** Estimated for all records from the newest timed sample. */
  readonly rtoS: number | null;
  readonly rtoMet: boolean;
}

export function recoveryOf(plan: Plan, records: number, now: number): Recovery {
  const rpoS = plan.verifiedTakenAt === null ? null : Math.max(0, Math.round((now - plan.verifiedTakenAt) / 1_000));
  const { sample } = plan;
  const rtoS =
    sample === null || sample.records === 0
      ? null
      : Math.ceil((sample.ms * Math.max(1, records / sample.records)) / 1_000);
  return { rpoS, rpoMet: rpoS !== null && rpoS <= plan.rpoS, rtoS, rtoMet: rtoS !== null && rtoS <= plan.rtoS };
}

/** `own`: a snapshot of Cordon itself. */
export const JOB_KINDS = ['snapshot', 'verify', 'sample', 'plan', 'restore', 'prune', 'rotate', 'own'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** What is to be restored: everything of a snapshot, one object, one record. */
export const restoreInput = z.strictObject({
  /** Or `at`: the newest snapshot that was taken then or before. */
  snapshot: z.uuid().optional(),
  at: z.number().optional(),
  object: z.string().max(128).optional(),
  record: z.string().max(512).optional(),
  /** Deletes what wasn't there; only for an object or an app. */
  removeExtra: z.boolean().default(false),
});
export type RestoreInput = z.output<typeof restoreInput>;

export interface Job {
  readonly id: string;
  readonly planId: string | null;
  readonly kind: JobKind;
  readonly input: unknown;
  readonly status: 'queued' | 'running' | 'done' | 'failed';
  readonly result: unknown;
  readonly error: string | null;
  readonly actor: string;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

export interface StoredItem {
  readonly ordinal: number;
  readonly op: 'create' | 'update' | 'delete' | 'cannot';
  readonly object: string;
  readonly recordId: string;
  readonly title: string | null;
  readonly blob: string | null;
  readonly action: string | null;
  readonly note: string | null;
  readonly status: 'planned' | 'started' | 'done' | 'already' | 'unverified' | 'unclear' | 'failed';
  readonly newId: string | null;
}

export const ownInput = z.strictObject({
  /** What `cordon backup recovery-key` printed for the server: it seals, and opens nothing. */
  recipient: z.string().min(1).max(200),
  everyS: every.default(86_400),
  rpoS: z
    .int()
    .min(MINUTE_S)
    .max(YEAR_S)
    .default(2 * 86_400),
});
export type OwnInput = z.output<typeof ownInput>;
