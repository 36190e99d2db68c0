import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

async function findAccount(context: CliContext, name: string) {
  const { api } = await context.connect();
  const { accounts } = take(await api.GET('/api/v1/break-glass'));
  const found = accounts.find((one) => one.id === name || one.name === name);
  if (!found) throw new UsageWrong(`There is no break-glass account ${name}.`);
  return { api, params: { path: { id: found.id } } };
}

/** Owners that don't depend on the corporate provider; and service accounts, which nobody signs in with. */
export function addBreakGlassCommands(program: Command, context: CliContext): void {
  const glass = program.command('break-glass').description('accounts for when the corporate provider is gone');
  glass
    .command('list')
    .description('each account, whether it works, and when its drill is due')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const found = take(await api.GET('/api/v1/break-glass'));
      if (options.json) return printJson(found);
      note(`${found.ready} of ${found.needed} can sign in.`);
      const rows = found.accounts.map((one) => [
        one.name,
        one.state,
        `${one.passkeys} passkeys, ${one.recoveryCodes} codes`,
        one.sealedAt === null ? 'open' : `${one.place} (${one.seal})`,
        one.lastDrillAt ?? 'never',
        one.drillDueAt,
        one.lastUsedAt ?? 'never',
      ]);
      return printTable(['account', 'state', 'holds', 'envelope', 'last drill', 'due', 'last sign-in'], rows);
    });
  glass
    .command('make <name>')
    .description('make one; the link is shown once, and opened with a hardware passkey in hand')
    .option('--drill-days <number>', 'how often it is drilled', Number, 90)
    .action(async (name: string, options: { drillDays: number }) => {
      const { api } = await context.connect();
      const { link } = take(await api.POST('/api/v1/break-glass', { body: { name, drillDays: options.drillDays } }));
      note(`Ends ${link.expiresAt}.`);
      print(link.url);
    });
  glass
    .command('seal <account>')
    .description('say where the envelope with passkey and codes lies')
    .requiredOption('--place <text>', 'where')
    .requiredOption('--seal <number>', 'the number of its seal')
    .action(async (name: string, body: { place: string; seal: string }) => {
      const { api, params } = await findAccount(context, name);
      take(await api.PUT('/api/v1/break-glass/{id}/seal', { params, body: { place: body.place, seal: body.seal } }));
    });
  glass
    .command('drill <account>')
    .description('announce a drill: a sign-in within half an hour is recorded as one')
    .action(async (name: string) => {
      const { api, params } = await findAccount(context, name);
      print(`until ${take(await api.POST('/api/v1/break-glass/{id}/drill', { params })).until}`);
    });
  glass
    .command('uses <account>')
    .description('every sign-in with it, with what drills found')
    .action(async (name: string) => {
      const { api, params } = await findAccount(context, name);
      printJson(take(await api.GET('/api/v1/break-glass/{id}/uses', { params })).items);
    });
  glass
    .command('remove <account>')
    .description('disable it; of the last two only with --acknowledge')
    .option('--acknowledge', 'fewer than two may be left')
    .action(async (name: string, options: { acknowledge?: true }) => {
      const { api, params } = await findAccount(context, name);
      const query = { acknowledge: options.acknowledge ? 'true' : 'false' };
      take(await api.DELETE('/api/v1/break-glass/{id}', { params: { ...params, query } }));
    });

  program
    .command('service-accounts')
    .description('owner, expiry, last use, and proof shown against proof required, for each integration')
    .option('--json', 'as JSON')
    .option('--problems', 'only those with something to look at')
    .action(async (options: { json?: boolean; problems?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/service-accounts'));
      const shown = options.problems ? items.filter(({ problems }) => problems.length > 0) : items;
      if (options.json) return printJson(shown);
      const dayOf = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString().slice(0, 10));
      const rows = shown.map(({ integration, lastUsedAt, shown: has, required, problems }) => [
        integration.name,
        integration.owner.name,
        integration.backupOwner?.name ?? '-',
        dayOf(integration.expiresAt),
        dayOf(lastUsedAt),
        has ?? '-',
        required,
        problems.join(', '),
      ]);
      const columns = ['integration', 'owner', 'backup', 'ends', 'last used', 'shown', 'required', 'to look at'];
      return printTable(columns, rows);
    });
}
