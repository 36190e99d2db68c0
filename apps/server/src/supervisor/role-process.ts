import { createLogger, type Logger } from '@cordon/kernel';
import { roleConfig, type Role, type RoleConfig, type RoleName } from './role-config.ts';

const STOP_MS_MAX = 20_000;

export type StartRole = (config: RoleConfig, logger: Logger) => Promise<Role>;

/**
 * Runs one role in this process until SIGTERM, SIGINT or the supervisor's end. The configuration arrives as the first IPC
 * message, so that no secret stands in the argument list.
 */
export async function runRole(name: RoleName, start: StartRole, standalone: () => Promise<RoleConfig>): Promise<void> {
  const config = process.send ? await receiveConfig() : await standalone();
  const logger = createLogger({ role: name, level: config.logLevel });
  const role = await start(config, logger);
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal));
  process.once('disconnect', () => stopping.resolve('the supervisor ended'));
  process.send?.({ ready: true });
  logger.info({ role: name }, 'ready');
  const reason = await stopping.promise;
  logger.info({ reason }, 'stopping');
  // What cannot be finished in time stays in spool and database; an orphan must not hold ports for ever.
  setTimeout(() => {
    logger.error('stopping took too long; ending anyway');
    process.exit(1);
  }, STOP_MS_MAX).unref();
  await role.stop();
  logger.flush();
  process.exit(0);
}

async function receiveConfig(): Promise<RoleConfig> {
  const { promise, resolve, reject } = Promise.withResolvers<RoleConfig>();
  process.once('message', (message) => {
    const parsed = roleConfig.safeParse(message);
    if (parsed.success) resolve(parsed.data);
    else reject(new Error(`the supervisor sent a configuration that does not parse: ${parsed.error.message}`));
  });
  return promise;
}
