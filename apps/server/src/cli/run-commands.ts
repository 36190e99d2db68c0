import { join } from 'node:path';
import type { Command } from 'commander';
import { type Config, systemClock } from '@cordon/kernel';
import { openDataFolder, type DataFolder } from '../supervisor/data-folder.ts';
import type { PortUse } from '../supervisor/port-check.ts';
import { publicUrls } from '../supervisor/resolve-config.ts';
import { supervise, type Supervised } from '../supervisor/supervisor.ts';
import type { CliContext } from './context.ts';
import { note, print } from './output.ts';

/** Resolves with the first signal that asks to stop; a second one ends the process at once. */
function untilSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      resolve(signal);
      process.once(signal, () => process.exit(130));
    });
  }
  return promise;
}

async function start(
  config: Config,
  folder: DataFolder,
  context: CliContext,
  morePorts: readonly PortUse[] = [],
): Promise<Supervised> {
  const { allMigrations } = await import('../roles/migrations.ts');
  return supervise({
    config,
    folder,
    migrations: allMigrations,
    morePorts,
    program: context.program,
    now: () => systemClock.now(),
    progress: (text) => note(`  ${text} …`),
  });
}

async function printWhereabouts(config: Config, folder: DataFolder, running: Supervised): Promise<void> {
  const urls = publicUrls(config);
  print(`Console and API   ${urls.control}`);
  print(`Gateway           ${urls.gateway}/<app>/…   (authority: ${join(folder.path, 'ca.pem')})`);
  if (running.config.gateway.plainPort > 0) {
    print(`Gateway, plain    http://localhost:${running.config.gateway.plainPort}/<app>/…   (this machine only)`);
  }
  const link = await folder.readPrivate('first-owner.link');
  if (link !== null) {
    print('');
    print('First sign-in (once, within the hour; renewed at each start until there is an owner):');
    print(`  ${link.trim()}`);
  }
}

export function addRunCommands(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('start everything on this machine')
    .action(async () => {
      const began = Date.now();
      const config = await context.config();
      const folder = await openDataFolder(config.data_dir);
      note(`Starting Cordon on ${folder.path}`);
      const signal = untilSignal();
      const running = await start(config, folder, context);
      note(`Ready after ${((Date.now() - began) / 1000).toFixed(1)} s. Stop with Ctrl-C.`);
      print('');
      await printWhereabouts(config, folder, running);
      note(`\n${await signal}: finishing what is under way`);
      await running.stop();
    });

  program
    .command('demo')
    .description('run the main job on an emulated estate of SaaS tools')
    .option('--exit', 'end after the table; the status says whether every scenario came out as it should')
    .option('--data <folder>', 'where the demonstration keeps its data', '.cordon-demo')
    .action(async (options: { exit?: boolean; data: string }) => {
      const { runDemo } = await import('./demo-run.ts');
      process.exitCode = await runDemo({
        context,
        dataDir: options.data,
        exit: options.exit ?? false,
        start,
        untilSignal,
        printWhereabouts,
      });
    });
}
