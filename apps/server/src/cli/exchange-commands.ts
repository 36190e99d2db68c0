import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, printJson, printTable, take, UsageWrong } from './output.ts';

async function namesOf(context: CliContext) {
  const { api } = await context.connect();
  const { items } = take(await api.GET('/api/v1/integrations'));
  const idOf = (name: string): string => {
    const found = items.find((one) => one.name === name || one.id === name);
    if (!found) throw new UsageWrong(`There is no integration ${name}.`);
    return found.id;
  };
  return { api, idOf, nameOf: (id: string) => items.find((one) => one.id === id)?.name ?? id };
}

/** `cordon exchange …`: whose tokens may be exchanged by whom (RFC 8693). */
export function addExchangeCommands(program: Command, context: CliContext): void {
  const exchange = program.command('exchange').description('exchanges of tokens across integrations of one owner');
  exchange
    .command('list')
    .description('list the policies')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api, nameOf } = await namesOf(context);
      const { items } = take(await api.GET('/api/v1/exchange-policies'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [nameOf(one.from), nameOf(one.to), one.resources.join(' '), one.reason]);
      return printTable(['tokens of', 'exchanged by', 'for', 'why'], rows);
    });
  exchange
    .command('allow <from> <to>')
    .description('let clients of <to> exchange tokens of <from>')
    .requiredOption('--app <name...>', 'apps that the new tokens are for')
    .requiredOption('--reason <text>', 'why')
    .action(async (from: string, to: string, options: { app: string[]; reason: string }) => {
      const { api, idOf } = await namesOf(context);
      const { gatewayUrl } = take(await api.GET('/api/v1/system'));
      const body = { resources: options.app.map((name) => `${gatewayUrl}/${name}`), reason: options.reason };
      const params = { path: { from: idOf(from), to: idOf(to) } };
      take(await api.PUT('/api/v1/exchange-policies/{from}/{to}', { params, body }));
      note(`${to} may exchange tokens of ${from}.`);
    });
  exchange
    .command('remove <from> <to>')
    .description('end it, with the tokens that crossed over')
    .action(async (from: string, to: string) => {
      const { api, idOf } = await namesOf(context);
      const params = { path: { from: idOf(from), to: idOf(to) } };
      take(await api.DELETE('/api/v1/exchange-policies/{from}/{to}', { params }));
      note('Removed, with the tokens that crossed over.');
    });
}
