import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, startEmbeddedPostgres } from '@cordon/kernel';
import { TEST_DATABASE_VARIABLE } from '@cordon/kernel/testing';

/** Vitest global setup: one PostgreSQL for all database tests, gone afterwards. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env[TEST_DATABASE_VARIABLE]) return async () => undefined;
  const dataDir = await mkdtemp(join(tmpdir(), 'cordon-test-db-'));
  const logger = createLogger({ role: 'test', level: 'warn' });
  const postgres = await startEmbeddedPostgres({ dataDir, logger, unsafeFast: true });
  process.env[TEST_DATABASE_VARIABLE] = postgres.url;
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
