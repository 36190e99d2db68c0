import type { Command } from 'commander';
import { type Config, systemClock } from '@cordon/kernel';
import { openDataFolder } from '../supervisor/data-folder.ts';
import { externalEngines, resolveRoleConfig, type StandaloneRole } from '../supervisor/resolve-config.ts';
import { ROLE_NAMES, type RoleConfig, type RoleName } from '../supervisor/role-config.ts';
import { runRole, type StartRole } from '../supervisor/role-process.ts';
import type { CliContext } from './context.ts';
import { note, print, UsageWrong } from './output.ts';

const OPERATOR_HOURS_MAX = 24;

/** Loaded only in the process that runs the role: a gateway carries no console, a control no traffic path. */
const LOADERS: Readonly<Record<RoleName, () => Promise<StartRole>>> = {
  control: async () => (await import('../roles/control-role.ts')).startControl,
  worker: async () => (await import('../roles/worker-role.ts')).startWorker,
  gateway: async () => (await import('../roles/gateway-role.ts')).startGateway,
};

async function standalone(config: Config, role: StandaloneRole): Promise<RoleConfig> {
  const engines = externalEngines(config, role);
  // Started alone, a gateway is the only process of its data directory.
  const alone = { ...config, gateway: { ...config.gateway, processes: 1 } };
  return resolveRoleConfig(alone, await openDataFolder(config.data_dir), engines, systemClock.now());
}

export function addRoleCommands(program: Command, context: CliContext): void {
  const role = program.command('role').description('run one role alone, against engines of your own');
  for (const name of ROLE_NAMES) {
    role
      .command(name)
      .description(`run a ${name} process`)
      .action(async () => {
        // The configuration is judged first: what it lacks is said at once.
        const start: StartRole = async (config, logger) => (await LOADERS[name]())(config, logger);
        await runRole(name, start, async () => standalone(await context.config(), name));
      });
  }
  role
    .command('migrate')
    .description('prepare the database for this version')
    .action(async () => {
      const { migrateAll } = await import('../roles/migrate-role.ts');
      const config = await context.config();
      // No data directory: this runs as a job that keeps nothing.
      await migrateAll({ logLevel: config.log_level, ...externalEngines(config, 'migrate') });
    });
  role
    .command('operator')
    .description('print an API token for some hours, and the sign-in link while there is no owner')
    .option('--hours <number>', `how long the token lives, at most ${OPERATOR_HOURS_MAX}`, Number, 8)
    .action(async ({ hours }: { hours: number }) => {
      if (!(hours > 0 && hours <= OPERATOR_HOURS_MAX)) throw new UsageWrong('--hours is more than 0 and at most 24.');
      const { openOperatorAccess } = await import('../roles/operator-role.ts');
      const made = await openOperatorAccess(await standalone(await context.config(), 'operator'), hours);
      note(`An owner's API token until ${new Date(made.expiresAt).toISOString()}; set it as CORDON_TOKEN:`);
      print(made.token);
      if (made.link !== null) note(`First sign-in (once, within the hour):\n${made.link}`);
    });
}
