import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { PostgresUnavailable } from './errors.ts';
import type { Logger } from './logger.ts';
import { type PostgresPlace, choosePlace, installBinaries } from './postgres-place.ts';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;
const PROBE_MS = 50;
const LOG_TAIL_BYTES_MAX = 8_192;
const CONNECTIONS_MAX = 120;
const DATABASE = 'cordon';

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  /** 0 or absent: the port of the last start, else a free one. */
  readonly port?: number;
  /** Only for tests: trades durability for speed. */
  readonly unsafeFast?: boolean;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

interface Access {
  readonly port: number;
  readonly password: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new PostgresUnavailable('No free port was found.');
  return address.port;
}

function environment(runtime: string): NodeJS.ProcessEnv {
  return { LD_LIBRARY_PATH: join(runtime, 'lib'), PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
}

function launch(place: PostgresPlace, runtime: string, tool: string, args: readonly string[]): ChildProcess {
  return spawn(join(runtime, 'bin', tool), args, {
    cwd: place.root,
    env: environment(runtime),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C in a terminal must not end the database before those who use it.
    detached: true,
    ...(place.owner ? { uid: place.owner.uid, gid: place.owner.gid } : {}),
  });
}

/** Keeps the last bytes that a tool wrote, so that a failed start can say why. */
function tail(child: ChildProcess): () => string {
  let text = '';
  const take = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-LOG_TAIL_BYTES_MAX);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => text.trim();
}

async function initialise(place: PostgresPlace, runtime: string, password: string): Promise<void> {
  const passwordFile = join(place.root, 'initdb.password');
  await rm(join(place.root, 'data'), { recursive: true, force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.owner) await chown(passwordFile, place.owner.uid, place.owner.gid);
  const args = [
    '-D',
    join(place.root, 'data'),
    '-U',
    'cordon',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-A',
    'scram-sha-256',
  ];
  const child = launch(place, runtime, 'initdb', [...args, `--pwfile=${passwordFile}`]);
  const log = tail(child);
  const [code] = (await once(child, 'close')) as [number | null];
  await rm(passwordFile, { force: true });
  if (code !== 0) throw new PostgresUnavailable(`initdb failed: ${log()}`);
}

/** The access file is written last, so its presence means that the cluster is whole. */
async function loadOrInitialise(place: PostgresPlace, runtime: string, wanted: number): Promise<Access> {
  const path = join(place.root, 'access.json');
  const stored = await readFile(path, 'utf8').catch(() => null);
  if (stored !== null) {
    const access = JSON.parse(stored) as Access; // our own 0600 file
    return wanted === 0 ? access : { ...access, port: wanted };
  }
  const access = { port: wanted || (await freePort()), password: randomBytes(24).toString('base64url') };
  await initialise(place, runtime, access.password);
  await writeFile(path, JSON.stringify(access), { mode: 0o600 });
  return access;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  await promise;
}

/** A supervisor that was killed leaves its PostgreSQL behind: end it before starting another on the same files. */
async function endLeftover(place: PostgresPlace, logger: Logger): Promise<void> {
  const file = await readFile(join(place.root, 'data', 'postmaster.pid'), 'utf8').catch(() => null);
  const pid = Number(file?.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!command.includes(place.root)) return;
  logger.warn({ pid }, 'ending a PostgreSQL that an earlier start left running');
  process.kill(pid, 'SIGINT');
  for (let waited = 0; isAlive(pid) && waited < STOP_MS_MAX; waited += PROBE_MS) await pause(PROBE_MS);
  if (isAlive(pid)) throw new PostgresUnavailable(`Another PostgreSQL (process ${pid}) holds this data directory.`);
}

async function waitUntilReady(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new PostgresUnavailable(`PostgreSQL ended while it was starting: ${log()}`);
    }
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (cause) {
      await client.end().catch(() => undefined);
      if (Date.now() > deadline) {
        throw new PostgresUnavailable(`PostgreSQL did not answer in ${START_MS_MAX / 1000} s: ${log()}`, {}, cause);
      }
      await pause(PROBE_MS);
    }
  }
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}

/** Starts a PostgreSQL of its own on loopback under `dataDir`, initialising it at the first start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, logger, port = 0, unsafeFast = false } = options;
  const place = await choosePlace(dataDir);
  const runtime = await installBinaries(place);
  await endLeftover(place, logger);
  const access = await loadOrInitialise(place, runtime, port);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(access.port),
    unix_socket_directories: '',
    max_connections: String(CONNECTIONS_MAX),
    shared_buffers: '128MB',
    password_encryption: 'scram-sha-256',
    log_min_messages: 'warning',
    timezone: 'UTC',
    ...(unsafeFast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = launch(place, runtime, 'postgres', ['-D', join(place.root, 'data'), ...flags]);
  const log = tail(child);
  child.stderr?.on('data', (chunk: Buffer) => logger.debug({ text: chunk.toString().trim() }, 'postgres'));
  const exited = once(child, 'exit').then(() => undefined);
  const base = `postgres://cordon:${access.password}@127.0.0.1:${access.port}`;
  await waitUntilReady(`${base}/postgres`, child, log);
  await ensureDatabase(`${base}/postgres`);
  return {
    url: `${base}/${DATABASE}`,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGINT');
      const force = setTimeout(() => child.kill('SIGQUIT'), STOP_MS_MAX);
      await exited;
      clearTimeout(force);
    },
  };
}
