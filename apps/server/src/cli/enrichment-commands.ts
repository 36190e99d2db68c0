import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { parseSpan } from './event-commands.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

const FORMATS = ['stix', 'csv', 'lines'] as const;
const MEANINGS = ['threat', 'tor', 'vpn', 'hosting', 'proxy'] as const;
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

interface ImportOptions {
  readonly format: string;
  readonly source: string;
  readonly meaning: string;
  readonly lasts: string;
}

function oneOf<T extends string>(values: readonly T[], given: string, option: string): T {
  const found = values.find((one) => one === given);
  if (found === undefined) throw new UsageWrong(`${option} is one of: ${values.join(', ')}.`);
  return found;
}

/** `cordon enrichment` and `cordon threats`. */
export function addEnrichmentCommands(program: Command, context: CliContext): void {
  program
    .command('enrichment')
    .description('files that tell country and network of an address, with their dates')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { state } = take(await api.GET('/api/v1/enrichment'));
      if (options.json) return printJson(state);
      for (const { file, message } of state?.problems ?? []) note(`${file}: ${message}`);
      const rows = (state?.files ?? []).map((one) => [
        one.name,
        one.origin,
        one.gives.join(', '),
        day(one.builtAt),
        String(one.entries),
        one.attribution ?? '',
      ]);
      return printTable(['file', 'from', 'gives', 'made on', 'entries', 'data by'], rows);
    });
  addThreatCommands(program, context);
}

function addThreatCommands(program: Command, context: CliContext): void {
  const threats = program.command('threats').description('threat lists: what others know to be hostile');
  const find = async (name: string) => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/threat-lists'));
    const found = items.find((one) => one.name === name);
    if (!found) throw new UsageWrong(`There is no list ${name}.`);
    return { api, params: { path: { id: found.id } } };
  };

  threats
    .command('import <name> <file>')
    .description('import a list, or replace it; it is looked for in the last 30 days at once')
    .requiredOption('--format <format>', FORMATS.join(', '))
    .requiredOption('--source <text>', 'where it comes from')
    .option('--meaning <meaning>', MEANINGS.join(', '), 'threat')
    .option('--lasts <span>', 'when entries end that don’t say it themselves', '90d')
    .action(async (name: string, file: string, options: ImportOptions) => {
      const { api } = await context.connect();
      const body = {
        name,
        source: options.source,
        meaning: oneOf(MEANINGS, options.meaning, '--meaning'),
        format: oneOf(FORMATS, options.format, '--format'),
        text: await readFile(file, 'utf8'),
        expiresAt: Date.now() + parseSpan(options.lasts),
      };
      const list = take(await api.POST('/api/v1/threat-lists', { body }));
      note(`${list.name}: ${list.indicators} indicators, ${list.skipped} left out, until ${day(list.expiresAt)}`);
    });

  threats
    .command('list')
    .description('lists, until when they hold, and what was found of them in what is stored')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/threat-lists'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.name,
        one.meaning,
        String(one.indicators),
        String(one.skipped),
        day(one.expiresAt),
        one.sweep === null ? 'no' : one.sweep.doneAt === null ? 'under way' : `${one.sweep.found ?? 0} events`,
        one.source,
      ]);
      return printTable(['name', 'meaning', 'indicators', 'left out', 'until', 'looked back', 'source'], rows);
    });

  threats
    .command('sweep <name>')
    .description('look for a list in what is stored')
    .option('--since <span>', 'how far back', '90d')
    .action(async (name: string, options: { since: string }) => {
      const { api, params } = await find(name);
      const body = { from: Math.max(0, Date.now() - parseSpan(options.since)) };
      take(await api.POST('/api/v1/threat-lists/{id}/sweep', { params, body }));
      note('asked; `cordon threats list` says what was found');
    });

  threats
    .command('remove <name>')
    .description('forget a list')
    .action(async (name: string) => {
      const { api, params } = await find(name);
      take(await api.DELETE('/api/v1/threat-lists/{id}', { params }));
      note('removed');
    });
}
