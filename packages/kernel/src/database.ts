import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { PostgresUnavailable } from './errors.ts';
import type { Logger } from './logger.ts';

const CONNECTIONS_MAX = 10;
const CONNECT_MS_MAX = 10_000;
const STATEMENT_MS_MAX = 30_000;
const RELISTEN_MS = 500;
/** PostgreSQL refuses NOTIFY payloads of 8000 bytes and more. */
export const NOTIFY_BYTES_MAX = 7_900;

// int8 arrives as text by default; our counters and millisecond times stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, (value) => Number(value));

export interface DatabaseOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly connectionsMax?: number;
}

/** What a store needs: typed tables and notifications, inside or outside a transaction. */
export interface Queryable {
  /** The caller names the tables it owns; the type is a claim about its own migrations. */
  tables<Tables>(): Kysely<Tables>;
  notify(channel: string, payload: string): Promise<void>;
}

export interface Transaction extends Queryable {
  readonly inTransaction: true;
}

export interface Database extends Queryable {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Calls back on each NOTIFY and once after every reconnect (payload `null`: something may have been missed). */
  listen(channel: string, onMessage: (payload: string | null) => void): Promise<{ stop(): Promise<void> }>;
  ping(): Promise<void>;
  close(): Promise<void>;
  readonly url: string;
}

function queryable(kysely: Kysely<unknown>): Queryable {
  return {
    tables: <Tables>() => kysely as unknown as Kysely<Tables>, // each package names only tables of its own migrations
    notify: async (channel, payload) => {
      await kysely.executeQuery(CompiledQuery.raw('select pg_notify($1, $2)', [channel, payload]));
    },
  };
}

export function openDatabase({ url, logger, connectionsMax = CONNECTIONS_MAX }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    application_name: 'cordon',
    keepAlive: true,
  });
  // An idle connection that breaks (PostgreSQL restarted) is replaced by the pool; without a listener it would crash us.
  pool.on('error', (error) => logger.warn({ err: error }, 'a pooled database connection broke'));
  // The pool listens only while a connection is idle: one that breaks in use, between two statements of a transaction,
  // would end the process. Whoever uses it learns of the break from its next statement.
  pool.on('connect', (client) => client.on('error', (error) => logger.debug({ err: error }, 'a connection broke')));
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const listeners = new Set<{ stop(): Promise<void> }>();

  return {
    url,
    ...queryable(kysely),
    transaction: (work) =>
      kysely.transaction().execute((trx) => work({ ...queryable(trx as Kysely<unknown>), inTransaction: true })),
    async listen(channel, onMessage) {
      const listener = await startListener(url, channel, onMessage, logger);
      listeners.add(listener);
      return listener;
    },
    async ping() {
      try {
        await sql`select 1`.execute(kysely);
      } catch (cause) {
        throw new PostgresUnavailable('PostgreSQL does not answer.', {}, cause);
      }
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.stop()));
      await kysely.destroy();
    },
  };
}

async function startListener(
  url: string,
  channel: string,
  onMessage: (payload: string | null) => void,
  logger: Logger,
): Promise<{ stop(): Promise<void> }> {
  let stopped = false;
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | null = null;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: `cordon listen ${channel}`,
      keepAlive: true,
    });
    // 'error' and 'end' both tell of one loss, and both also fire when connecting fails, which the caller sees itself:
    // only an established connection may schedule a reconnect, and only once, or they would multiply.
    let established = false;
    const onLost = (error?: Error): void => {
      if (stopped || !established) return;
      established = false;
      logger.warn({ err: error, channel }, 'lost the notification connection; reconnecting');
      void next.end().catch(() => undefined);
      schedule();
    };
    next.on('error', onLost);
    next.on('end', () => onLost());
    next.on('notification', (message) => onMessage(message.payload ?? ''));
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      void next.end().catch(() => undefined);
      throw error;
    }
    established = true;
    client = next;
  };
  const schedule = (): void => {
    if (stopped) return;
    retry = setTimeout(() => {
      connect().then(
        () => onMessage(null),
        () => schedule(),
      );
    }, RELISTEN_MS);
  };

  await connect();
  return {
    async stop() {
      stopped = true;
      if (retry) clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
