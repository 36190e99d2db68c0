import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeRecoveryKey, recipientOf } from '@cordon/backup';
import { systemClock } from '@cordon/kernel';
import type { Command } from 'commander';
import { openDataFolder } from '../supervisor/data-folder.ts';
import { objectSettings } from '../supervisor/resolve-config.ts';
import type { CliContext } from './context.ts';
import { note, printJson, take, UsageWrong } from './output.ts';

const POLL_MS = 500;

function seconds(text: string, what: string): number | null {
  if (text === 'never') return null;
  const value = Number(text);
  if (!Number.isInteger(value)) throw new UsageWrong(`${what} is a whole number of seconds, or never.`);
  return value;
}

/** Backups of Cordon itself: the key that stays outside, taking one, and bringing everything back. */
export function addOwnBackupCommands(program: Command, backup: Command, context: CliContext): void {
  backup
    .command('recovery-key <file>')
    .description("make the key that opens backups of Cordon itself; keep the file far from Cordon's data")
    .option('--use', 'register the key that the file holds already')
    .option('--every <seconds>', 'between backups of Cordon itself; never: only when asked', '86400')
    .option('--rpo <seconds>', 'at most so much may be lost', '172800')
    .action(async (file: string, options: { use?: boolean; every: string; rpo: string }) => {
      const { api } = await context.connect();
      const body = { everyS: seconds(options.every, '--every'), rpoS: seconds(options.rpo, '--rpo') ?? 0 };
      let recipient: string;
      if (options.use === true) recipient = recipientOf(await readFile(file, 'utf8'));
      else {
        const made = makeRecoveryKey();
        ({ recipient } = made);
        const text = `# Opens backups of Cordon itself. Whoever has this file and a backup has everything.\n${made.key}\n`;
        await writeFile(file, text, { mode: 0o600, flag: 'wx' });
      }
      const { key } = take(await api.PUT('/api/v1/own-backup', { body: { recipient, ...body } }));
      printJson({ recoveryKey: key, ...body });
      note(
        `Move ${file} to where a loss of this machine doesn't reach it. Without it a backup of Cordon opens for nobody.`,
      );
    });
  backup
    .command('self')
    .description("back up Cordon's own state: database, lake, keys")
    .option('--status', 'only say when it was last done')
    .action(async ({ status = false }: { status?: boolean }) => {
      const { api } = await context.connect();
      if (status) return printJson(take(await api.GET('/api/v1/own-backup', {})));
      const { id } = take(await api.POST('/api/v1/own-backup/jobs', {}));
      for (;;) {
        const job = take(await api.GET('/api/v1/backup-jobs/{id}', { params: { path: { id } } }));
        if (job.status === 'failed') throw new UsageWrong(job.error ?? 'The backup failed.');
        if (job.status === 'done') {
          printJson(job.result);
          break;
        }
        await setTimeout(POLL_MS);
      }
      const { besideData } = take(await api.GET('/api/v1/own-backup', {}));
      if (besideData)
        note("It lies in Cordon's own data directory and is lost with it: set OBJECTS_URL, or copy it away.");
    });
  program
    .command('restore')
    .description('bring back what was lost')
    .command('self')
    .description("Cordon's own state, into the data directory of this configuration; Cordon must be stopped")
    .requiredOption('--key <file>', 'the recovery key')
    .option('--from <address>', 'file:/folder or s3://bucket/prefix; OBJECTS_URL when absent')
    .option('--snapshot <id>', 'the newest when absent')
    .option('--force', 'replace what is there')
    .action(async (options: { key: string; from?: string; snapshot?: string; force?: boolean }) => {
      const [{ createObjectStore }, { restoreOwnState }, { allMigrations }] = await Promise.all([
        import('../backup/object-store.ts'),
        import('../backup/own-restore.ts'),
        import('../roles/migrations.ts'),
      ]);
      const config = await context.config();
      const folder = await openDataFolder(config.data_dir);
      const unlock = await folder.lock(process.pid);
      try {
        const objects = objectSettings(config, folder);
        const url = options.from === undefined ? objects.url : fullUrl(options.from);
        const report = await restoreOwnState({
          config,
          folder,
          store: createObjectStore({ ...objects, url }, systemClock),
          key: await readFile(options.key, 'utf8'),
          snapshot: options.snapshot,
          force: options.force ?? false,
          migrations: allMigrations,
          progress: (text) => note(`  ${text} …`),
        });
        printJson(report);
        note(
          'What was revoked, cut off or rotated after that moment is as it was before: do it again where it counts.',
        );
      } finally {
        await unlock();
      }
    });
}

/** A folder may be written as a path. */
const fullUrl = (from: string): string => (/^(?:file|s3):/.test(from) ? from : `file:${resolve(from)}`);
