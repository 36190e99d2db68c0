import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { addKeyToFile, parseConfig } from '@cordon/kernel';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

export function addSystemCommands(program: Command, context: CliContext): void {
  program
    .command('status')
    .description('gateways and the snapshot they decide from')
    .action(async () => {
      const { api } = await context.connect();
      const [system, { items }] = [take(await api.GET('/api/v1/system')), take(await api.GET('/api/v1/gateways'))];
      print(`snapshot version ${system.version}, epoch ${system.epoch}`);
      const rows = items.map((one) => [
        one.gatewayId,
        one.live ? 'live' : 'gone',
        String(one.version),
        String(one.epoch),
        new Date(one.seenAt).toISOString(),
      ]);
      printTable(['gateway', 'state', 'version', 'epoch', 'seen'], rows);
    });

  const audit = program.command('audit').description('the tamper-evident trail of every change');
  audit
    .command('list')
    .description('newest records first')
    .option('--limit <number>', 'how many', Number, 50)
    .option('--json', 'as JSON')
    .action(async (options: { limit: number; json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/audit', { params: { query: { limit: options.limit } } }));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        String(one.seq),
        new Date(one.at).toISOString(),
        one.actor.name,
        one.action,
        one.target.name ?? one.target.id ?? one.target.type,
      ]);
      return printTable(['record', 'time', 'who', 'what', 'to'], rows);
    });
  audit
    .command('verify')
    .description('walk the whole chain and report the first record that was changed')
    .action(async () => {
      const { api } = await context.connect();
      const { records, head } = take(await api.POST('/api/v1/audit/verify'));
      print(`${records} records, unbroken; head ${head}`);
    });

  const config = program.command('config').description('configuration');
  config
    .command('check [file]')
    .description('check a configuration file and the environment')
    .action(async (file?: string) => {
      if (file !== undefined) parseConfig({ text: await readFile(file, 'utf8'), env: context.env });
      else await context.config();
      print('The configuration is valid.');
    });

  const keys = program.command('keys').description('key-encryption keys');
  keys
    .command('rotate')
    .description('put a new key-encryption key in front; older keys still open what they sealed')
    .action(async () => {
      const settings = await context.config();
      if (settings.kek !== undefined)
        throw new UsageWrong('The keys come from CORDON_KEK: put a new one in front there.');
      await addKeyToFile(join(resolve(settings.data_dir), 'kek'));
      note('A new key seals from the next start on. Restart Cordon.');
    });
}
