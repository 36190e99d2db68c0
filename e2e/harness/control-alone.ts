import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@cordon/client';
import { createLogger, startEmbeddedPostgres } from '@cordon/kernel';
import { spawnLake } from '@cordon/lake';
import { freePorts } from './free-ports.ts';
import { runCordon, startRole } from './role-process.ts';

/** The console, the API and sign-on of the real program on real engines, without gateways and workers. */
export interface ControlAlone {
  readonly url: string;
  readonly token: string;
  readonly api: ApiClient;
  readonly dataDir: string;
  firstOwnerLink(): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

/** `host`: the name that browsers know it by; cookies tell hosts apart, but not ports. */
export async function startControlAlone(
  host: 'localhost' | '127.0.0.1',
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<ControlAlone> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cordon-control-'));
  await mkdir(join(dataDir, 'postgres'));
  const logger = createLogger({ role: 'test', level: 'warn' });
  const password = randomBytes(24).toString('base64url');
  const spare = await freePorts(2);
  const [postgres, lake] = await Promise.all([
    startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), logger }),
    spawnLake({ dataDir: join(dataDir, 'lake'), port: spare, password, username: 'alone', logger }),
  ]);
  const engines = {
    DATABASE_URL: postgres.url,
    CLICKHOUSE_URL: `http://alone:${password}@127.0.0.1:${lake.port}/cordon`,
  };
  const url = `http://${host}:${port}`;
  const all = {
    CORDON_LOG_LEVEL: 'info',
    CORDON_DATA_DIR: dataDir,
    CORDON_KEK: randomBytes(32).toString('base64'),
    CORDON_INTERNAL_KEY: randomBytes(32).toString('base64url'),
    CORDON_CONTROL_PORT: String(port),
    CORDON_CONTROL_PUBLIC_URL: url,
    CORDON_CONTROL_MTLS_PORT: '0',
    CORDON_CONTROL_OPERATOR_ACCESS: 'file',
    CORDON_CONTROL_INTERNAL_URL: `http://127.0.0.1:${port}`,
    CORDON_WORKER_INTERNAL_URL: `http://127.0.0.1:${spare + 1}`,
    ...engines,
    ...env,
  };
  const migrated = await runCordon(['role', 'migrate'], all, dataDir);
  if (migrated.code !== 0) throw new Error(`the database could not be prepared: ${migrated.stdout}${migrated.stderr}`);
  const control = await startRole('control', all, dataDir);
  const token = (await readFile(join(dataDir, 'operator.token'), 'utf8')).trim();
  return {
    url,
    token,
    dataDir,
    api: createApiClient({ baseUrl: url, token }),
    firstOwnerLink: async () => (await readFile(join(dataDir, 'first-owner.link'), 'utf8')).trim(),
    log: () => control.log(),
    async stop() {
      await control.stop();
      await Promise.all([lake.stop(), postgres.stop()]);
      const elsewhere = (await readFile(join(dataDir, 'postgres', 'postgres.location'), 'utf8').catch(() => '')).trim();
      if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
