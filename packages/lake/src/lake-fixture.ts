import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createLogger, systemClock } from '@cordon/kernel';
import { type Lake, openLake } from './lake.ts';
import { type LakeProcess, spawnLake } from './lake-spawn.ts';

/** A lake on an engine of its own in a folder of its own, for database tests and benchmarks. */
export interface TestLake {
  readonly lake: Lake;
  readonly process: LakeProcess;
  readonly password: string;
  readonly dataDir: string;
  /** Kills the engine outright and starts it again on the same folder and port. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

export async function createTestLake(options: { readonly clock?: Clock } = {}): Promise<TestLake> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cordon-lake-'));
  const password = randomBytes(16).toString('hex');
  const logger = createLogger({ role: 'lake-test', level: 'error' });
  let engine = await spawnLake({ dataDir, port: 0, password, logger });
  const lake = await openLake({ url: engine.url, password, logger, clock: options.clock ?? systemClock });
  return {
    lake,
    password,
    dataDir,
    get process() {
      return engine;
    },
    async crash() {
      process.kill(engine.pid, 'SIGKILL');
      await engine.exited;
      engine = await spawnLake({ dataDir, port: engine.port, password, logger });
    },
    async close() {
      await lake.close();
      await engine.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
