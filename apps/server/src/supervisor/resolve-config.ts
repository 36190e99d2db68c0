import { ConfigInvalid, type Config } from '@cordon/kernel';
import type { DataFolder } from './data-folder.ts';
import type { RoleConfig } from './role-config.ts';

const HOUR_MS = 3_600_000;
const LAKE_DATABASE = 'cordon';

function shownHost(host: string): string {
  return host === '0.0.0.0' || host === '::' || host === '127.0.0.1' ? 'localhost' : host;
}

/** Addresses under which people and clients reach Cordon, from what is configured or else the listeners. */
export function publicUrls(config: Config): { control: string; gateway: string } {
  return {
    control: config.control.public_url ?? `http://${shownHost(config.control.host)}:${config.control.port}`,
    gateway: config.gateway.public_url ?? `https://${shownHost(config.gateway.host)}:${config.gateway.port}`,
  };
}

export interface Engines {
  readonly databaseUrl: string;
  readonly lake: RoleConfig['lake'];
}

/** Splits a CLICKHOUSE_URL with credentials into what the client takes. */
export function externalLake(url: string): RoleConfig['lake'] {
  const parsed = new URL(url);
  const database = parsed.pathname.slice(1) || LAKE_DATABASE;
  const [username, password] = [decodeURIComponent(parsed.username) || 'default', decodeURIComponent(parsed.password)];
  return { url: parsed.origin, username, password, database };
}

/** For a role that runs alone: engines must be named, since nobody starts embedded ones for it. */
export function externalEngines(config: Config): Engines {
  const missing = [config.database_url ? null : 'DATABASE_URL', config.clickhouse_url ? null : 'CLICKHOUSE_URL'].filter(
    (name) => name !== null,
  );
  if (missing.length > 0) {
    throw new ConfigInvalid(
      `A role that runs alone needs engines of its own: set ${missing.join(' and ')}, or start everything with "cordon up".`,
      { missing },
    );
  }
  return { databaseUrl: config.database_url ?? '', lake: externalLake(config.clickhouse_url ?? '') };
}

export async function resolveRoleConfig(
  config: Config,
  folder: DataFolder,
  engines: Engines,
  now: number,
): Promise<RoleConfig> {
  const urls = publicUrls(config);
  const ring = await folder.keyRing(config.kek);
  const host = new URL(urls.gateway).hostname;
  const tls =
    config.gateway.tls ??
    (await folder.localTls({ dns: [...new Set(['localhost', host])], ip: ['127.0.0.1', '::1'] }, now));
  return {
    dataDir: folder.path,
    logLevel: config.log_level,
    databaseUrl: engines.databaseUrl,
    lake: engines.lake,
    kek: ring.keys.map((key) => key.toString('base64')).join(','),
    internalKey: config.internal_key ?? (await folder.secret('internal.key')),
    control: {
      host: config.control.host,
      port: config.control.port,
      publicUrl: urls.control,
      internalUrl: config.control_internal_url ?? `http://127.0.0.1:${config.control.port}`,
    },
    worker: {
      port: config.worker.port,
      internalUrl: config.worker_internal_url ?? `http://127.0.0.1:${config.worker.port}`,
    },
    gateway: {
      host: config.gateway.host,
      port: config.gateway.port,
      plainPort: config.gateway.plain_port,
      processPort: config.gateway.process_port,
      publicUrl: urls.gateway,
      tls: { cert: tls.cert, key: tls.key },
      staleAfterMs: Math.round(config.gateway.stale_after_hours * HOUR_MS),
      metricsPort: config.gateway.metrics_port,
      index: 0,
    },
    accessTokenS: config.tokens.access_minutes * 60,
    retentionDays: config.lake.retention_days,
  };
}
