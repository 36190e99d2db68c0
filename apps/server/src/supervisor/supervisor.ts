import { randomBytes } from 'node:crypto';
import {
  type Config,
  ConfigInvalid,
  createLogger,
  type Logger,
  migrate,
  type Migrations,
  openDatabase,
  startEmbeddedPostgres,
} from '@cordon/kernel';
import { spawnLake } from '@cordon/lake';
import { checkPorts, type PortUse } from './port-check.ts';
import { forkRole, keepRunning, type Kept } from './child.ts';
import { type DataFolder, RESTORE_MARK } from './data-folder.ts';
import { externalLake, resolveRoleConfig } from './resolve-config.ts';
import type { RoleConfig } from './role-config.ts';

export interface Supervised {
  readonly config: RoleConfig;
  readonly processes: readonly Kept[];
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly migrations: readonly Migrations[];
  /** The file that is forked for each role. */
  readonly program: string;
  readonly now: () => number;
  /** Ports that apps will listen on, where they are known beforehand. */
  readonly morePorts?: readonly PortUse[];
  /** Says what happens while it starts. */
  readonly progress: (text: string) => void;
}

async function startDatabase(options: SupervisorOptions, logger: Logger): Promise<{ url: string; kept: Kept | null }> {
  const { config, folder } = options;
  if (config.database_url) return { url: config.database_url, kept: null };
  options.progress('starting PostgreSQL');
  let url = '';
  const kept = await keepRunning(
    'postgres',
    async () => {
      const postgres = await startEmbeddedPostgres({ dataDir: folder.path, logger });
      ({ url } = postgres);
      return postgres;
    },
    logger,
  );
  return { url, kept };
}

async function startLake(
  options: SupervisorOptions,
  logger: Logger,
): Promise<{ lake: RoleConfig['lake']; kept: Kept | null }> {
  const { config, folder } = options;
  if (config.clickhouse_url) return { lake: externalLake(config.clickhouse_url), kept: null };
  options.progress('starting the lake');
  const password = randomBytes(24).toString('base64url');
  let { port } = config.lake;
  let username = '';
  let url = '';
  const kept = await keepRunning(
    'lake',
    async () => {
      const lake = await spawnLake({ dataDir: `${folder.path}/lake`, port, password, logger });
      // The clients keep the first address, so a restart must come back under the same port.
      ({ port, username, url } = lake);
      return lake;
    },
    logger,
  );
  return { lake: { url, username, password, database: 'cordon' }, kept };
}

function portsOf({ control, gateway, worker, lake, clickhouse_url: clickhouse }: Config): PortUse[] {
  const local = '127.0.0.1';
  const row = (first: number, setting: string): PortUse[] =>
    first === 0
      ? []
      : Array.from({ length: gateway.processes }, (_, index) => ({ host: local, port: first + index, setting }));
  return [
    { host: control.host, port: control.port, setting: 'CORDON_CONTROL_PORT' },
    { host: control.host, port: control.mtls_port, setting: 'CORDON_CONTROL_MTLS_PORT' },
    { host: gateway.host, port: gateway.port, setting: 'CORDON_GATEWAY_PORT' },
    { host: local, port: gateway.plain_port, setting: 'CORDON_GATEWAY_PLAIN_PORT' },
    { host: gateway.host, port: gateway.proxy_port, setting: 'CORDON_GATEWAY_PROXY_PORT' },
    { host: gateway.host, port: gateway.proxy_tls_port, setting: 'CORDON_GATEWAY_PROXY_TLS_PORT' },
    { host: local, port: worker.port, setting: 'CORDON_WORKER_PORT' },
    ...(clickhouse === undefined ? [{ host: local, port: lake.port, setting: 'CORDON_LAKE_PORT' }] : []),
    ...row(gateway.process_port, 'CORDON_GATEWAY_PROCESS_PORT'),
    ...row(gateway.metrics_port, 'CORDON_GATEWAY_METRICS_PORT'),
  ];
}

/** Starts engines, then roles, in the order in which they need each other; each is started again when it ends. */
export async function supervise(options: SupervisorOptions): Promise<Supervised> {
  const { config, folder, program } = options;
  const logger = createLogger({ role: 'supervisor', level: config.log_level });
  const unlock = await folder.lock(process.pid);
  if ((await folder.readPrivate(RESTORE_MARK)) !== null) {
    await unlock();
    throw new ConfigInvalid(
      `A restore into ${folder.path} was not finished. Run "cordon restore self" again with --force, or choose another data directory.`,
    );
  }
  await checkPorts([...portsOf(config), ...(options.morePorts ?? [])]).catch(async (error: unknown) => {
    await unlock();
    throw error;
  });
  const processes: Kept[] = [];
  const stop = async (): Promise<void> => {
    // Gateways first, so that the last events still find a worker and a lake.
    for (const kept of processes.toReversed()) await kept.stop();
    await unlock();
  };
  try {
    const keepStarted = <Started extends { kept: Kept | null }>(started: Started): Started => {
      if (started.kept) processes.push(started.kept);
      return started;
    };
    // Both are waited for, so that one that started is known, and ended, when the other failed.
    const starting = [
      startDatabase(options, logger).then(keepStarted),
      startLake(options, logger).then(keepStarted),
    ] as const;
    await Promise.allSettled(starting);
    const [database, lake] = await Promise.all(starting);
    options.progress('preparing the database');
    const db = openDatabase({ url: database.url, logger, connectionsMax: 2 });
    await migrate(db, options.migrations);
    await db.close();
    const engines = { databaseUrl: database.url, lake: lake.lake };
    const resolved = await resolveRoleConfig(config, folder, engines, options.now());
    const keep = async (role: string, name: string, roleConfig: RoleConfig): Promise<void> => {
      processes.push(await keepRunning(name, () => forkRole({ program, role, config: roleConfig }), logger));
    };
    options.progress('starting control and worker');
    await keep('control', 'control', resolved);
    await keep('worker', 'worker', resolved);
    options.progress(`starting ${config.gateway.processes} gateway processes`);
    const gateways = Array.from({ length: config.gateway.processes }, (_, index) => index);
    await Promise.all(
      gateways.map((index) =>
        keep('gateway', `gateway-${index}`, { ...resolved, gateway: { ...resolved.gateway, index } }),
      ),
    );
    return { config: resolved, processes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
