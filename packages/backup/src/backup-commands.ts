import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Permission,
  requireStepUp,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { addJob, listPlans, loadJob, loadPlan, notePlan, removePlan, savePlan } from './backup-store.ts';
import { BackupInputInvalid } from './errors.ts';
import { backupWorkflow } from './job-runner.ts';
import { loadOwnSettings, noteOwn, saveOwnSettings } from './own-state/own-settings.ts';
import {
  type Job,
  type JobKind,
  type OwnInput,
  ownInput,
  type Plan,
  planInput,
  type PlanInput,
  restoreInput,
} from './plan.ts';
import { recipientId } from './recovery-key.ts';

const KEY_CHARS_MAX = 200;
const SCHEDULER: Actor = { kind: 'system', name: 'backup schedule' };
const NEEDS: Readonly<Record<JobKind, Permission>> = {
  snapshot: 'backup.run',
  verify: 'backup.run',
  sample: 'backup.run',
  plan: 'backup.restore',
  restore: 'backup.restore',
  prune: 'backup.write',
  rotate: 'backup.write',
  own: 'backup.run',
};

export interface BackupCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  readonly envelope: SecretEnvelope;
}

export interface JobRequest {
  readonly kind: JobKind;
  readonly planId: string | null;
  readonly input: unknown;
  /** The same key gives the same job. */
  readonly key?: string | undefined;
}

/** What people, schedules and playbooks ask for; the worker does it. */
export function createBackupCommands({ db, clock, workflows, envelope }: BackupCommandDeps) {
  const audit = (tx: Transaction, actor: Actor, action: string, plan: Pick<Plan, 'id' | 'name'>, detail = {}) =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'backup_plan', id: plan.id, name: plan.name },
      detail,
      at: clock.now(),
    });

  const request = async (actor: Actor, { kind, planId, input, key }: JobRequest): Promise<Job> => {
    const now = clock.now();
    authorize(actor, NEEDS[kind]);
    if (kind === 'restore') requireStepUp(actor, 'backup.restore', now);
    if (key !== undefined && (key === '' || key.length > KEY_CHARS_MAX)) {
      throw new BackupInputInvalid(`A key has 1 to ${KEY_CHARS_MAX} characters.`);
    }
    if (kind === 'plan') restoreInput.parse(input);
    if (kind === 'own' && (await loadOwnSettings(db)).recipient === null) {
      throw new BackupInputInvalid('Register a recovery key first: cordon backup recovery-key FILE.');
    }
    const plan = planId === null ? null : await loadPlan(db, planId);
    if (kind === 'restore') await loadJob(db, (input as { dryRun: string }).dryRun); // the route's schema, or our own caller
    const id = uuidv7(now);
    return db.transaction(async (tx) => {
      const job = await addJob(tx, { id, key: key ?? id, planId, kind, input, actor: describeActor(actor).name, now });
      if (job.kind !== kind || job.planId !== planId) throw new BackupInputInvalid('This key belongs to another job.');
      await workflows.enqueue(tx, backupWorkflow, `backup-${job.id}`, { jobId: job.id });
      if (job.id === id) {
        const target = plan ?? { id: '', name: 'repository' };
        await audit(tx, actor, 'backup.requested', target, { job: id, kind, input });
      }
      return job;
    });
  };

  return {
    request,
    async putPlan(actor: Actor, input: PlanInput): Promise<Plan> {
      authorize(actor, 'backup.write');
      const parsed = planInput.parse(input);
      return db.transaction(async (tx) => {
        const plan = await savePlan(tx, uuidv7(clock.now()), parsed, clock.now());
        await audit(tx, actor, 'backup.plan_saved', plan, { everyS: plan.everyS, rpoS: plan.rpoS, rtoS: plan.rtoS });
        return plan;
      });
    },
    /** Snapshots stay: they are pruned by hand, or by the retention of a later plan. */
    async removePlan(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'backup.write');
      const plan = await loadPlan(db, id);
      await db.transaction(async (tx) => {
        await removePlan(tx, id);
        await audit(tx, actor, 'backup.plan_removed', plan);
      });
    },
    /** Registers the recovery key that Cordon's own backups are sealed for, and their schedule. */
    async putOwn(actor: Actor, input: OwnInput): Promise<void> {
      const now = clock.now();
      // Whoever has the key opens everything that Cordon knows.
      authorize(actor, 'backup.recovery');
      requireStepUp(actor, 'backup.recovery', now);
      const { recipient, everyS, rpoS } = ownInput.parse(input);
      const key = recipientId(recipient);
      await db.transaction(async (tx) => {
        await saveOwnSettings(tx, envelope, { recipient, everyS, rpoS, now });
        await audit(tx, actor, 'backup.recovery_key_set', { id: '', name: 'Cordon itself' }, { key, everyS, rpoS });
      });
    },
    /** Asks for what is due by the plans' schedules; what was missed is asked for once. */
    async requestDue(): Promise<number> {
      const now = clock.now();
      let asked = 0;
      const own = await loadOwnSettings(db);
      if (own.nextAt !== null && own.everyS !== null && own.nextAt <= now) {
        const key = `schedule:own:${own.nextAt}`;
        await request(SCHEDULER, { kind: 'own', planId: null, input: {}, key });
        // Also where no app is backed up, and so nothing else would ask for them.
        await request(SCHEDULER, { kind: 'verify', planId: null, input: {}, key: `${key}:verify` });
        await request(SCHEDULER, { kind: 'prune', planId: null, input: {}, key: `${key}:prune` });
        await noteOwn(db, { next_at: now + own.everyS * 1_000 });
        asked += 1;
      }
      for (const plan of await listPlans(db)) {
        const due = [
          { kind: 'snapshot', at: plan.nextBackupAt, everyS: plan.everyS, field: 'next_backup_at' },
          { kind: 'verify', at: plan.nextVerifyAt, everyS: plan.verifyEveryS, field: 'next_verify_at' },
          { kind: 'sample', at: plan.nextSampleAt, everyS: plan.sampleEveryS, field: 'next_sample_at' },
        ] as const;
        for (const { kind, at, everyS, field } of due) {
          if (at === null || everyS === null || at > now) continue;
          const key = `schedule:${plan.id}:${kind}:${at}`;
          await request(SCHEDULER, { kind, planId: plan.id, input: {}, key });
          if (kind === 'verify')
            await request(SCHEDULER, { kind: 'prune', planId: plan.id, input: {}, key: `${key}:prune` });
          await notePlan(db, plan.id, { [field]: now + everyS * 1_000 });
          asked += 1;
        }
      }
      return asked;
    },
  };
}
export type BackupCommands = ReturnType<typeof createBackupCommands>;
