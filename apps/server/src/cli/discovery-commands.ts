import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGzip } from 'node:zlib';
import { keptReport } from '@cordon/discovery';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const STATES = ['new', 'under_review', 'sanctioned', 'tolerated', 'forbidden'] as const;
const DAY_MS = 86_400_000;

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

const problem = z.object({ detail: z.string() });

/** Sends a file as it is read, packed on the way: a large log crosses a slow line in a tenth of the time. */
async function upload(
  { url, token }: { readonly url: string; readonly token: string },
  file: string,
  { format, utcOffset }: { readonly format: string; readonly utcOffset: string },
) {
  const source = createReadStream(file);
  const packed = (await isGzip(file)) ? source : source.pipe(createGzip({ level: 1 }));
  const address = new URL('/api/v1/discovery/files', url);
  address.search = new URLSearchParams({ format, name: basename(file), utcOffsetHours: utcOffset }).toString();
  const answer = await fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: packed,
    duplex: 'half',
  });
  const said: unknown = await answer.json();
  if (answer.ok) return keptReport.parse(said);
  throw new UsageWrong(problem.safeParse(said).data?.detail ?? `Cordon answered ${answer.status}.`);
}

/** A day (`2027-01-31`) or a number of days from now (`90d`). */
function readDay(text: string | undefined): number | null {
  if (text === undefined) return null;
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const at = days === undefined ? Date.parse(text) : Date.now() + Number(days) * DAY_MS;
  if (Number.isNaN(at)) throw new UsageWrong(`"${text}" is no day: give 2027-01-31, or 90d.`);
  return at;
}

/** Shadow IT: what is used, who says so, what was decided. */
export function addDiscoveryCommands(program: Command, context: CliContext): void {
  const discover = program
    .command('discover')
    .description('apps that people use without being asked, and keys that are too old');

  discover
    .command('list')
    .description('found apps, those that nobody has decided about first')
    .option('--state <state>', STATES.join(', '))
    .option('--who <who>', 'used by this person or address')
    .option('--json', 'as JSON')
    .action(async (options: { state?: string; who?: string; json?: boolean }) => {
      const { api } = await context.connect();
      const state = STATES.find((one) => one === options.state);
      if (options.state !== undefined && !state) throw new UsageWrong(`States are: ${STATES.join(', ')}.`);
      const query = { ...(state ? { state } : {}), ...(options.who ? { who: options.who } : {}) };
      const { items } = take(await api.GET('/api/v1/discovery/apps', { params: { query } }));
      if (options.json) return printJson(items);
      const rows = items.map((app) => [
        app.key,
        app.name,
        app.state.replace('_', ' '),
        String(app.risk.score),
        String(app.users),
        dayOf(app.firstAt),
        dayOf(app.lastAt),
        app.evidence.join(' '),
      ]);
      return printTable(['app', 'name', 'state', 'risk', 'users', 'first', 'last', 'evidence'], rows);
    });

  discover
    .command('show <app>')
    .description('who uses it, since when, how much, by which evidence; what was decided and done')
    .action(async (key: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/discovery/apps/{key}', { params: { path: { key } } })));
    });

  discover
    .command('read <file>')
    .description('read a log, a mailbox or an expense report; the file itself is not kept')
    .requiredOption('--format <format>', '`cordon discover formats` lists them')
    .option('--utc-offset <hours>', "hours that the log's clock is ahead of UTC", '0')
    .option('--json', 'as JSON')
    .action(async (file: string, options: { format: string; utcOffset: string; json?: boolean }) => {
      const report = await upload(await context.connect(), file, options);
      if (options.json) return printJson(report);
      note(
        `${report.lines} lines, ${report.traces} traces of use, ${report.apps} known apps, ${report.found.length} of them new.`,
      );
      if (report.bad > 0)
        note(
          `${report.bad} lines could not be read: ${report.badLines.map(({ line, why }) => `${line} (${why})`).join(', ')}`,
        );
      for (const key of report.found) print(key);
      return undefined;
    });

  discover
    .command('formats')
    .description('logs and exports that can be read')
    .action(async () => {
      const { api } = await context.connect();
      const { formats } = take(await api.GET('/api/v1/discovery/files'));
      printTable(
        ['format', 'what', 'evidence'],
        formats.map(({ name, title, evidence }) => [name, title, evidence]),
      );
    });

  discover
    .command('decide <app> <state>')
    .description('sanctioned, tolerated (until a day) or forbidden: refused at the proxy, its grants revoked')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .option('--until <day>', 'when it is looked at again: 2027-01-31, or 90d')
    .action(async (key: string, given: string, options: { reason: string; until?: string }) => {
      const state = (['sanctioned', 'tolerated', 'forbidden'] as const).find((one) => one === given);
      if (!state) throw new UsageWrong('Decide sanctioned, tolerated or forbidden.');
      const { api } = await context.connect();
      const body = { state, reason: options.reason, expiresAt: readDay(options.until) };
      const { runId } = take(
        await api.POST('/api/v1/discovery/apps/{key}/decide', { params: { path: { key } }, body }),
      );
      note(
        runId === null
          ? `${key} is ${state}.`
          : `${key} is refused at the forward proxy; its grants are being revoked (run ${runId}).`,
      );
    });

  discover
    .command('keys')
    .description('static keys in connected tools, the oldest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/discovery/keys'));
      if (options.json) return printJson(items);
      const rows = items.map((key) => [
        key.ref,
        key.name ?? '',
        key.toolTitle,
        key.kind,
        `${key.isAgeAtLeast ? 'at least ' : ''}${key.ageDays} d`,
        key.owner ?? '',
        key.why.join('; '),
      ]);
      return printTable(['key', 'name', 'tool', 'kind', 'age', 'owner', 'why'], rows);
    });

  for (const mode of ['rotate', 'remove'] as const) {
    discover
      .command(`${mode} <key>`)
      .description(
        mode === 'rotate'
          ? 'replace a key: by the tool where it can, else as a task with exact steps'
          : 'take a key away in its tool',
      )
      .requiredOption('--reason <text>', 'why; kept as evidence')
      .action(async (ref: string, options: { reason: string }) => {
        const { api } = await context.connect();
        const body = { ref, mode, reason: options.reason };
        print(take(await api.POST('/api/v1/discovery/keys/act', { body })).runId);
      });
  }
}
