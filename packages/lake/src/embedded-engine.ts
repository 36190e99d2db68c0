import type { Session } from 'chdb';

/**
 * chDB behind slots. One session runs one statement at a time, so each request opens its own session on the shared
 * path (0.8 ms): it also leaves no setting, parameter or read-only mark for the next one. Reads and writes have slots
 * of their own, so that heavy searches can't hold up ingest.
 */

export interface EngineLimits {
  readonly readSlots: number;
  readonly writeSlots: number;
  readonly waitersMax: number;
  readonly queryMemoryBytesMax: number;
  readonly querySecondsMax: number;
  readonly resultBytesMax: number;
}

export interface EngineRequest {
  readonly sql: string;
  readonly database: string;
  readonly format: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values for `{name:Type}`, in ClickHouse's escaped text form, as they come over HTTP. */
  readonly params: ReadonlyMap<string, string>;
  readonly write: boolean;
}

export interface EngineInsert {
  readonly table: string;
  readonly database: string;
  readonly columns?: readonly string[];
  readonly format: string;
  readonly body: Buffer;
  readonly settings: ReadonlyMap<string, string>;
}

export interface EngineResult {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly elapsedNs: number;
}

export interface Engine {
  query(request: EngineRequest): Promise<EngineResult>;
  insert(insert: EngineInsert): Promise<EngineResult>;
  /** Lower-case names of all table functions the engine knows. */
  readonly tableFunctions: ReadonlySet<string>;
  readonly version: string;
  close(): Promise<void>;
}

/** The engine's error in the wire form of ClickHouse: `Code: 62. DB::Exception: ... (SYNTAX_ERROR)`. */
export class EngineError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Bound values are part of what the parser reads, twice as long in hexadecimal; the default is 256 KiB. */
const SQL_BYTES_MAX = 16 * 1_048_576;
const SETTING_NAME = /^[a-z][a-z0-9_]*$/;
const PARAM_NAME = /^[A-Za-z_]\w*$/;
const DATABASE_NAME = /^[A-Za-z_]\w*$/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

function quote(value: string): string {
  return NUMBER.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A hexadecimal literal can't end early, whatever the bytes: nothing of a value is ever read as SQL. */
function hexLiteral(value: string): string {
  return value === '' ? "''" : `x'${Buffer.from(value).toString('hex')}'`;
}

function lowerOf(value: string | undefined, max: number): string {
  const asked = Number(value);
  return String(Number.isFinite(asked) && asked > 0 ? Math.min(asked, max) : max);
}

/** The statements that set a fresh session up; `readonly` last, because it locks the others. */
export function sessionPrefix(request: Omit<EngineRequest, 'format' | 'write'>, limits: EngineLimits): string {
  if (!DATABASE_NAME.test(request.database)) throw new EngineError(81, 'The database name is not taken here.');
  const parts: string[] = [];
  for (const [name, value] of request.params) {
    if (!PARAM_NAME.test(name)) throw new EngineError(62, 'A parameter name is not taken here.');
    parts.push(`param_${name} = ${hexLiteral(value)}`);
  }
  const settings = new Map(request.settings);
  settings.set('max_execution_time', lowerOf(settings.get('max_execution_time'), limits.querySecondsMax));
  settings.set('max_memory_usage', lowerOf(settings.get('max_memory_usage'), limits.queryMemoryBytesMax));
  settings.set('max_result_bytes', lowerOf(settings.get('max_result_bytes'), limits.resultBytesMax));
  if (!settings.has('async_insert')) settings.set('async_insert', '0');
  const readonly = settings.get('readonly');
  settings.delete('readonly');
  for (const [name, value] of settings) {
    if (!SETTING_NAME.test(name)) throw new EngineError(115, 'A setting name is not taken here.');
    parts.push(`${name} = ${quote(value)}`);
  }
  // `default` is an overlay over the file system: nothing may resolve in it.
  const database = request.database === 'default' ? 'system' : request.database;
  const lock = readonly !== undefined && readonly !== '0' ? ', readonly = 1' : '';
  return `USE ${database}; SET ${parts.join(', ')}${lock}; `;
}

class Slots {
  readonly #waiters: (() => void)[] = [];
  readonly #waitersMax: number;
  #free: number;

  constructor(count: number, waitersMax: number) {
    this.#free = count;
    this.#waitersMax = waitersMax;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else {
      if (this.#waiters.length >= this.#waitersMax) throw new EngineError(202, 'Too many simultaneous queries.');
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiters.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

const CODE = /^Code: (\d+)\./;

function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = Number(CODE.exec(message)?.[1] ?? 1001);
  return new EngineError(
    code,
    message
      .replace(CODE, '')
      .replace(/^\s*DB::Exception:\s*/, '')
      .trim(),
  );
}

/** Opens the data directory; throws while another process still holds its lock. */
export async function openEngine(dataDir: string, databases: readonly string[], limits: EngineLimits): Promise<Engine> {
  const { Session: ChdbSession, drainPending } = await import('chdb');
  // Holds the engine open between requests: when the last session closes, chDB shuts down.
  const keeper: Session = new ChdbSession(dataDir, { connectionArgs: [`--max_query_size=${SQL_BYTES_MAX}`] });
  for (const database of databases) await keeper.queryAsync(`CREATE DATABASE IF NOT EXISTS ${database}`);
  const listed = await keeper.queryAsync('SELECT lower(name) FROM system.table_functions', { format: 'TSV' });
  const tableFunctions = new Set(listed.text().split('\n').filter(Boolean));
  const version = (await keeper.queryAsync('SELECT version()', { format: 'TSV' })).text().trim();
  const reads = new Slots(limits.readSlots, limits.waitersMax);
  const writes = new Slots(limits.writeSlots, limits.waitersMax);

  async function withSession<T>(slots: Slots, work: (session: Session) => Promise<T>): Promise<T> {
    return slots.run(async () => {
      const session = new ChdbSession(dataDir);
      try {
        return await work(session);
      } catch (error) {
        throw toEngineError(error);
      } finally {
        session.close();
      }
    });
  }

  return {
    tableFunctions,
    version,
    query(request) {
      return withSession(request.write ? writes : reads, async (session) => {
        const sql = sessionPrefix(request, limits) + request.sql;
        const result = await session.queryAsync(sql, { format: request.format });
        return {
          bytes: result.bytes(),
          rowsRead: result.rowsRead,
          rowsWritten: 0,
          elapsedNs: Math.round(result.elapsed * 1e9),
        };
      });
    },
    insert(insert) {
      return withSession(writes, async (session) => {
        const result = await session.insert({
          table: insert.table.includes('.') ? insert.table : `${insert.database}.${insert.table}`,
          values: insert.body,
          format: insert.format as 'JSONEachRow', // chDB checks it against its own list
          ...(insert.columns && { columns: insert.columns }),
          settings: {
            async_insert: 0,
            max_execution_time: limits.querySecondsMax,
            ...Object.fromEntries(insert.settings),
          },
        });
        return {
          bytes: new Uint8Array(),
          rowsRead: 0,
          rowsWritten: result.rowsWritten,
          elapsedNs: Math.round(result.elapsed * 1e9),
        };
      });
    },
    async close() {
      keeper.close();
      await drainPending();
    },
  };
}
