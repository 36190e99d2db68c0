import type { Logger } from '@cordon/kernel';

const FAILURE_MS_MAX = 5_000;

export interface Repeating {
  /** Runs soon, without waiting for the interval. */
  nudge(): void;
  stop(): Promise<void>;
}

/** Runs a duty again and again, never twice at once; a failure is logged and tried again with back-off. */
export function repeat(name: string, everyMs: number, logger: Logger, duty: () => Promise<unknown>): Repeating {
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let again = false;
  let failures = 0;

  const run = async (): Promise<void> => {
    try {
      await duty();
      failures = 0;
    } catch (error) {
      failures += 1;
      logger.warn({ err: error, duty: name, failures }, 'a duty failed; trying again');
    }
  };
  const schedule = (ms: number): void => {
    if (stopped) return;
    timer = setTimeout(start, ms);
  };
  function start(): void {
    if (running || stopped) return;
    running = run().finally(() => {
      running = null;
      const soon = again && failures === 0;
      again = false;
      schedule(soon ? 0 : failures > 0 ? Math.min(FAILURE_MS_MAX, everyMs * 2 ** failures) : everyMs);
    });
  }

  schedule(0);
  return {
    nudge() {
      if (running) again = true;
      else if (!stopped) {
        if (timer) clearTimeout(timer);
        start();
      }
    },
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
}
