import { setTimeout } from 'node:timers/promises';
import { type BackupCommands, findJobByKey, type Job, listPlans, loadJob } from '@cordon/backup';
import { ActionFailed, NotAvailable } from '@cordon/incidents';
import type { Actor, Database } from '@cordon/kernel';
import { z } from 'zod';

const ACTOR: Actor = { kind: 'system', name: 'playbook' };
const POLL_MS = 500;
const counts = z.object({ failed: z.int(), unclear: z.int(), left: z.int() });

/** `backup.snapshot` and `backup.restore` of playbooks. */
export interface BackupPlaybookPort {
  find(key: string): Promise<'done' | 'absent' | null>;
  run(
    act: 'snapshot' | 'restore',
    input: Readonly<Record<string, string>>,
    key: string,
  ): Promise<Readonly<Record<string, unknown>>>;
}

/**
 * `snapshot` takes one of the app's plan. `restore` (with `object`, `record`, `snapshot` where given) makes a dry run and
 * does what it found; it deletes nothing. Both wait for the end; the same key never does it twice.
 */
export function createBackupPlaybookPort(db: Database, backups: BackupCommands): BackupPlaybookPort {
  const planOf = async (app: string) => {
    const found = (await listPlans(db)).find((one) => [one.app, one.name, one.connectionId, one.id].includes(app));
    if (!found) throw new NotAvailable(`Not available: no backup plan is set up for ${app}.`, { app });
    return found;
  };
  const ended = async ({ id, kind }: Job): Promise<Job> => {
    for (;;) {
      const job = await loadJob(db, id);
      if (job.status === 'done') return job;
      if (job.status === 'failed') throw new ActionFailed(job.error ?? `The ${kind} failed.`);
      await setTimeout(POLL_MS);
    }
  };
  const factsOf = (job: Job): Readonly<Record<string, unknown>> => ({ job: job.id, result: job.result });
  return {
    async find(key) {
      const job = await findJobByKey(db, key);
      return job?.status === 'done' ? 'done' : 'absent';
    },
    async run(act, { app = '', object, record, snapshot }, key) {
      const planId = (await planOf(app)).id;
      if (act === 'snapshot')
        return factsOf(await ended(await backups.request(ACTOR, { kind: act, planId, input: {}, key })));
      const scope = {
        ...(object === undefined ? {} : { object }),
        ...(record === undefined ? {} : { record }),
        ...(snapshot === undefined ? {} : { snapshot }),
      };
      const dryRun = await ended(
        await backups.request(ACTOR, { kind: 'plan', planId, input: scope, key: `${key}:dry-run` }),
      );
      const job = await ended(
        await backups.request(ACTOR, { kind: 'restore', planId, input: { dryRun: dryRun.id }, key }),
      );
      const { failed, unclear, left } = counts.parse(job.result);
      if (failed + unclear + left > 0) {
        throw new ActionFailed(
          `Not all came back: ${failed} failed, ${unclear} unclear, ${left} that the tool can't take back. Job ${job.id} lists them.`,
        );
      }
      return factsOf(job);
    },
  };
}
