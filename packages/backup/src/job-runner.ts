import {
  appendAudit,
  type Clock,
  CordonError,
  type Database,
  type Logger,
  type SecretEnvelope,
  type WorkflowDefinition,
} from '@cordon/kernel';
import { z } from 'zod';
import type { AppPort } from './app-port.ts';
import { endJob, loadJob, loadPlan, notePlan, listPlans, startJob } from './backup-store.ts';
import { inPackOrder, listLines } from './browse.ts';
import { BackupError, BackupInputInvalid, RepositoryBusy } from './errors.ts';
import type { SnapshotManifest } from './manifest.ts';
import type { Job, Plan } from './plan.ts';
import { noteOwn, openRecipient } from './own-state/own-settings.ts';
import { OWN_SUBJECT, type OwnFile, type OwnLake, takeOwnState } from './own-state/own-state.ts';
import { pruneRepository, retention } from './prune.ts';
import { writeRecovery } from './recovery-key.ts';
import type { Repository } from './repository.ts';
import { makeRestorePlan, runRestore } from './restore-run.ts';
import { type SourceStream, takeSnapshot } from './take-snapshot.ts';
import { verifyRepository } from './verify.ts';

const SAMPLE_RECORDS = 500;
const BUSY_MS = 1_000;
const BUSY_WAITS_MAX = 600;
const PROBLEMS_SHOWN_MAX = 20;

/** What commands enqueue; the worker runs `createBackupWorkflow`. */
export const backupWorkflow = { name: 'backup.job' } as const;

export interface RunnerDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly app: AppPort;
  readonly openRepository: () => Promise<Repository>;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly own: OwnSource;
  /** Milliseconds that only go forward, for what is timed. */
  readonly elapsed: () => number;
}

/** Cordon's own state, as the worker reaches it. */
export interface OwnSource {
  readonly lake: OwnLake;
  readonly envelope: SecretEnvelope;
  /** Key-encryption keys as text: without them nothing else opens. */
  readonly kek: string;
  readFiles(): Promise<readonly OwnFile[]>;
}

const verifyInput = z.object({ sample: z.number().min(0.01).max(1).default(0.1) });
const rotateInput = z.object({ reseal: z.boolean().default(false) });

/** An app's streams as a snapshot reads them: whole where it is due or nothing else is possible, else what changed. */
async function streamsOf(
  { app }: RunnerDeps,
  plan: Plan,
  former: SnapshotManifest | undefined,
  isWhole: boolean,
): Promise<SourceStream[]> {
  const there = await app.streams(plan.connectionId);
  const missing = (plan.streams ?? []).filter((name) => !there.some((one) => one.name === name));
  if (missing.length > 0) throw new BackupInputInvalid(`${plan.app} has no stream ${missing.join(', ')}.`, { missing });
  const wanted = there.filter(({ name }) => plan.streams === null || plan.streams.includes(name));
  return wanted.map(({ name, readsChanges }): SourceStream => {
    const mark = former?.streams.find((one) => one.name === name && one.notRead === null)?.mark;
    const isChanges = readsChanges && !isWhole && mark !== undefined && mark !== null;
    let newest: unknown = mark;
    return {
      name,
      mode: isChanges ? 'changes' : 'whole',
      async *records() {
        for await (const item of app.read(plan.connectionId, name, isChanges ? mark : null, `backup of ${plan.name}`)) {
          if (item.mark !== undefined) newest = item.mark;
          yield item;
        }
      },
      mark: () => z.json().optional().parse(newest),
    };
  });
}

async function runSnapshot(deps: RunnerDeps, job: Job, plan: Plan): Promise<unknown> {
  const { db, clock } = deps;
  const repository = await deps.openRepository();
  const former = (await repository.snapshots(plan.connectionId)).at(-1);
  const now = clock.now();
  const isWhole = plan.wholeAt === null || now - plan.wholeAt >= plan.wholeEveryS * 1_000;
  const streams = await streamsOf(deps, plan, former, isWhole);
  // The job's id is the snapshot's: a second attempt after a crash finds what the first one finished.
  const manifest = await takeSnapshot(repository, clock, {
    id: job.id,
    subject: plan.connectionId,
    title: plan.name,
    streams,
  });
  if (isWhole) await notePlan(db, plan.id, { whole_at: manifest.at });
  // What was just written is read back at once: a snapshot counts for the RPO only when it was verified.
  const report = await verifyRepository(repository, { sample: 0.01, random: deps.random });
  await noteVerified(deps, [plan], report.snapshots, repository);
  const { id, at, records, added, changed, removed, storedBytes } = manifest;
  const notRead = manifest.streams
    .filter((one) => one.notRead !== null)
    .map(({ name, notRead: why }) => ({ stream: name, why }));
  return { snapshot: id, at, records, added, changed, removed, storedBytes, notRead, problems: report.problems.length };
}

async function noteVerified(
  { db, clock }: RunnerDeps,
  plans: readonly Plan[],
  checked: readonly { readonly id: string; readonly subject: string; readonly ok: boolean }[],
  repository: Repository,
): Promise<void> {
  for (const plan of plans) {
    const all = await repository.snapshots(plan.connectionId);
    const newest = all.findLast(
      ({ id, streams }) =>
        checked.some((one) => one.id === id && one.ok) && streams.every(({ notRead }) => notRead === null),
    );
    // None that is sound: what was verified before counts no longer.
    await notePlan(db, plan.id, { verified_taken_at: newest?.at ?? null, verified_at: clock.now() });
  }
  const sound = checked.filter(({ subject, ok }) => subject === OWN_SUBJECT && ok);
  const newest = (await repository.snapshots(OWN_SUBJECT)).findLast(({ id }) => sound.some((one) => one.id === id));
  await noteOwn(db, { verified_taken_at: newest?.at ?? null, verified_at: clock.now() });
}

/** The keys first, sealed for the owner: a snapshot that nobody could open would be none. */
async function runOwn(deps: RunnerDeps, job: Job): Promise<unknown> {
  const { db, clock, own } = deps;
  const recipient = await openRecipient(db, own.envelope);
  if (recipient === null) throw new BackupInputInvalid('No recovery key is registered.');
  const repository = await deps.openRepository();
  await writeRecovery(repository.store, recipient, { kek: own.kek, at: clock.now() });
  const manifest = await takeOwnState({
    repository,
    clock,
    db,
    lake: own.lake,
    readFiles: () => own.readFiles(),
    id: job.id,
  });
  const report = await verifyRepository(repository, { sample: 0.01, random: deps.random });
  await noteVerified(deps, [], report.snapshots, repository);
  const { id, at, records, added, changed, removed, storedBytes } = manifest;
  const place = repository.store.place;
  return { snapshot: id, at, place, records, added, changed, removed, storedBytes, problems: report.problems.length };
}

async function runVerify(deps: RunnerDeps, job: Job): Promise<unknown> {
  const { sample } = verifyInput.parse(job.input);
  const repository = await deps.openRepository();
  const report = await verifyRepository(repository, { sample, random: deps.random });
  await noteVerified(deps, await listPlans(deps.db), report.snapshots, repository);
  const { packs, packsRead, recordsRead, snapshots } = report;
  const broken = snapshots.filter(({ ok }) => !ok).map(({ id }) => id);
  const problems = report.problems.slice(0, PROBLEMS_SHOWN_MAX);
  return { sample, packs, packsRead, recordsRead, snapshots: snapshots.length, broken, problems };
}

/** Opens the repository and reads random records back, timed: what a restore to files does, for a part of it. */
async function runSample(deps: RunnerDeps, plan: Plan): Promise<unknown> {
  const began = deps.elapsed();
  const repository = await deps.openRepository();
  const newest = (await repository.snapshots(plan.connectionId)).at(-1);
  if (!newest) throw new BackupInputInvalid('There is no snapshot yet to read back.', { plan: plan.id });
  // Records and pieces of files, as they lie mixed in the snapshot: what is estimated from them is the time for both.
  const lines = [...(await listLines(repository, newest)), ...(await listLines(repository, newest, { parts: true }))];
  const chosen = Array.from({ length: Math.min(SAMPLE_RECORDS, lines.length) }, () =>
    lines.splice(Math.floor(deps.random() * lines.length), 1),
  ).flat();
  let records = 0;
  for (const { blob } of inPackOrder(repository, chosen))
    records += Number((await repository.readBlob(blob)).length > 0);
  const ms = deps.elapsed() - began;
  await notePlan(deps.db, plan.id, { sample_ms: ms, sample_records: records, sample_at: deps.clock.now() });
  return { snapshot: newest.id, records, ofRecords: newest.records, ms };
}

async function runPrune(deps: RunnerDeps): Promise<unknown> {
  const plans = await listPlans(deps.db);
  const policyOf = (subject: string) =>
    subject === OWN_SUBJECT
      ? retention.parse({})
      : (plans.find((one) => one.connectionId === subject)?.retention ?? null);
  return pruneRepository(await deps.openRepository(), deps.clock, { policyOf });
}

async function runRotate(deps: RunnerDeps, job: Job): Promise<unknown> {
  const { reseal } = rotateInput.parse(job.input);
  const repository = await deps.openRepository();
  await repository.rotate({ fresh: true });
  if (!reseal) return { key: repository.keys.current };
  const report = await pruneRepository(repository, deps.clock, { policyOf: () => null, reseal: true });
  return { key: repository.keys.current, ...report };
}

async function perform(deps: RunnerDeps, job: Job): Promise<unknown> {
  if (job.kind === 'verify') return runVerify(deps, job);
  if (job.kind === 'prune') return runPrune(deps);
  if (job.kind === 'rotate') return runRotate(deps, job);
  if (job.kind === 'own') return runOwn(deps, job);
  const plan = await loadPlan(deps.db, job.planId ?? '');
  if (job.kind === 'snapshot') return runSnapshot(deps, job, plan);
  if (job.kind === 'sample') return runSample(deps, plan);
  if (job.kind === 'plan') return makeRestorePlan(deps, job, plan);
  return runRestore(deps, job, plan);
}

/** Does a job once; one that died is taken up where it was. */
export async function runJob(deps: RunnerDeps, jobId: string): Promise<Job> {
  const { db, clock } = deps;
  const job = await loadJob(db, jobId);
  if (job.status === 'done' || job.status === 'failed') return job;
  await startJob(db, jobId, clock.now());
  let end: Parameters<typeof endJob>[2];
  try {
    for (let waits = 0; ; waits++) {
      try {
        end = { result: await perform(deps, job) };
        break;
      } catch (error) {
        if (!(error instanceof RepositoryBusy) || waits >= BUSY_WAITS_MAX) throw error;
        await deps.pause(BUSY_MS);
      }
    }
  } catch (error) {
    const isOurs = error instanceof BackupError || error instanceof CordonError;
    deps.logger.warn({ err: error, job: jobId, kind: job.kind }, 'a backup job failed');
    end = { error: isOurs ? error.message : 'An unexpected failure; the log has it.' };
  }
  const at = clock.now();
  await db.transaction(async (tx) => {
    await endJob(tx, jobId, end, at);
    await appendAudit(tx, {
      actor: { kind: 'system', name: `backup, for ${job.actor}` },
      action: 'error' in end ? 'backup.job_failed' : 'backup.job_ended',
      target: { type: 'backup_job', id: jobId, name: job.kind },
      detail: 'error' in end ? { error: end.error } : { kind: job.kind, plan: job.planId },
      at,
    });
  });
  return loadJob(db, jobId);
}

export function createBackupWorkflow(deps: RunnerDeps): WorkflowDefinition<{ readonly jobId: string }> {
  return {
    name: backupWorkflow.name,
    async run({ jobId }, steps) {
      const ended = await steps.step('job', () => runJob(deps, jobId), { attemptsMax: 3 });
      return { status: ended.status, error: ended.error };
    },
  };
}
