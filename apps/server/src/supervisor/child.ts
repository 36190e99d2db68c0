import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Logger } from '@cordon/kernel';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;
/** A process that lived this long had started well: its next restart is quick again. */
const STABLE_MS = 30_000;
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 25_000;

/** Something the supervisor keeps running: a forked role, the lake or PostgreSQL. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

export interface Kept {
  readonly name: string;
  pid(): number | null;
  readonly restarts: () => number;
  stop(): Promise<void>;
}

/** Starts something and starts it again with back-off whenever it ends by itself. Resolves after the first start. */
export async function keepRunning(name: string, start: () => Promise<Running>, logger: Logger): Promise<Kept> {
  let current: Running | null = null;
  let stopped = false;
  let restarts = 0;
  let backoff = BACKOFF_MS_MIN;
  let wake: (() => void) | null = null;

  const pause = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    wake = resolve;
    await promise;
    clearTimeout(timer);
    wake = null;
  };
  const watch = async (first: Running): Promise<void> => {
    let running: Running | null = first;
    for (;;) {
      if (running) {
        const since = Date.now();
        current = running;
        await running.exited;
        current = null;
        if (stopped) return;
        if (Date.now() - since > STABLE_MS) backoff = BACKOFF_MS_MIN;
        logger.error({ process: name, pid: running.pid }, 'a process ended unexpectedly; starting it again');
      }
      await pause(backoff);
      if (stopped) return;
      backoff = Math.min(backoff * 2, BACKOFF_MS_MAX);
      restarts += 1;
      try {
        running = await start();
        if (stopped) await running.stop();
      } catch (error) {
        running = null;
        logger.error({ err: error, process: name }, 'a process could not be started again; trying later');
      }
    }
  };

  const first = await start();
  const watching = watch(first);
  return {
    name,
    pid: () => current?.pid ?? null,
    restarts: () => restarts,
    async stop() {
      stopped = true;
      wake?.();
      await current?.stop();
      await watching;
    },
  };
}

/** Forks this program as one role and resolves when it says that it is ready. */
export async function forkRole(input: {
  readonly program: string;
  readonly role: string;
  readonly config: unknown;
}): Promise<Running> {
  const child = fork(input.program, ['role', input.role], {
    env: { TZ: 'UTC', NODE_ENV: 'production' },
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A process group of its own: Ctrl-C in a terminal reaches only the supervisor, which ends roles in order.
    detached: true,
  });
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<void>();
  child.once('message', () => ready.resolve());
  child.once('error', (error) => ready.reject(error));
  void exited.then(([code, signal]: unknown[]) =>
    ready.reject(new Error(`role ${input.role} ended at its start (${String(code ?? signal)}); its log says why`)),
  );
  const timer = setTimeout(() => ready.reject(new Error(`role ${input.role} was not ready in time`)), READY_MS_MAX);
  child.send(input.config as object);
  try {
    await ready.promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { pid: child.pid ?? 0, exited, stop: () => endChild(child, exited) };
}

async function endChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}
