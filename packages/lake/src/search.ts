import { createHash } from 'node:crypto';
import type { Clock } from '@cordon/kernel';
import { timeOfId } from '@cordon/kernel';
import { z } from 'zod';
import { CursorInvalid, EventUnknown, QueryInvalid } from './errors.ts';
import type { LakeConnection } from './lake-connection.ts';
import type { OcsfEvent } from './ocsf-events.ts';
import { momentOf, ParamBag } from './query-params.ts';
import { compileScope, type Scope } from './search-scope.ts';

export interface StoredEvent {
  readonly id: string;
  /** When it happened and when the lake took it, milliseconds since the epoch. */
  readonly time: number;
  readonly ingestedAt: number;
  readonly event: OcsfEvent;
}

export interface SearchRequest extends Scope {
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  /** From the page before; everything else must be as it was. */
  readonly cursor?: string;
  /** `newest` first is the default. */
  readonly order?: 'newest' | 'oldest';
  /** Also count all events that match. */
  readonly withTotal?: boolean;
}

export interface SearchPage {
  readonly events: readonly StoredEvent[];
  /** Absent on the last page. */
  readonly cursor?: string;
  readonly total?: number;
  /** Milliseconds. */
  readonly took: number;
}

export const PAGE_EVENTS_MAX = 1000;
const PAGE_EVENTS = 100;
const DAY_MS = 86_400_000;

export interface EventRecord {
  readonly event_id: string;
  readonly at: number;
  readonly ingested: number;
  readonly raw: string;
}

export const EVENT_SELECT =
  'event_id, toUnixTimestamp64Milli(time) AS at, toUnixTimestamp64Milli(ingested_at) AS ingested, raw';

export function storedEvent(record: EventRecord): StoredEvent {
  // The lake holds only what `parseEvent` took and `JSON.stringify` wrote.
  const event = JSON.parse(record.raw) as OcsfEvent;
  return { id: record.event_id, time: record.at, ingestedAt: record.ingested, event };
}

/** Where a page ended, and the scope it belongs to: relative times stay what they were on the first page. */
const cursorShape = z.strictObject({
  time: z.int(),
  id: z.string().max(200),
  from: z.int(),
  to: z.int(),
  scope: z.string().max(64),
});
type Cursor = z.infer<typeof cursorShape>;

const CURSOR_CHARS_MAX = 1000;

function scopeDigest(request: SearchRequest): string {
  const parts = [
    request.query ?? '',
    request.filters ?? [],
    request.from ?? null,
    request.to ?? null,
    request.order ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

function readCursor(request: SearchRequest): Cursor | undefined {
  if (request.cursor === undefined) return undefined;
  let parsed: unknown;
  try {
    if (request.cursor.length > CURSOR_CHARS_MAX) throw new TypeError('too long');
    parsed = JSON.parse(Buffer.from(request.cursor, 'base64url').toString());
  } catch (error) {
    throw new CursorInvalid('This cursor is not one. Start again without it.', {}, error);
  }
  const cursor = cursorShape.safeParse(parsed);
  if (!cursor.success) throw new CursorInvalid('This cursor is not one. Start again without it.');
  if (cursor.data.scope !== scopeDigest(request)) {
    throw new CursorInvalid('This cursor belongs to another search. Start again without it.');
  }
  return cursor.data;
}

function pageSize(limit: number | undefined): number {
  if (limit === undefined) return PAGE_EVENTS;
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE_EVENTS_MAX) return limit;
  throw new QueryInvalid(`The limit must be 1 to ${PAGE_EVENTS_MAX}.`, { field: 'limit' });
}

/** One page of events, newest or oldest first. */
export async function searchEvents(
  connection: LakeConnection,
  clock: Clock,
  request: SearchRequest,
): Promise<SearchPage> {
  const started = clock.now();
  const limit = pageSize(request.limit);
  const cursor = readCursor(request);
  const order = request.order ?? 'newest';
  const params = new ParamBag();
  const scope = compileScope(cursor ? { ...request, from: cursor.from, to: cursor.to } : request, params, started);
  const [direction, sign] = order === 'newest' ? ['DESC', '<'] : ['ASC', '>'];
  const after = cursor
    ? ` AND time ${sign}= ${momentOf(params, cursor.time)} AND (time, event_id) ${sign} ` +
      `(${momentOf(params, cursor.time)}, ${params.add('String', cursor.id)})`
    : '';
  const page = connection.rows<EventRecord>(
    `SELECT ${EVENT_SELECT} FROM events WHERE ${scope.where}${after} ` +
      `ORDER BY time ${direction}, event_id ${direction} LIMIT ${limit + 1}`,
    params.values,
  );
  const [records, total] = await Promise.all([
    page,
    request.withTotal === true ? countEvents(connection, clock, request) : undefined,
  ]);
  const shown = records.slice(0, limit);
  const last = records.length > limit ? shown.at(-1) : undefined;
  const next: Cursor | undefined = last && {
    time: last.at,
    id: last.event_id,
    from: scope.from,
    to: scope.to,
    scope: scopeDigest(request),
  };
  return {
    events: shown.map(storedEvent),
    ...(next && { cursor: Buffer.from(JSON.stringify(next)).toString('base64url') }),
    ...(total !== undefined && { total }),
    took: clock.now() - started,
  };
}

export async function countEvents(connection: LakeConnection, clock: Clock, scope: Scope): Promise<number> {
  const params = new ParamBag();
  const { where } = compileScope(scope, params, clock.now());
  const rows = await connection.rows<{ total: number }>(
    `SELECT count() AS total FROM events WHERE ${where}`,
    params.values,
  );
  return rows[0]?.total ?? 0;
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One event by its id; throws `EventUnknown`. An id that tells its time is looked for there first. */
export async function getEvent(connection: LakeConnection, id: string): Promise<StoredEvent> {
  if (UUID_V7.test(id)) {
    const params = new ParamBag();
    const at = timeOfId(id);
    const near = `time >= ${momentOf(params, at - DAY_MS)} AND time < ${momentOf(params, at + DAY_MS)} AND `;
    const found = await findEvent(connection, near, id, params);
    if (found) return found;
  }
  const found = await findEvent(connection, '', id, new ParamBag());
  if (found) return found;
  throw new EventUnknown('No event has this id. It may be past its retention.', { id });
}

async function findEvent(connection: LakeConnection, near: string, id: string, params: ParamBag) {
  const rows = await connection.rows<EventRecord>(
    `SELECT ${EVENT_SELECT} FROM events WHERE ${near}event_id = ${params.add('String', id)} LIMIT 1`,
    params.values,
  );
  return rows[0] && storedEvent(rows[0]);
}
