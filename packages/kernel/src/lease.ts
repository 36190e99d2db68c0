import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from './logger.ts';

const RETRY_MS = 500;
/** How long a holder whose connection broke hears "held by another" before it believes it: that may be its own old session. */
const REGAIN_MS_MAX = 15_000;
const KEEP_ALIVE_MS = 5_000;

export interface Lease {
  /** Gives the lease to whoever waits for it. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly url: string;
  /** Whoever asks for the same name in the same database waits for the same lease. */
  readonly name: string;
  readonly logger: Logger;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Called once when another process holds the lease now: the caller must stop what the lease guards. */
  readonly onLost: () => void;
  /** Only for tests: a shorter wait than `REGAIN_MS_MAX`. */
  readonly regainMs?: number;
}

/** One attempt: the connection that holds the lock, or null when somebody else has it. */
async function attempt({ url, name }: LeaseOptions): Promise<pg.Client | null> {
  const client = new pg.Client({
    connectionString: url,
    application_name: `cordon lease ${name}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  client.on('error', () => undefined); // 'end' follows
  try {
    await client.connect();
    const { rows } = await client.query<{ held: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as held',
      [`cordon lease ${name}`],
    );
    if (rows[0]?.held) return client;
    await client.end();
    return null;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * Waits until no other process holds the lease `name`, and holds it: a session lock of PostgreSQL, which ends with the
 * process that holds it, however that ends.
 *
 * When the connection breaks (PostgreSQL restarted) the holder tries to get it back and goes on meanwhile, so what the
 * lease guards must bear two holders for some seconds; `onLost` is called when it could not.
 */
export async function acquireLease(options: LeaseOptions): Promise<Lease> {
  const { name, logger, signal, onLost } = options;
  let held: pg.Client | null = null;
  let released = false;

  /** Null when another process held it for `msMax`. While the database is away nobody holds it, so that time is free. */
  const wait = async (msMax: number): Promise<pg.Client | null> => {
    for (let refused = 0; refused < msMax;) {
      if (released) break; // while this waited
      signal?.throwIfAborted();
      const answer = await attempt(options).catch((error: unknown) => {
        logger.debug({ err: error, lease: name }, 'asking for the lease failed');
        return 'away' as const;
      });
      if (answer !== null && answer !== 'away') return answer;
      if (answer === null && refused === 0)
        logger.info({ lease: name }, 'another process holds the lease; standing by');
      if (answer === null) refused += RETRY_MS;
      await pause(RETRY_MS, undefined, signal ? { signal } : {});
    }
    return null;
  };
  const keep = (client: pg.Client): void => {
    held = client;
    client.once('end', () => {
      if (released) return;
      logger.warn({ lease: name }, 'lost the connection that holds the lease; asking again');
      void regain();
    });
  };

  async function regain(): Promise<void> {
    // Aborted: nobody wants it any more.
    const again = await wait(options.regainMs ?? REGAIN_MS_MAX).catch(() => 'aborted' as const);
    if (again === 'aborted') return;
    if (again === null) {
      if (!released) onLost();
    } else if (released) await again.end().catch(() => undefined);
    else keep(again);
  }

  // The first question is asked plainly: a database that is away at the start is an error to report, not a wait.
  const first = (await attempt(options)) ?? (await wait(Infinity));
  if (first) keep(first);
  return {
    async release() {
      released = true;
      await held?.end().catch(() => undefined);
    },
  };
}
