import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@cordon/kernel';
import { descriptionOf } from './descriptions.ts';
import { EstateFailed } from './errors.ts';
import { type Answer, answerSchema, type Command } from './estate-protocol.ts';
import type { VendorReport } from './vendor-shim.ts';
import { type AppName, VENDORS } from './vendors.ts';

const START_MS_MAX = 60_000;
const ANSWER_MS_MAX = 5_000;
const STOP_MS_MAX = 3_000;

/** How an integration's SDK can reach the app: some drop a path prefix, one insists on TLS. */
export type ListenerKind = 'prefix' | 'port' | 'tls-port';

/** One emulated SaaS tool, with what Cordon needs to know to stand in front of it. */
export interface EmulatedApp {
  readonly name: AppName;
  readonly title: string;
  /** The upstream URL: scheme, host, port. Paths of the description follow it directly. */
  readonly baseUrl: string;
  /** File of the OpenAPI description (YAML or JSON). */
  readonly openapi: URL;
  /** The vendor's own secret, sent as `Authorization: <scheme> <secret>`. Only the gateway may hold it. */
  readonly credential: {
    readonly header: 'authorization';
    readonly scheme: 'Bearer' | 'SSWS';
    readonly secret: string;
  };
  /** The listener that the vendor's SDK needs. */
  readonly listener: ListenerKind;
}

export interface Estate {
  readonly apps: readonly EmulatedApp[];
  app(name: AppName): EmulatedApp;
  /** From now on, these texts must not reach any vendor; the reports count it when one does. */
  forbid(tokens: readonly string[]): Promise<void>;
  /** How many requests each vendor saw, and what reached it that must not have. */
  reports(): Promise<readonly VendorReport[]>;
  stop(): Promise<void>;
}

export interface EstateOptions {
  /** First of six adjacent loopback ports; free ports when absent. */
  readonly portBase?: number;
  readonly logger: Logger;
  /** Stops the estate when aborted. */
  readonly signal?: AbortSignal;
  /** The same seed gives the same people, secrets and credentials; random when absent. */
  readonly seed?: string;
  /** PEM texts of a certificate for localhost: Microsoft Graph is then served over TLS, as its SDK insists. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const LISTENERS: Readonly<Record<AppName, ListenerKind>> = {
  github: 'prefix',
  slack: 'prefix',
  google: 'port',
  stripe: 'port',
  okta: 'prefix',
  microsoft: 'tls-port',
};

/** A child process that answers; one wait at a time for each kind of answer. */
class EstateChild {
  readonly #child: ChildProcess;
  #reportId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  ask<K extends Answer['kind']>(command: Command, wanted: K, timeMsMax: number): Promise<Answer & { kind: K }> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      const fail = (message: string): void => {
        finish();
        reject(new EstateFailed(message));
      };
      const timer = setTimeout(
        () => fail(`the emulated estate gave no answer to ${command.kind} in ${timeMsMax} ms`),
        timeMsMax,
      );
      const onExit = (code: number | null): void => fail(`the emulated estate ended with code ${code ?? 'none'}`);
      const onMessage = (raw: unknown): void => {
        const answer = answerSchema.parse(raw);
        if (answer.kind === 'failed') return fail(`the emulated estate failed: ${answer.message}`);
        if (answer.kind !== wanted) return undefined;
        if (answer.kind === 'reported' && command.kind === 'report' && answer.id !== command.id) return undefined;
        finish();
        // Narrowed by the comparison with `wanted`, which TypeScript cannot follow through a generic.
        return resolve(answer as Answer & { kind: K });
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send(command);
    });
  }

  async reports(): Promise<readonly VendorReport[]> {
    const { reports } = await this.ask({ kind: 'report', id: (this.#reportId += 1) }, 'reported', ANSWER_MS_MAX);
    return reports;
  }

  /** Ends the process; sure to be gone when it resolves. */
  stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      if (child.connected) child.disconnect();
      else child.kill('SIGTERM');
    });
  }
}

/**
 * Starts the emulated SaaS estate in a child process that ends with this one.
 * Throws `EstateFailed` when a port is taken or an emulator does not come up.
 */
export async function startEstate(options: EstateOptions): Promise<Estate> {
  options.signal?.throwIfAborted();
  const forked = fork(fileURLToPath(new URL('./estate-process.ts', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {},
    // Options of this process, such as a debugger's port, are not meant for the child.
    execArgv: [],
  });
  const child = new EstateChild(forked);
  forked.stderr?.on('data', (chunk: Buffer) =>
    options.logger.warn({ text: chunk.toString('utf8').trim() }, 'emulated estate'),
  );
  options.signal?.addEventListener('abort', () => void child.stop(), { once: true });
  const command: Command = {
    kind: 'start',
    seed: options.seed ?? randomUUID(),
    ...(options.portBase === undefined ? {} : { portBase: options.portBase }),
    ...(options.tls ? { tls: options.tls } : {}),
  };
  const started = await child.ask(command, 'started', START_MS_MAX).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  const apps = started.apps.map(({ name, origin, secret }): EmulatedApp => ({
    name,
    title: VENDORS[name].title,
    baseUrl: origin,
    openapi: descriptionOf(name),
    credential: { header: 'authorization', scheme: VENDORS[name].scheme, secret },
    listener: LISTENERS[name],
  }));
  options.logger.info({ apps: apps.map((app) => `${app.name} ${app.baseUrl}`) }, 'emulated estate is up');
  return {
    apps,
    app: (name) => {
      const app = apps.find((each) => each.name === name);
      if (!app) throw new EstateFailed(`no emulated app ${name}`);
      return app;
    },
    forbid: async (tokens) => {
      await child.ask({ kind: 'forbid', tokens: [...tokens] }, 'forbidden', ANSWER_MS_MAX);
    },
    reports: () => child.reports(),
    stop: () => child.stop(),
  };
}
