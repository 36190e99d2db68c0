import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { EngineError } from './embedded-engine.ts';

/** What a request of ClickHouse's HTTP interface asks for (https://clickhouse.com/docs/interfaces/http). */
export interface WireRequest {
  readonly sql: string;
  /** Data behind an insert, when the SQL came as a URL parameter. */
  readonly data: Buffer | undefined;
  readonly database: string;
  readonly format: string;
  readonly queryId: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  readonly params: ReadonlyMap<string, string>;
}

export const INSERT_BYTES_MAX = 128 * 1_048_576;
const PARTS_MAX = 500;

/** URL parameters that are not settings of a query. */
const NOT_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'session_timeout',
]);
/** Settings of ClickHouse's HTTP layer: they change how a server sends, not what. */
const HTTP_SETTINGS =
  /^(?:wait_end_of_query|send_progress_in_http_headers|http_.*|enable_http_compression|buffer_size|client_protocol_version|quota_key|role|log_comment|cancel_http_readonly_queries_on_client_close)$/;

const digest = (text: string) => createHash('sha256').update(text).digest();

/** True when the request shows the password, by header or Basic (RFC 7617). Takes the same time for any wrong one. */
export function isAuthentic(request: IncomingMessage, username: string, password: string): boolean {
  const { authorization } = request.headers;
  const basic = authorization?.startsWith('Basic ')
    ? Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
    : undefined;
  const user = request.headers['x-clickhouse-user'];
  const key = request.headers['x-clickhouse-key'];
  const shown = basic ?? (typeof user === 'string' && typeof key === 'string' ? `${user}:${key}` : '');
  return timingSafeEqual(digest(shown), digest(`${username}:${password}`));
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new EngineError(48, 'Compressed request bodies are not supported here.');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    // Sockets without a set encoding yield buffers.
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > INSERT_BYTES_MAX) throw new EngineError(307, `A request may hold ${INSERT_BYTES_MAX} bytes.`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks, bytes);
}

/** The parts of a multipart/form-data body (RFC 7578) of which all are texts: how clients send many parameters. */
export function readMultipart(body: Buffer, contentType: string): Map<string, string> {
  const boundary = /boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw new EngineError(62, 'The multipart body has no boundary.');
  const parts = new Map<string, string>();
  for (const part of body.toString('utf8').split(`--${mark}`).slice(1, -1)) {
    const split = part.indexOf('\r\n\r\n');
    const name = /name="([\w.-]{1,200})"/.exec(part.slice(0, Math.max(split, 0)))?.[1];
    if (split < 0 || name === undefined) throw new EngineError(62, 'A part of the multipart body has no name.');
    if (parts.size >= PARTS_MAX) throw new EngineError(62, `A request may hold ${PARTS_MAX} parts.`);
    parts.set(name, part.slice(split + 4, -2));
  }
  return parts;
}

export function readRequest(request: IncomingMessage, body: Buffer): WireRequest {
  const url = new URL(request.url ?? '/', 'http://lake');
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  const take = (name: string, value: string) => {
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else if (!NOT_SETTINGS.has(name) && !HTTP_SETTINGS.test(name)) settings.set(name, value);
  };
  for (const [name, value] of url.searchParams) {
    if (name === 'session_id') throw new EngineError(48, 'Sessions are not supported here.');
    take(name, value);
  }
  let sql = url.searchParams.get('query') ?? '';
  let data: Buffer | undefined;
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    for (const [name, value] of readMultipart(body, type)) {
      if (name === 'query') sql = value;
      else take(name, value);
    }
  } else if (sql === '') sql = body.toString('utf8');
  else data = body;
  // As a server does: what may be cached or prefetched by accident must not change anything.
  if (request.method === 'GET' && !settings.has('readonly')) settings.set('readonly', '1');
  return {
    sql,
    data,
    settings,
    params,
    database: url.searchParams.get('database') ?? header(request, 'x-clickhouse-database') ?? 'default',
    format: url.searchParams.get('default_format') ?? header(request, 'x-clickhouse-format') ?? 'TabSeparated',
    queryId: url.searchParams.get('query_id') ?? undefined,
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
