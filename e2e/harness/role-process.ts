import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const START_MS_MAX = 120_000;
const STOP_MS_MAX = 40_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One role, started alone as an orchestrator would: everything by environment, ended by SIGTERM. */
export interface RoleProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  log(): string;
  /** SIGTERM; resolves with how it ended. */
  stop(): Promise<Ended>;
}

type Environment = Readonly<Record<string, string>>;

function launch(args: readonly string[], env: Environment, cwd: string): { child: ChildProcess; log: () => string } {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return { child, log: () => lines.join('\n') };
}

/** Resolves when the role says that it is ready, or what else `until` names. */
export async function startRole(role: string, env: Environment, cwd: string, until = 'ready'): Promise<RoleProcess> {
  const { child, log } = launch(['role', role], env, cwd);
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal }));
  const ready = Promise.withResolvers<void>();
  child.stdout?.on('data', () => {
    if (log().includes(`"msg":"${until}`)) ready.resolve();
  });
  void ended.then(({ code }) => ready.reject(new Error(`role ${role} ended at its start with ${code}:\n${log()}`)));
  const timer = setTimeout(() => {
    ready.reject(new Error(`role ${role} was not ready in time:\n${log()}`));
    child.kill('SIGKILL');
  }, START_MS_MAX);
  await ready.promise.finally(() => clearTimeout(timer));
  return {
    pid: child.pid ?? 0,
    ended,
    log,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      const result = await ended;
      clearTimeout(late);
      return result;
    },
  };
}

/** Runs a command of the program to its end, as a person would. */
export async function runCordon(
  args: readonly string[],
  env: Environment,
  cwd: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
