import { createLogger, type Logger } from '@cordon/kernel';
import { roleConfig, type Role, type RoleConfig, type RoleName } from './role-config.ts';

const STOP_MS_MAX = 20_000;
/** EX_SOFTWARE of sysexits.h. */
const START_FAILED = 70;

export type StartRole = (config: RoleConfig, logger: Logger) => Promise<Role>;

/**
 * Runs one role in this process until SIGTERM, SIGINT or the supervisor's end. The configuration arrives as the first IPC
 * message, so that no secret stands in the argument list.
 */
export async function runRole(name: RoleName, start: StartRole, standalone: () => Promise<RoleConfig>): Promise<void> {
  const config = process.send ? await receiveConfig() : await standalone();
  const logger = createLogger({ role: name, level: config.logLevel });
  const orphan = (): void => process.exit(START_FAILED);
  process.once('disconnect', orphan); // a start can wait long for an engine or for its turn
  const role = await startOrEnd(start, config, logger);
  process.off('disconnect', orphan);
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal));
  process.once('disconnect', () => stopping.resolve('the supervisor ended'));
  void role.ended?.then((why) => stopping.resolve(why));
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

/** What a start that failed half-way had opened would keep the process alive, neither serving nor ended. */
async function startOrEnd(start: StartRole, config: RoleConfig, logger: Logger): Promise<Role> {
  try {
    return await start(config, logger);
  } catch (error) {
    logger.fatal({ err: error }, 'the role could not start');
    logger.flush();
    return process.exit(START_FAILED);
  }
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
