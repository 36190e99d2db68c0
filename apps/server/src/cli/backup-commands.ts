import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { addOwnBackupCommands } from './own-backup-commands.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const POLL_MS = 500;
const ITEMS_PAGE = 500;

type Api = Awaited<ReturnType<CliContext['connect']>>['api'];

async function planOf(api: Api, ref: string) {
  const { items } = take(await api.GET('/api/v1/backups', {}));
  const found = items.find(({ id, name, app, connectionId }) => [id, name, app, connectionId].includes(ref));
  if (!found) throw new UsageWrong(`There is no backup plan ${ref}. "cordon backup list" shows them.`);
  return found;
}

async function connectionOf(api: Api, ref: string) {
  const { items } = take(await api.GET('/api/v1/connections', {}));
  const found = items.find(({ id, name }) => id === ref || name === ref);
  if (!found) throw new UsageWrong(`There is no connection ${ref}. "cordon connector list" shows them.`);
  return found;
}

/** Waits for a job's end; a failure ends the command with what went wrong. */
async function finish(api: Api, id: string) {
  for (;;) {
    const job = take(await api.GET('/api/v1/backup-jobs/{id}', { params: { path: { id } } }));
    if (job.status === 'done') return job;
    if (job.status === 'failed') throw new UsageWrong(job.error ?? 'The job failed.');
    await setTimeout(POLL_MS);
  }
}

const seconds = (value: number | null): string => (value === null ? 'not measured' : `${value} s`);
const moment = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString());

function whole(text: string, what: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new UsageWrong(`${what} is a whole number of seconds.`);
  return value;
}

export function addBackupCommands(program: Command, context: CliContext): void {
  const backup = program
    .command('backup')
    .description('backups of apps and of Cordon itself: taken, verified, searched, restored');
  addPlanCommands(backup, context);
  addSnapshotCommands(backup, context);
  addRestoreCommands(backup, context);
  addOwnBackupCommands(program, backup, context);
}

function addPlanCommands(backup: Command, context: CliContext): void {
  backup
    .command('list')
    .description('apps with their recovery point and time beside the targets')
    .option('--json', 'as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/backups', {}));
      if (json) return printJson(items);
      const rows = items.map(({ name, snapshots, records, recovery, rpoS, rtoS }) => [
        name,
        String(snapshots),
        String(records),
        `${seconds(recovery.rpoS)} of ${rpoS} s${recovery.rpoMet ? '' : ' MISSED'}`,
        `${seconds(recovery.rtoS)} of ${rtoS} s${recovery.rtoMet ? '' : ' MISSED'}`,
      ]);
      return printTable(['app', 'snapshots', 'records', 'recovery point', 'recovery time'], rows);
    });
  backup
    .command('plan <connection>')
    .description('back up the app of a connection on a schedule')
    .option('--every <seconds>', 'between snapshots', '86400')
    .option('--verify-every <seconds>', 'between verifications of packs', '86400')
    .option('--sample-every <seconds>', 'between timed sample restores', '604800')
    .option('--streams <list>', 'only these, with commas')
    .option('--rpo <seconds>', 'at most so much may be lost', '172800')
    .option('--rto <seconds>', 'reading it back may take so long', '14400')
    .action(
      async (
        ref: string,
        options: Record<'every' | 'verifyEvery' | 'sampleEvery' | 'rpo' | 'rto', string> & { streams?: string },
      ) => {
        const { api } = await context.connect();
        const { id, name, app } = await connectionOf(api, ref);
        const body = {
          connectionId: id,
          name,
          app,
          streams: options.streams?.split(',') ?? null,
          everyS: whole(options.every, '--every'),
          verifyEveryS: whole(options.verifyEvery, '--verify-every'),
          sampleEveryS: whole(options.sampleEvery, '--sample-every'),
          rpoS: whole(options.rpo, '--rpo'),
          rtoS: whole(options.rto, '--rto'),
        };
        print(take(await api.PUT('/api/v1/backups', { body })).id);
      },
    );
  for (const [kind, what] of [
    ['run', 'take a snapshot now'],
    ['sample', 'read random records back, timed'],
    ['prune', 'forget what no retention keeps'],
  ] as const) {
    backup
      .command(`${kind} <app>`)
      .description(what)
      .action(async (ref: string) => {
        const { api } = await context.connect();
        const path = { id: (await planOf(api, ref)).id };
        const body = { kind: kind === 'run' ? ('snapshot' as const) : kind };
        const job = take(await api.POST('/api/v1/backups/{id}/jobs', { params: { path }, body }));
        printJson((await finish(api, job.id)).result);
      });
  }
  backup
    .command('verify <app>')
    .description('check every list and so many of the packs; names what is damaged')
    .option('--sample <part>', 'of the packs, from 0.01 to 1', '1')
    .action(async (ref: string, { sample }: { sample: string }) => {
      const { api } = await context.connect();
      const path = { id: (await planOf(api, ref)).id };
      const body = { kind: 'verify' as const, sample: Number(sample) };
      const job = take(await api.POST('/api/v1/backups/{id}/jobs', { params: { path }, body }));
      printJson((await finish(api, job.id)).result);
    });
  backup
    .command('rotate <app>')
    .description('seal what is written from now on with a new key')
    .option('--reseal', 'also what was written before')
    .action(async (ref: string, { reseal = false }: { reseal?: boolean }) => {
      const { api } = await context.connect();
      const path = { id: (await planOf(api, ref)).id };
      const job = take(
        await api.POST('/api/v1/backups/{id}/jobs', { params: { path }, body: { kind: 'rotate', reseal } }),
      );
      printJson((await finish(api, job.id)).result);
    });
}

function addSnapshotCommands(backup: Command, context: CliContext): void {
  backup
    .command('snapshots <app>')
    .description('newest first')
    .action(async (ref: string) => {
      const { api } = await context.connect();
      const path = { id: (await planOf(api, ref)).id };
      const { items } = take(await api.GET('/api/v1/backups/{id}/snapshots', { params: { path } }));
      const rows = items.map((one) => [
        one.id,
        moment(one.at),
        String(one.records),
        `+${one.added} ~${one.changed} -${one.removed}`,
        `${one.storedBytes} B`,
      ]);
      printTable(['snapshot', 'taken', 'records', 'change', 'stored'], rows);
    });
  backup
    .command('search <app> <snapshot> [text]')
    .description('records of a snapshot, all or those that hold a text')
    .option('--object <name>', 'only of this object')
    .action(async (ref: string, snapshot: string, text: string | undefined, { object }: { object?: string }) => {
      const { api } = await context.connect();
      const path = { id: (await planOf(api, ref)).id, snapshot };
      const query = { ...(text === undefined ? {} : { text }), ...(object === undefined ? {} : { object }) };
      const found = take(
        await api.GET('/api/v1/backups/{id}/snapshots/{snapshot}/records', { params: { path, query } }),
      );
      printTable(
        ['object', 'id', 'title'],
        found.items.map((one) => [one.object, one.id, one.title ?? '']),
      );
      note(`${found.total} records${found.isWhole ? '' : ' in the part that was searched'}`);
    });
  backup
    .command('export <app> <snapshot> <file>')
    .description('write records to a file')
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .option('--object <name>', 'only of this object')
    .action(async (ref: string, snapshot: string, file: string, options: { format: string; object?: string }) => {
      const { api, url, token } = await context.connect();
      const { id } = await planOf(api, ref);
      const query = new URLSearchParams({
        format: options.format,
        ...(options.object === undefined ? {} : { object: options.object }),
      });
      const address = `${url}/api/v1/backups/${id}/snapshots/${encodeURIComponent(snapshot)}/export?${query.toString()}`;
      const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok || !answer.body) throw new UsageWrong(`The server answered ${answer.status}.`);
      await pipeline(Readable.fromWeb(answer.body), createWriteStream(file, { mode: 0o600, flags: 'wx' }));
    });
  backup
    .command('file <app> <snapshot> <object> <id> <file>')
    .description('write the bytes of a file that a snapshot holds')
    .action(async (ref: string, snapshot: string, object: string, id: string, file: string) => {
      const { api, url, token } = await context.connect();
      const plan = await planOf(api, ref);
      const query = new URLSearchParams({ object, id });
      const address = `${url}/api/v1/backups/${plan.id}/snapshots/${encodeURIComponent(snapshot)}/file?${query.toString()}`;
      const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok || !answer.body)
        throw new UsageWrong(`The server answered ${answer.status}: ${await answer.text()}`);
      await pipeline(Readable.fromWeb(answer.body), createWriteStream(file, { mode: 0o600, flags: 'wx' }));
    });
}

function addRestoreCommands(backup: Command, context: CliContext): void {
  backup
    .command('restore <app>')
    .description('into the app: a dry run that shows what it would do; with --run it is done')
    .option('--snapshot <id>', 'the newest when absent')
    .option('--at <moment>', 'the newest that was taken then or before, such as 2026-11-23T10:00:00Z')
    .option('--object <name>', 'only of this object')
    .option('--record <id>', 'only this record')
    .option('--remove-extra', 'delete what was not there')
    .option('--run', 'do it')
    .action(
      async (
        ref: string,
        options: {
          snapshot?: string;
          at?: string;
          object?: string;
          record?: string;
          removeExtra?: boolean;
          run?: boolean;
        },
      ) => {
        const { api } = await context.connect();
        const path = { id: (await planOf(api, ref)).id };
        const at = options.at === undefined ? undefined : Date.parse(options.at);
        if (Number.isNaN(at)) throw new UsageWrong('--at is a moment such as 2026-11-23T10:00:00Z.');
        const scope = {
          ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
          ...(at === undefined ? {} : { at }),
          ...(options.object === undefined ? {} : { object: options.object }),
          ...(options.record === undefined ? {} : { record: options.record }),
          removeExtra: options.removeExtra ?? false,
        };
        const asked = take(
          await api.POST('/api/v1/backups/{id}/jobs', { params: { path }, body: { kind: 'plan', scope } }),
        );
        const dryRun = await finish(api, asked.id);
        printJson(dryRun.result);
        const query = { after: -1, limit: ITEMS_PAGE };
        const { items } = take(
          await api.GET('/api/v1/backup-jobs/{id}/items', { params: { path: { id: dryRun.id }, query } }),
        );
        printTable(
          ['act', 'object', 'record', 'note'],
          items.map((one) => [one.op, one.object, one.recordId, one.note ?? '']),
        );
        if (options.run !== true) return note('A dry run: nothing was changed. Add --run to do it.');
        const body = { kind: 'restore' as const, dryRun: dryRun.id };
        const restore = take(await api.POST('/api/v1/backups/{id}/jobs', { params: { path }, body }));
        return printJson((await finish(api, restore.id)).result);
      },
    );
}
