import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
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

/** What must be in the environment of a role that runs alone. A gateway reaches no engine and is given no way to. */
const NEEDED = {
  control: ['DATABASE_URL', 'CLICKHOUSE_URL', 'CORDON_KEK', 'CORDON_INTERNAL_KEY'],
  worker: ['DATABASE_URL', 'CLICKHOUSE_URL', 'CORDON_KEK', 'CORDON_INTERNAL_KEY'],
  gateway: ['CORDON_KEK', 'CORDON_INTERNAL_KEY', 'CORDON_CONTROL_INTERNAL_URL', 'CORDON_WORKER_INTERNAL_URL'],
  migrate: ['DATABASE_URL'],
  operator: ['DATABASE_URL', 'CORDON_KEK'],
} as const;

export type StandaloneRole = keyof typeof NEEDED;

const NO_LAKE: RoleConfig['lake'] = { url: '', username: '', password: '', database: '' };

/**
 * For a role that runs alone: nobody starts engines for it or shares keys with it. A key made here would differ from
 * the other machines' and be found out only by secrets that don't open, so a missing one is refused.
 */
export function externalEngines(config: Config, role: StandaloneRole): Engines {
  const given: Readonly<Record<(typeof NEEDED)[StandaloneRole][number], string | undefined>> = {
    DATABASE_URL: config.database_url,
    CLICKHOUSE_URL: config.clickhouse_url,
    CORDON_KEK: config.kek,
    CORDON_INTERNAL_KEY: config.internal_key,
    CORDON_CONTROL_INTERNAL_URL: config.control_internal_url,
    CORDON_WORKER_INTERNAL_URL: config.worker_internal_url,
  };
  const missing = NEEDED[role].filter((name) => given[name] === undefined);
  if (missing.length > 0) {
    throw new ConfigInvalid(
      `The role ${role} alone needs ${missing.join(', ')}. Set what is missing, or start everything with "cordon up".`,
      { missing },
    );
  }
  const needs: readonly string[] = NEEDED[role];
  return {
    databaseUrl: needs.includes('DATABASE_URL') ? (config.database_url ?? '') : '',
    lake: needs.includes('CLICKHOUSE_URL') ? externalLake(config.clickhouse_url ?? '') : NO_LAKE,
  };
}

async function readPem(path: string, key: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigInvalid(`${key}: the file ${path} can't be read.`, { path }, cause);
  }
}

async function gatewayTls(config: Config, folder: DataFolder, gatewayUrl: string, now: number) {
  const given = config.gateway.tls;
  if (given) {
    return {
      cert: await readPem(given.cert_file, 'gateway.tls.cert_file'),
      key: await readPem(given.key_file, 'gateway.tls.key_file'),
    };
  }
  const names = [...new Set(['localhost', new URL(gatewayUrl).hostname])];
  const { cert, key } = await folder.localTls({ dns: names, ip: ['127.0.0.1', '::1'] }, now);
  return { cert, key };
}

function mtlsUrl(config: Config): string {
  const { control } = config;
  if (control.mtls_url !== undefined) return control.mtls_url.replace(/\/+$/, '');
  const host = control.public_url === undefined ? shownHost(control.host) : new URL(control.public_url).hostname;
  return `https://${host}:${control.mtls_port}`;
}

/** The certificate of the listener that asks for client certificates. */
async function controlMtls(config: Config, folder: DataFolder, now: number): Promise<RoleConfig['control']['mtls']> {
  const { mtls_port: port, tls } = config.control;
  if (port === 0) return null;
  const publicUrl = mtlsUrl(config);
  if (tls) {
    const [cert, key] = [
      await readPem(tls.cert_file, 'control.tls.cert_file'),
      await readPem(tls.key_file, 'control.tls.key_file'),
    ];
    return { port, publicUrl, cert, key, ca: null };
  }
  const names = [...new Set(['localhost', new URL(publicUrl).hostname])];
  return { port, publicUrl, ...(await folder.localTls({ dns: names, ip: ['127.0.0.1', '::1'] }, now, 'control')) };
}

async function clientTrust({ clients }: Config): Promise<RoleConfig['clients']> {
  const spiffe = await Promise.all(
    Object.entries(clients.spiffe).map(
      async ([domain, file]) => [domain, await readPem(file, 'clients.spiffe')] as const,
    ),
  );
  return {
    authorities: clients.ca_file === undefined ? '' : await readPem(clients.ca_file, 'clients.ca_file'),
    spiffe: Object.fromEntries(spiffe),
    trustedProxies: clients.trusted_proxies
      .split(',')
      .map((address) => address.trim())
      .filter((address) => address !== ''),
    certificateDays: clients.certificate_days,
    dpopNonce: clients.dpop_nonce,
  };
}

/** What sources that the worker collects by itself may use of this machine. */
async function collectSettings(
  { worker }: Config,
  folder: DataFolder,
  now: number,
): Promise<RoleConfig['worker']['collect']> {
  const { collect_host: host, collect_tls: given } = worker;
  const folders = worker.collect_folders
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  const wrong = folders.find((path) => !isAbsolute(path));
  if (wrong !== undefined) throw new ConfigInvalid(`worker.collect_folders: ${wrong} is no absolute path.`);
  if (given) {
    const cert = await readPem(given.cert_file, 'worker.collect_tls.cert_file');
    return { host, folders, tls: { cert, key: await readPem(given.key_file, 'worker.collect_tls.key_file') } };
  }
  const { cert, key } = await folder.localTls({ dns: ['localhost'], ip: ['127.0.0.1', '::1'] }, now, 'collect');
  return { host, folders, tls: { cert, key } };
}

/** Where packs lie; a folder of the data directory unless something else is said. */
export function objectSettings({ objects }: Config, folder: DataFolder): RoleConfig['objects'] {
  return {
    url: objects.url ?? `file:${join(folder.path, 'objects')}`,
    endpoint: objects.endpoint ?? `https://s3.${objects.region}.amazonaws.com`,
    region: objects.region,
    accessKeyId: objects.access_key_id ?? '',
    secretAccessKey: objects.secret_access_key ?? '',
    lock: objects.lock,
    holdMs: objects.hold_days * 24 * HOUR_MS,
  };
}

export async function resolveRoleConfig(
  config: Config,
  folder: DataFolder,
  engines: Engines,
  now: number,
): Promise<RoleConfig> {
  const urls = publicUrls(config);
  const ring = await folder.keyRing(config.kek);
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
      operatorAccess: config.control.operator_access,
      mtls: await controlMtls(config, folder, now),
    },
    clients: await clientTrust(config),
    worker: {
      host: config.worker.host,
      port: config.worker.port,
      internalUrl: config.worker_internal_url ?? `http://127.0.0.1:${config.worker.port}`,
      collect: await collectSettings(config, folder, now),
    },
    gateway: {
      id: config.gateway.id ?? (await folder.gatewayId(hostname())),
      host: config.gateway.host,
      port: config.gateway.port,
      plainPort: config.gateway.plain_port,
      processPort: config.gateway.process_port,
      proxyPort: config.gateway.proxy_port,
      proxyTlsPort: config.gateway.proxy_tls_port,
      publicUrl: urls.gateway,
      tls: await gatewayTls(config, folder, urls.gateway, now),
      staleAfterMs: Math.round(config.gateway.stale_after_hours * HOUR_MS),
      metricsHost: config.gateway.metrics_host,
      metricsPort: config.gateway.metrics_port,
      index: 0,
      processes: config.gateway.processes,
      valkeyUrl: config.valkey_url ?? null,
      unsharedProofs: config.gateway.unshared_proofs,
    },
    objects: objectSettings(config, folder),
    dnsServers: config.vendors.dns_servers.split(',').flatMap((one) => one.trim() || []),
    mail: { smtpUrl: config.mail.smtp_url ?? null, from: config.mail.from },
    telemetry: { otlpUrl: config.telemetry.otlp_url ?? null, otlpHeaders: config.telemetry.otlp_headers },
    rulesFolder: config.detection.rules_folder ?? null,
    proveLake: config.proof.lake_batches,
    networkFiles: config.enrichment.network_files.split(',').flatMap((path) => path.trim() || []),
    accessTokenS: config.tokens.access_minutes * 60,
    signOnPrivateHosts: config.sign_on.private_hosts.split(',').flatMap((host) => host.trim() || []),
    retentionDays: config.lake.retention_days,
  };
}
