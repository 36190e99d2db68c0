import { Readable } from 'node:stream';
import type { Clock } from '@cordon/kernel';
import { QueryInvalid } from './errors.ts';
import type { LakeConnection } from './lake-connection.ts';
import { ParamBag } from './query-params.ts';
import { PAGE_EVENTS_MAX, searchEvents } from './search.ts';
import { compileScope, type Scope } from './search-scope.ts';

export const EXPORT_FORMATS = ['ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Most events of one export. The embedded engine makes a Parquet file in memory before it sends it. */
export const EXPORT_EVENTS_MAX: Readonly<Record<ExportFormat, number>> = { ndjson: 1_000_000, parquet: 200_000 };
const SECONDS_MAX = 110;

export interface ExportRequest extends Scope {
  readonly format: ExportFormat;
  /** 1 to the most of the format. */
  readonly limit: number;
}

/** Columns of a Parquet export: what is typed in the lake, and the whole event as JSON in `event`. */
const PARQUET_COLUMNS =
  'time, event_id, ingested_at, source, product, class_uid, activity_id, severity_id, status_id, app_id, app_name, ' +
  'integration_id, integration_name, actor_id, actor_name, actor_email, target_id, target_name, target_type, ' +
  "operation, method, host, path, http_status, user_agent, if(src_ip = toIPv6('::'), '', toString(src_ip)) AS src, " +
  'decision, reason, duration_ms, request_bytes, response_bytes, rule_id, correlation_id, raw AS event';

/** What a search finds, oldest first, as a stream that holds a page (NDJSON) or a file (Parquet) in memory at most. */
export async function exportEvents(
  connection: LakeConnection,
  clock: Clock,
  { format, limit, ...asked }: ExportRequest,
): Promise<Readable> {
  const most = EXPORT_EVENTS_MAX[format];
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw new QueryInvalid(`An export as ${format} has 1 to ${most} events.`, { field: 'limit' });
  }
  const params = new ParamBag();
  // Compiled here for both, so that a search that is none is refused before anything is sent.
  const { where, from, to } = compileScope(asked, params, clock.now());
  if (format === 'ndjson') return Readable.from(lines(connection, clock, { ...asked, from, to }, limit));
  const sql = `SELECT ${PARQUET_COLUMNS} FROM events WHERE ${where} ORDER BY time, event_id LIMIT ${limit}`;
  return connection.file(sql, params.values, 'Parquet', SECONDS_MAX);
}

async function* lines(connection: LakeConnection, clock: Clock, scope: Scope, limit: number): AsyncGenerator<string> {
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await searchEvents(connection, clock, {
      ...scope,
      order: 'oldest',
      // The same size throughout: the cursor belongs to the search.
      limit: Math.min(PAGE_EVENTS_MAX, limit),
      ...(cursor !== undefined && { cursor }),
    });
    const events = page.events.slice(0, left);
    left -= events.length;
    if (events.length > 0) yield events.map(({ event }) => `${JSON.stringify(event)}\n`).join('');
    ({ cursor } = page);
  } while (cursor !== undefined && left > 0);
}
