import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
const MARKS = ['acknowledged', 'contained', 'notified', 'recovered'] as const;
const TLPS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
const MINUTE_MS = 60_000;

function oneOf<Value extends string>(values: readonly Value[], text: string, what: string): Value {
  const found = values.find((value) => value === text);
  if (!found) throw new UsageWrong(`${what} is one of: ${values.join(', ')}.`);
  return found;
}

function span(ms: number | null): string {
  return ms === null ? '-' : `${(ms / MINUTE_MS).toFixed(1)} min`;
}

/** The id of a case that was named by id or number. */
async function idOf(context: CliContext, ref: string): Promise<string> {
  const { api } = await context.connect();
  return take(await api.GET('/api/v1/cases/{id}', { params: { path: { id: ref } } })).id;
}

export function addCaseCommands(program: Command, context: CliContext): void {
  const cases = program.command('case').description('incidents: what happened, who does what, what was told');
  cases
    .command('open <title>')
    .description('open a case by hand')
    .requiredOption('--severity <severity>', SEVERITIES.join(', '))
    .option('--tlp <mark>', TLPS.join(', '), 'amber')
    .option('--summary <text>', 'what is known', '')
    .option('--alert <id>', 'the alert that it comes from')
    .action(async (title: string, options: { severity: string; tlp: string; summary: string; alert?: string }) => {
      const { api } = await context.connect();
      const { alert } = options;
      const links = alert === undefined ? [] : [{ kind: 'alert' as const, ref: alert, name: `alert ${alert}` }];
      const body = {
        title,
        severity: oneOf(SEVERITIES, options.severity, 'The severity'),
        tlp: oneOf(TLPS, options.tlp, 'The mark'),
        summary: options.summary,
        origin: alert === undefined ? ('manual' as const) : ('alert' as const),
        links,
      };
      const made = take(await api.POST('/api/v1/cases', { body }));
      note(`case ${made.number}`);
      print(made.id);
    });
  cases
    .command('list')
    .description('newest first')
    .option('--status <list>', 'open, contained, recovered, closed; with commas', 'open,contained,recovered')
    .option('--json', 'as JSON')
    .action(async (options: { status: string; json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/cases', { params: { query: { status: options.status } } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        String(one.number),
        one.severity,
        one.status,
        span(one.metrics.acknowledgeMs),
        span(one.metrics.containMs),
        one.title,
      ]);
      return printTable(['case', 'severity', 'status', 'acknowledged', 'contained', 'what'], rows);
    });
  cases
    .command('show <case>')
    .description('a case with timeline, tasks, evidence and runs, as JSON')
    .action(async (id: string) => {
      const { api } = await context.connect();
      printJson(take(await api.GET('/api/v1/cases/{id}', { params: { path: { id } } })));
    });
  cases
    .command('note <case> <text>')
    .description('write into the timeline')
    .action(async (ref: string, text: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await idOf(context, ref) } };
      take(await api.POST('/api/v1/cases/{id}/entries', { params, body: { kind: 'note', text } }));
      note('written');
    });
  cases
    .command('mark <case> <mark>')
    .description(`stop a clock: ${MARKS.join(', ')}`)
    .action(async (ref: string, mark: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await idOf(context, ref) } };
      const body = { mark: oneOf(MARKS, mark, 'The mark'), note: '' };
      note(take(await api.POST('/api/v1/cases/{id}/marks', { params, body })).status);
    });
  cases
    .command('evidence <case> <file>')
    .description('keep a file: sealed, with its hash on record')
    .action(async (ref: string, file: string) => {
      const { api } = await context.connect();
      const params = { path: { id: await idOf(context, ref) } };
      const content = await readFile(file);
      const body = {
        name: basename(file),
        mediaType: 'application/octet-stream',
        contentBase64: content.toString('base64'),
      };
      print(take(await api.POST('/api/v1/cases/{id}/evidence', { params, body })).sha256);
    });
  cases
    .command('close <case>')
    .description('close with a reason; high and critical ones after their review')
    .requiredOption('--reason <text>', 'why')
    .action(async (ref: string, options: { reason: string }) => {
      const { api } = await context.connect();
      const params = { path: { id: await idOf(context, ref) } };
      note(take(await api.POST('/api/v1/cases/{id}/close', { params, body: options })).status);
    });
  cases
    .command('export <case>')
    .description('as STIX 2.1 bundle or OCSF incident finding')
    .option('--format <format>', 'stix or ocsf', 'stix')
    .option('--out <file>', 'standard output when absent')
    .action(async (id: string, options: { format: string; out?: string }) => {
      const { api } = await context.connect();
      const format = oneOf(['stix', 'ocsf'] as const, options.format, 'The format');
      const document = take(
        await api.GET('/api/v1/cases/{id}/export', { params: { path: { id }, query: { format } } }),
      );
      if (options.out === undefined) return printJson(document);
      return writeFile(options.out, `${JSON.stringify(document, null, 2)}\n`);
    });
}
