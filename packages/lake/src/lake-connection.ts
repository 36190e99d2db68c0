import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { LakeUnavailable, SearchTooHeavy } from './errors.ts';

/** The lake's own wire: ClickHouse over HTTP, whether a server, a cluster or the embedded engine answers. */
export interface LakeConnection {
  readonly database: string;
  /** Rows of a query; `params` are bound by the server to `{name:Type}` and never become SQL. */
  rows<Row>(sql: string, params: QueryParams, options?: QueryOptions): Promise<Row[]>;
  /** The answer to a query as a file of a format that the engine writes. */
  file(sql: string, params: QueryParams, format: 'Parquet', secondsMax: number): Promise<Readable>;
  command(sql: string): Promise<void>;
  /** An INSERT … SELECT with bound parameters; resolves when the rows are stored, on every shard. */
  write(sql: string, params: QueryParams, secondsMax: number): Promise<void>;
  /** A mutation with bound parameters; resolves when every part is rewritten, on every replica. */
  change(sql: string, params: QueryParams): Promise<void>;
  /** Makes the database, over a connection of its own: every other one needs it to be there. */
  createDatabase(onCluster: string): Promise<void>;
  /** Bulk insert of ready lines; resolves when the server has them on disk. */
  insert(
    table: string,
    columns: readonly [string, ...string[]],
    format: 'JSONEachRow' | 'JSONCompactEachRow',
    lines: readonly string[],
    settings?: ClickHouseSettings,
  ): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

export type QueryParams = Readonly<Record<string, string | number | readonly string[] | readonly number[]>>;

export interface QueryOptions {
  readonly secondsMax?: number;
  readonly memoryBytesMax?: number;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

const SEARCH_SECONDS_MAX = 20;
const SEARCH_MEMORY_BYTES_MAX = 1_500_000_000;
const CONNECTIONS_MAX = 24;
const REQUEST_MS_MAX = 130_000;
const INSERT_SECONDS_MAX = 60;
const MUTATION_SECONDS_MAX = 120;

/** ClickHouse error codes that mean "this query asked for too much": time, speed, rows, bytes or memory. */
const TOO_HEAVY = new Set(['158', '159', '160', '241', '307', '396']);

function hasCode(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function toLakeError(error: unknown): Error {
  if (hasCode(error) && TOO_HEAVY.has(error.code)) {
    return new SearchTooHeavy(
      'The search took more time or memory than one search may. Shorten the time range, or add a filter on a field such as app or integration.',
      { engine_code: error.code },
      error,
    );
  }
  return new LakeUnavailable('The lake did not do what was asked of it.', {}, error);
}

/** Loads the client only here, so that a process that merely builds events doesn't carry it. */
export async function connectLake(options: ConnectionOptions): Promise<LakeConnection> {
  const { createClient, ClickHouseLogLevel } = await import('@clickhouse/client');
  const server = {
    url: options.url,
    username: options.username,
    password: options.password,
    application: 'cordon',
    log: { level: ClickHouseLogLevel.OFF },
  };
  const client: ClickHouseClient = createClient({
    ...server,
    database: options.database,
    max_open_connections: CONNECTIONS_MAX,
    request_timeout: REQUEST_MS_MAX,
    use_multipart_params_auto: true,
  });
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toLakeError(error);
    }
  };

  return {
    database: options.database,
    rows<Row>(sql: string, params: QueryParams, limits: QueryOptions = {}) {
      return guard(async () => {
        const result = await client.query({
          query: sql,
          format: 'JSONEachRow',
          query_params: { ...params },
          clickhouse_settings: {
            readonly: '1',
            max_execution_time: limits.secondsMax ?? SEARCH_SECONDS_MAX,
            max_memory_usage: String(limits.memoryBytesMax ?? SEARCH_MEMORY_BYTES_MAX),
            output_format_json_quote_64bit_integers: 0,
          },
        });
        return await result.json<Row>();
      });
    },
    file: (sql, params, format, secondsMax) =>
      guard(async () => {
        const { stream } = await client.exec({
          query: `${sql} FORMAT ${format}`,
          query_params: { ...params },
          clickhouse_settings: {
            readonly: '1',
            max_execution_time: secondsMax,
            max_memory_usage: String(SEARCH_MEMORY_BYTES_MAX),
          },
        });
        return stream;
      }),
    command: (sql) =>
      guard(async () => {
        await client.command({ query: sql });
      }),
    write: (sql, params, secondsMax) =>
      guard(async () => {
        await client.command({
          query: sql,
          query_params: { ...params },
          clickhouse_settings: {
            max_execution_time: secondsMax,
            max_memory_usage: String(SEARCH_MEMORY_BYTES_MAX),
            distributed_foreground_insert: 1,
          },
        });
      }),
    change: (sql, params) =>
      guard(async () => {
        await client.command({
          query: sql,
          query_params: { ...params },
          clickhouse_settings: { mutations_sync: '2', max_execution_time: MUTATION_SECONDS_MAX },
        });
      }),
    createDatabase: (onCluster) =>
      guard(async () => {
        const bare = createClient({ ...server, max_open_connections: 1 });
        try {
          await bare.command({ query: `CREATE DATABASE IF NOT EXISTS ${options.database}${onCluster}` });
        } finally {
          await bare.close();
        }
      }),
    insert: (table, columns, format, lines, settings) =>
      guard(async () => {
        // `insert` would encode each row again; these are encoded.
        const { stream } = await client.exec({
          query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT ${format}`,
          values: Readable.from([Buffer.from(`${lines.join('\n')}\n`)], { objectMode: false }),
          clickhouse_settings: { async_insert: 0, max_execution_time: INSERT_SECONDS_MAX, ...settings },
        });
        await finished(stream.resume());
      }),
    async ping() {
      const result = await client.ping({ select: true });
      return result.success;
    },
    close: () => client.close(),
  };
}
