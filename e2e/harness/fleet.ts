import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@cordon/client';
import { createLogger, type EmbeddedPostgres, startEmbeddedPostgres } from '@cordon/kernel';
import { type LakeProcess, spawnLake } from '@cordon/lake';
import { freePorts } from './free-ports.ts';
import { type RoleProcess, runCordon, startRole } from './role-process.ts';

/**
 * Cordon as a fleet on one machine: control, worker and two gateways are processes of their own that know only their
 * environment; PostgreSQL and the lake are nobody's children; each process has a data directory of its own.
 */
export interface Fleet {
  readonly folder: string;
  readonly url: string;
  readonly databaseUrl: string;
  readonly gateways: readonly string[];
  /** The environment of a command that reaches the engines, as the machine of an operator has it. */
  readonly operatorEnv: Readonly<Record<string, string>>;
  /** An API token of an hour, and the link of the first sign-in where nobody has signed in yet. */
  operator(): Promise<{ api: ApiClient; token: string; link: string | null }>;
  migrate(): Promise<void>;
  start(...names: RoleName[]): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(...names: RoleName[]): Promise<void>;
  /** Both engines empty, on other data directories; the roles must be gone. */
  replaceEngines(): Promise<void>;
  stop(): Promise<void>;
}
export const ROLE_NAMES = ['control', 'worker', 'gateway-0', 'gateway-1'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

const logger = createLogger({ role: 'test', level: 'warn' });
const PORTS = 24;

async function removeDatabase(dataDir: string): Promise<void> {
  const elsewhere = (await readFile(join(dataDir, 'postgres.location'), 'utf8').catch(() => '')).trim();
  if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
}

export async function createFleet(more: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'cordon-fleet-'));
  const first = await freePorts(PORTS);
  const port = (offset: number): string => String(first + offset);
  const lakePassword = randomBytes(24).toString('base64url');
  let generation = 0;
  let postgres: EmbeddedPostgres;
  let lake: LakeProcess;
  const startEngines = async (): Promise<void> => {
    generation += 1;
    const dataDir = join(folder, `postgres-${generation}`);
    await mkdir(dataDir);
    [postgres, lake] = await Promise.all([
      startEmbeddedPostgres({ dataDir, logger }),
      spawnLake({
        dataDir: join(folder, `lake-${generation}`),
        port: Number(port(3)),
        password: lakePassword,
        username: 'fleet',
        logger,
      }),
    ]);
  };
  await startEngines();
  const shared = {
    CORDON_LOG_LEVEL: 'info',
    CORDON_KEK: randomBytes(32).toString('base64'),
    CORDON_INTERNAL_KEY: randomBytes(32).toString('base64url'),
    CORDON_CONTROL_PORT: port(0),
    CORDON_CONTROL_MTLS_PORT: '0',
    CORDON_CONTROL_INTERNAL_URL: `http://127.0.0.1:${port(0)}`,
    CORDON_WORKER_INTERNAL_URL: `http://127.0.0.1:${port(1)}`,
    ...more,
  };
  const engines = (): Record<string, string> => ({
    DATABASE_URL: postgres.url,
    CLICKHOUSE_URL: `http://fleet:${lakePassword}@127.0.0.1:${lake.port}/cordon`,
  });
  const gateway = (index: number): Record<string, string> => ({
    CORDON_GATEWAY_PORT: port(10 + index * 5),
    CORDON_GATEWAY_PLAIN_PORT: port(11 + index * 5),
    CORDON_GATEWAY_METRICS_PORT: port(12 + index * 5),
  });
  const own = (name: RoleName): Record<string, string> => {
    if (name === 'control') return { ...engines(), CORDON_OPERATOR_ACCESS: 'none' };
    return name === 'worker' ? { ...engines(), CORDON_WORKER_PORT: port(1) } : gateway(Number(name.slice(-1)));
  };
  const running = new Map<RoleName, RoleProcess>();
  const env = (name: RoleName) => ({ ...shared, ...own(name), CORDON_DATA_DIR: join(folder, name) });
  const url = `http://localhost:${port(0)}`;
  const operatorEnv = () => ({ ...shared, ...engines(), CORDON_DATA_DIR: join(folder, 'operator') });
  return {
    folder,
    url,
    get databaseUrl() {
      return postgres.url;
    },
    gateways: [0, 1].map((index) => `http://127.0.0.1:${port(11 + index * 5)}`),
    get operatorEnv() {
      return operatorEnv();
    },
    async operator() {
      const { code, stdout, stderr } = await runCordon(['role', 'operator', '--hours', '1'], operatorEnv(), folder);
      if (code !== 0) throw new Error(`role operator said: ${stderr}`);
      const token = stdout.trim();
      const link = /https?:\/\/\S+/.exec(stderr)?.[0] ?? null;
      return { api: createApiClient({ baseUrl: url, token }), token, link };
    },
    async migrate() {
      const { code, stderr } = await runCordon(['role', 'migrate'], { ...shared, ...engines() }, folder);
      if (code !== 0) throw new Error(`role migrate said: ${stderr}`);
    },
    async start(...names) {
      await Promise.all(
        names.map(async (name) => running.set(name, await startRole(name.split('-', 1)[0] ?? '', env(name), folder))),
      );
    },
    async kill(...names) {
      await Promise.all(
        names.map(async (name) => {
          const role = running.get(name);
          if (!role) return;
          process.kill(role.pid, 'SIGKILL');
          await role.ended;
          running.delete(name);
        }),
      );
    },
    async replaceEngines() {
      const gone = join(folder, `postgres-${generation}`);
      await Promise.all([postgres.stop(), lake.stop()]);
      await removeDatabase(gone);
      await rm(gone, { recursive: true, force: true });
      await rm(join(folder, `lake-${generation}`), { recursive: true, force: true });
      await startEngines();
    },
    async stop() {
      await Promise.all([...running.values()].map((role) => role.stop()));
      await Promise.all([lake.stop(), postgres.stop()]);
      await removeDatabase(join(folder, `postgres-${generation}`));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
