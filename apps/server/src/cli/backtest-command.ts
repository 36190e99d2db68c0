import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** `cordon detect backtest`: what a rule would have said about what the lake holds. */
export function addBacktestCommand(program: Command, context: CliContext): void {
  const detect = program.commands.find((one) => one.name() === 'detect');
  if (!detect) throw new TypeError('The command "detect" must be there first.');
  detect
    .command('backtest [rule]')
    .description('run a rule, by id or from a file, over the events of the last days')
    .option('--file <path>', 'a Sigma rule that is not loaded')
    .option('--days <days>', 'how far back, 1 to 90', Number, 30)
    .option('--limit <number>', 'events to show, 0 to 100', Number, 20)
    .option('--json', 'as JSON')
    .action(async (id: string | undefined, options: { file?: string; days: number; limit: number; json?: boolean }) => {
      if ((id === undefined) === (options.file === undefined)) throw new UsageWrong('Give a rule id or --file.');
      const { api } = await context.connect();
      const span = { days: options.days, limit: options.limit };
      const found =
        options.file === undefined
          ? take(await api.POST('/api/v1/detections/{id}/backtest', { params: { path: { id: id ?? '' } }, body: span }))
          : take(
              await api.POST('/api/v1/detection-backtests', {
                body: { ...span, rule: await readFile(options.file, 'utf8') },
              }),
            );
      if (options.json) return printJson(found);
      printTable(
        ['day', 'signals', 'actors'],
        found.days.map((one) => [day(one.day), String(one.hits), String(one.actors)]),
      );
      printTable(
        ['event', 'at (UTC)', 'what'],
        found.events.map((one) => [one.id, new Date(one.at).toISOString().slice(0, 19), one.summary]),
      );
      note(`${found.hits} signals, at most ${found.alerts} alerts in ${options.days} days (${found.tookMs} ms)`);
      if (found.warning !== null) note(found.warning);
      return undefined;
    });
}
