import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ApiClient, createApiClient } from '@cordon/client';
import { freePorts } from './free-ports.ts';

const PROGRAM = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const START_MS_MAX = 150_000;
const STOP_MS_MAX = 60_000;

/** The real program, started as a person would, on ports and a data directory of its own. */
export interface RunningCordon {
  readonly url: string;
  readonly token: string;
  readonly api: ApiClient;
  readonly dataDir: string;
  /** `http://127.0.0.1:port` of the plain listener that all gateway processes share. */
  readonly gateway: string;
  /** The same of each gateway process alone. */
  readonly gateways: readonly string[];
  readonly ports: Ports;
  /** Process ids by role, as they are now. */
  pids(role: ProcessName): Promise<number[]>;
  firstOwnerLink(): Promise<string>;
  log(): string;
  /** Ends the program (SIGTERM), keeping its data, and starts it again on the same data. */
  restart(): Promise<RunningCordon>;
  stop(): Promise<void>;
}

export type ProcessName = 'supervisor' | 'control' | 'worker' | 'gateway' | 'lake' | 'postgres';

export interface Ports {
  readonly control: number;
  readonly gateway: number;
  readonly plain: number;
  readonly worker: number;
  readonly lake: number;
  readonly metrics: number;
  readonly process: number;
  /** HTTPS that asks for client certificates. */
  readonly mtls: number;
}

const MARKS: Readonly<Record<Exclude<ProcessName, 'supervisor'>, string>> = {
  control: 'role\0control',
  worker: 'role\0worker',
  gateway: 'role\0gateway',
  lake: 'lake-process.ts',
  postgres: '/bin/postgres\0-D',
};

async function choosePorts(): Promise<Ports> {
  const first = await freePorts(15);
  return {
    control: first,
    gateway: first + 1,
    plain: first + 2,
    worker: first + 3,
    lake: first + 4,
    metrics: first + 5,
    process: first + 9,
    mtls: first + 14,
  };
}

export interface StartOptions {
  readonly processes?: number;
  readonly env?: Readonly<Record<string, string>> | ((ports: Ports) => Readonly<Record<string, string>>);
}

async function launch(dataDir: string, ports: Ports, options: StartOptions): Promise<RunningCordon> {
  const processes = options.processes ?? 2;
  const child = spawn(process.execPath, [PROGRAM, 'up'], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'] ?? '',
      CORDON_DATA_DIR: dataDir,
      CORDON_LOG_LEVEL: 'info',
      CORDON_CONTROL_PORT: String(ports.control),
      CORDON_CONTROL_MTLS_PORT: String(ports.mtls),
      CORDON_GATEWAY_PORT: String(ports.gateway),
      CORDON_GATEWAY_PLAIN_PORT: String(ports.plain),
      CORDON_GATEWAY_PROCESS_PORT: String(ports.process),
      CORDON_GATEWAY_METRICS_PORT: String(ports.metrics),
      CORDON_GATEWAY_PROCESSES: String(processes),
      CORDON_WORKER_PORT: String(ports.worker),
      CORDON_LAKE_PORT: String(ports.lake),
      ...(typeof options.env === 'function' ? options.env(ports) : options.env),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('Ready after')) ready.resolve();
    });
  }
  const log = (): string => lines.join('\n');
  child.once('exit', (code) => ready.reject(new Error(`cordon up ended with ${code}:\n${log()}`)));
  const timer = setTimeout(() => ready.reject(new Error(`cordon up was not ready in time:\n${log()}`)), START_MS_MAX);
  await ready.promise.finally(() => clearTimeout(timer));
  const token = (await readFile(join(dataDir, 'operator.token'), 'utf8')).trim();
  const url = `http://localhost:${ports.control}`;
  return {
    url,
    token,
    dataDir,
    ports,
    log,
    api: createApiClient({ baseUrl: url, token }),
    gateway: `http://127.0.0.1:${ports.plain}`,
    gateways: Array.from({ length: processes }, (_, index) => `http://127.0.0.1:${ports.process + index}`),
    pids: (role) =>
      role === 'supervisor' ? Promise.resolve([child.pid ?? 0]) : childrenOf(child.pid ?? 0, MARKS[role]),
    firstOwnerLink: async () => (await readFile(join(dataDir, 'first-owner.link'), 'utf8')).trim(),
    async restart() {
      await end(child);
      return launch(dataDir, ports, options);
    },
    async stop() {
      await end(child);
      const elsewhere = (await readFile(join(dataDir, 'postgres.location'), 'utf8').catch(() => '')).trim();
      if (elsewhere.startsWith('/var/lib/cordon/')) await rm(elsewhere, { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}

/** Children of a process whose command line holds a mark; read from /proc, so that the test sees what runs. */
async function childrenOf(parent: number, mark: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [status, command] = await Promise.all([
      readFile(`/proc/${name}/status`, 'utf8').catch(() => ''),
      readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''),
    ]);
    if (status.includes(`\nPPid:\t${parent}\n`) && command.includes(mark)) found.push(Number(name));
  }
  return found;
}

export async function startCordon(options: StartOptions = {}): Promise<RunningCordon> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cordon-e2e-'));
  return launch(dataDir, await choosePorts(), options);
}
