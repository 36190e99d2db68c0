import { fork } from 'node:child_process';
import type { Logger } from '@cordon/kernel';
import { z } from 'zod';
import { LakeUnavailable } from './errors.ts';

export interface SpawnLakeOptions {
  /** The lake's own folder; made with mode 0700 when it is not there. */
  readonly dataDir: string;
  /** 0 takes a free port. To restart after a crash, pass the port that the first start reported: clients keep it. */
  readonly port: number;
  /** At least 16 characters; make a new one at each start of the supervisor. */
  readonly password: string;
  readonly username?: string;
  /** Databases to make; default `cordon`. */
  readonly databases?: readonly string[];
  readonly logger: Logger;
  /** Memory that one query may take; default 2 GiB. */
  readonly queryMemoryBytesMax?: number;
  /** Searches at once; default 6. Writes have 3 places of their own. */
  readonly readSlots?: number;
}

export interface LakeProcess {
  /** What `openLake` and `CLICKHOUSE_URL` take. */
  readonly url: string;
  readonly port: number;
  readonly username: string;
  readonly pid: number;
  /** Settles when the process has ended, for whatever reason; the supervisor decides what then. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Asks it to finish what is under way and end; kills it after 30 s. */
  stop(): Promise<void>;
}

const START_WAIT_MS_MAX = 60_000;
const STOP_WAIT_MS_MAX = 30_000;
const WRITE_SLOTS = 3;
const READ_SLOTS = 6;
const WAITERS_MAX = 200;
const GIBIBYTE = 1_073_741_824;
const QUERY_SECONDS_MAX = 120;
const RESULT_BYTES_MAX = GIBIBYTE / 2;

const answer = z.union([
  z.object({ ready: z.literal(true), port: z.int() }),
  z.object({ ready: z.literal(false), error: z.string() }),
]);

/**
 * Starts the embedded engine in a process of its own and resolves when it answers. Every statement holds one thread of
 * libuv's pool until it ends, so the pool is made larger than all slots together.
 */
export async function spawnLake(options: SpawnLakeOptions): Promise<LakeProcess> {
  const { dataDir, port, password, username = 'cordon', readSlots = READ_SLOTS } = options;
  const child = fork(new URL('./lake-process.ts', import.meta.url), [], {
    env: { UV_THREADPOOL_SIZE: String(readSlots + WRITE_SLOTS + 4), TZ: 'UTC' },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A process group of its own: Ctrl-C in a terminal must not end the lake before those who still write to it.
    detached: true,
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', (message) => {
      const result = answer.safeParse(message);
      if (result.success && result.data.ready) resolve(result.data.port);
      else reject(new LakeUnavailable('The lake could not start.', {}, result.success ? result.data : result.error));
    });
    void exited.then(({ code, signal }) =>
      reject(new LakeUnavailable('The lake ended at its start.', { code, signal })),
    );
    setTimeout(() => reject(new LakeUnavailable('The lake did not start in time.')), START_WAIT_MS_MAX).unref();
  });
  child.send({
    dataDir,
    port,
    username,
    password,
    databases: options.databases ?? ['cordon'],
    logLevel: options.logger.level,
    limits: {
      readSlots,
      writeSlots: WRITE_SLOTS,
      waitersMax: WAITERS_MAX,
      queryMemoryBytesMax: options.queryMemoryBytesMax ?? 2 * GIBIBYTE,
      querySecondsMax: QUERY_SECONDS_MAX,
      resultBytesMax: RESULT_BYTES_MAX,
    },
  });
  let actualPort: number;
  try {
    actualPort = await ready;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url: `http://127.0.0.1:${actualPort}`,
    port: actualPort,
    username,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS_MAX);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(timer);
    },
  };
}
