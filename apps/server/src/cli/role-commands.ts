import type { Command } from 'commander';
import { type Config, systemClock } from '@cordon/kernel';
import { openDataFolder } from '../supervisor/data-folder.ts';
import { externalEngines, resolveRoleConfig } from '../supervisor/resolve-config.ts';
import { ROLE_NAMES, type RoleConfig, type RoleName } from '../supervisor/role-config.ts';
import { runRole, type StartRole } from '../supervisor/role-process.ts';
import type { CliContext } from './context.ts';

/** Loaded only in the process that runs the role: a gateway carries no console, a control no traffic path. */
const LOADERS: Readonly<Record<RoleName, () => Promise<StartRole>>> = {
  control: async () => (await import('../roles/control-role.ts')).startControl,
  worker: async () => (await import('../roles/worker-role.ts')).startWorker,
  gateway: async () => (await import('../roles/gateway-role.ts')).startGateway,
};

async function standalone(config: Config): Promise<RoleConfig> {
  return resolveRoleConfig(config, await openDataFolder(config.data_dir), externalEngines(config), systemClock.now());
}

export function addRoleCommands(program: Command, context: CliContext): void {
  const role = program.command('role').description('run one role alone, against engines of your own');
  for (const name of ROLE_NAMES) {
    role
      .command(name)
      .description(`run a ${name} process`)
      .action(async () => {
        const start = await LOADERS[name]();
        await runRole(name, start, async () => standalone(await context.config()));
      });
  }
  role
    .command('migrate')
    .description('prepare the database for this version')
    .action(async () => {
      const { migrateAll } = await import('../roles/migrate-role.ts');
      await migrateAll(await standalone(await context.config()));
    });
}
