import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@cordon/kernel';
import { type Engine, EngineError, type EngineResult } from './embedded-engine.ts';
import { readStatement } from './embedded-guard.ts';
import { INSERT_BYTES_MAX, isAuthentic, readBody, readRequest, type WireRequest } from './embedded-request.ts';

const HEADER_BYTES_MAX = 65_536;
const HEADERS_WAIT_MS_MAX = 10_000;
const REQUEST_WAIT_MS_MAX = 120_000;
const DRAIN_WAIT_MS_MAX = 20_000;

/** ClickHouse's error codes that are not 500, after its `exceptionCodeToHTTPStatus`. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [194, 401],
  [516, 403],
  [497, 403],
  [164, 403],
  [60, 404],
  [81, 404],
  [46, 404],
  [47, 404],
  [50, 404],
  [115, 404],
  [62, 400],
  [6, 400],
  [26, 400],
  [27, 400],
  [41, 400],
  [53, 400],
  [72, 400],
  [117, 400],
  [456, 400],
  [457, 400],
  [307, 413],
  [48, 501],
  [202, 503],
]);

const TYPES: ReadonlyMap<number, string> = new Map([
  [48, 'NOT_IMPLEMENTED'],
  [62, 'SYNTAX_ERROR'],
  [81, 'UNKNOWN_DATABASE'],
  [115, 'UNKNOWN_SETTING'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  [307, 'TOO_MANY_BYTES'],
  [497, 'ACCESS_DENIED'],
  [516, 'AUTHENTICATION_FAILED'],
]);

export interface EmbeddedServerOptions {
  readonly engine: Engine;
  readonly username: string;
  readonly password: string;
  readonly logger: Logger;
}

export interface EmbeddedServer {
  readonly port: number;
  /** Stops taking requests and waits for those under way. */
  close(): Promise<void>;
}

const READS = /^\s*\(*\s*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN|CHECK)\b/i;
const FORMAT_CLAUSE = /\bFORMAT\s+([A-Za-z]+)\s*;?\s*$/i;

async function run(engine: Engine, wire: WireRequest): Promise<{ result: EngineResult; format: string }> {
  const read = readStatement(wire.sql, engine.tableFunctions);
  if ('refusal' in read) throw new EngineError(read.refusal.code, read.refusal.message);
  const { statement } = read;
  const format = FORMAT_CLAUSE.exec(wire.sql)?.[1] ?? wire.format;
  if (statement.kind === 'insert' && statement.table !== undefined && statement.format !== undefined) {
    const newline = wire.sql.indexOf('\n');
    const body = wire.data ?? Buffer.from(newline < 0 ? '' : wire.sql.slice(newline + 1));
    if (wire.settings.get('readonly') === '1') throw new EngineError(164, 'Cannot execute query in readonly mode.');
    const insert = {
      table: statement.table,
      database: wire.database,
      format: statement.format,
      body,
      settings: wire.settings,
      ...(statement.columns && { columns: statement.columns }),
    };
    return { result: await engine.insert(insert), format };
  }
  if (wire.data && wire.data.length > 0) throw new EngineError(62, 'This statement takes no data.');
  const write = !READS.test(wire.sql);
  return { result: await engine.query({ ...wire, format: wire.format, write }), format };
}

function answerError(response: ServerResponse, error: EngineError, version: string): void {
  const type = TYPES.get(error.code);
  const named = /\([A-Z_]+\)$/.test(error.message)
    ? error.message
    : `${error.message} (${type ?? 'UNKNOWN_EXCEPTION'})`;
  response.statusCode = STATUS.get(error.code) ?? 500;
  response.setHeader('X-ClickHouse-Exception-Code', String(error.code));
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(`Code: ${error.code}. DB::Exception: ${named} (version ${version})\n`);
}

function answerResult(response: ServerResponse, result: EngineResult, format: string): void {
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader(
    'X-ClickHouse-Summary',
    JSON.stringify({
      read_rows: String(result.rowsRead),
      read_bytes: '0',
      written_rows: String(result.rowsWritten),
      written_bytes: '0',
      total_rows_to_read: '0',
      result_rows: String(result.rowsRead),
      result_bytes: String(result.bytes.length),
      elapsed_ns: String(result.elapsedNs),
    }),
  );
  response.setHeader(
    'Content-Type',
    format.startsWith('JSON') ? 'application/json; charset=UTF-8' : 'text/plain; charset=UTF-8',
  );
  response.setHeader('Content-Length', result.bytes.length);
  response.end(result.bytes);
}

/** Serves the part of ClickHouse's HTTP interface that `@clickhouse/client` uses, on the loopback address only. */
export async function serveEngine(options: EmbeddedServerOptions, port: number): Promise<EmbeddedServer> {
  const { engine, username, password, logger } = options;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('X-ClickHouse-Server-Display-Name', 'cordon-lake');
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    if (request.method === 'GET' && request.url?.split('?')[0] === '/ping') {
      response.end('Ok.\n');
      return;
    }
    if (!isAuthentic(request, username, password)) {
      throw new EngineError(516, 'Authentication failed: the user or password is wrong.');
    }
    if (Number(request.headers['content-length'] ?? 0) > INSERT_BYTES_MAX) {
      throw new EngineError(307, `A request may hold ${INSERT_BYTES_MAX} bytes.`);
    }
    if (request.method !== 'GET' && request.method !== 'POST') throw new EngineError(48, 'Use GET or POST.');
    const wire = readRequest(request, await readBody(request));
    response.setHeader('X-ClickHouse-Query-Id', (wire.queryId ?? randomUUID()).replaceAll(/[^\w.-]/g, ''));
    const { result, format } = await run(engine, wire);
    answerResult(response, result, format);
  }

  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_WAIT_MS_MAX, requestTimeout: REQUEST_WAIT_MS_MAX },
    (request, response) => {
      handle(request, response).catch((error: unknown) => {
        if (!(error instanceof EngineError)) logger.error({ err: error }, 'the lake engine failed');
        const known = error instanceof EngineError ? error : new EngineError(1001, 'The engine failed.');
        if (response.headersSent) response.destroy();
        else answerError(response, known, engine.version);
      });
    },
  );
  await listen(server, port);
  const address = server.address() as AddressInfo; // a TCP server that listens has one
  return { port: address.port, close: () => drain(server) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), DRAIN_WAIT_MS_MAX);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
