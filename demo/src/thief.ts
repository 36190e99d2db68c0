import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const reportSchema = z.object({ url: z.string(), status: z.int(), at: z.number(), reason: z.string() });
export type ThiefReport = z.infer<typeof reportSchema>;

export interface Thief {
  readonly reports: readonly ThiefReport[];
  /** Resolves when `done` says so of what was reported so far, or rejects after `timeMsMax`. */
  until(done: (reports: readonly ThiefReport[]) => boolean, timeMsMax: number): Promise<boolean>;
  stop(): void;
}

/** Another process, elsewhere, that uses a stolen token over and over at the given URLs. */
export function startThief(orders: { urls: readonly string[]; token: string; ca?: string }): Thief {
  const child = fork(fileURLToPath(new URL('./thief-process.ts', import.meta.url)), [], {
    stdio: 'ignore',
    env: {},
    execArgv: [],
  });
  const reports: ThiefReport[] = [];
  const watchers = new Set<() => void>();
  const onChange = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.on('message', (message: unknown) => {
    reports.push(reportSchema.parse(message));
    onChange();
  });
  child.once('exit', onChange);
  child.send(orders);
  return {
    reports,
    until: (done, timeMsMax) =>
      new Promise((resolve) => {
        const finish = (met: boolean): void => {
          clearTimeout(timer);
          watchers.delete(check);
          resolve(met);
        };
        const check = (): void => {
          if (done(reports)) finish(true);
          else if (child.exitCode !== null) finish(false);
        };
        const timer = setTimeout(() => finish(false), timeMsMax);
        watchers.add(check);
        check();
      }),
    stop: () => {
      if (child.connected) child.disconnect();
    },
  };
}
