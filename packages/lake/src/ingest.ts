import { createHash } from 'node:crypto';
import { EventInvalid } from './errors.ts';
import { eventRow } from './event-row.ts';
import type { LakeConnection } from './lake-connection.ts';
import { INSERT_COLUMNS } from './lake-schema.ts';
import { type OcsfEvent, parseEvent } from './ocsf-events.ts';
import { momentOf, ParamBag } from './query-params.ts';

export interface Batch {
  /** The sender's idempotency key: the same id means the same events. */
  readonly id: string;
  readonly events: readonly OcsfEvent[];
}

export interface IngestResult {
  /** Events that the lake now has, new or from before. */
  readonly accepted: number;
  readonly inserted: number;
  /** Events that were there already, by their id. */
  readonly duplicates: number;
  /** Ids of the batch that the lake had before. */
  readonly known: ReadonlySet<string>;
}

export const BATCH_EVENTS_MAX = 50_000;
export const BATCH_BYTES_MAX = 64 * 1_048_576;
export const EVENT_BYTES_MAX = 1_048_576;
/** Each day is an insert of its own; a backfill of years still fits. */
const BATCH_DAYS_MAX = 2000;
const BATCH_ID = /^[\w.:/-]{1,200}$/;
const DAY_MS = 86_400_000;
/** Ids in one look-up: as a bound array they stay well under the server's limit on a query's size. */
const LOOKUP_IDS_MAX = 2000;

/**
 * Parses an NDJSON body into events. Lines that are no events are returned with their number and the reason, so that a
 * sender's one bad line neither blocks nor hides the rest.
 */
export function readNdjson(body: string): {
  readonly events: OcsfEvent[];
  readonly rejected: { readonly line: number; readonly reason: string }[];
} {
  const events: OcsfEvent[] = [];
  const rejected: { line: number; reason: string }[] = [];
  for (const [index, line] of body.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      if (Buffer.byteLength(line) > EVENT_BYTES_MAX)
        throw new EventInvalid(`An event may hold ${EVENT_BYTES_MAX} bytes.`);
      events.push(parseEvent(JSON.parse(line)));
    } catch (error) {
      const reason = error instanceof EventInvalid ? error.message : 'The line is not JSON.';
      rejected.push({ line: index + 1, reason });
    }
  }
  return { events, rejected };
}

export type Ingest = (batch: Batch) => Promise<IngestResult>;

/**
 * Writes batches so that each event is in the lake exactly once, however often and after whatever crash its batch is
 * sent again. Three things make it so:
 * - A look-up of the ids, bounded by the batch's times: what is there is not sent again.
 * - One insert per day holds one part, which ClickHouse commits whole or not at all.
 * - Its deduplication token names the batch, day and ids: an insert that outlived a lost connection and its retry,
 *   both under way at once, commit once.
 */
export function createIngest(connection: LakeConnection): Ingest {
  const underWay = new Map<string, Promise<unknown>>();

  function othersWith(ids: readonly string[]): Set<Promise<unknown>> {
    const others = new Set<Promise<unknown>>();
    for (const id of ids) {
      const other = underWay.get(id);
      if (other) others.add(other);
    }
    return others;
  }

  return async function ingest(batch) {
    const events = checkBatch(batch);
    const ids = [...events.keys()];
    // Other batches with any of these ids have to end first: their rows can't be looked up yet. Between the last look
    // and the entry below nothing may wait, or two would pass here together.
    for (let others = othersWith(ids); others.size > 0; others = othersWith(ids)) await Promise.allSettled(others);
    const work = write(connection, batch.id, events);
    for (const id of ids) underWay.set(id, work);
    try {
      const { inserted, known } = await work;
      return { accepted: batch.events.length, inserted, duplicates: batch.events.length - inserted, known };
    } finally {
      for (const id of ids) if (underWay.get(id) === work) underWay.delete(id);
    }
  };
}

/** Events by id, the first of each; throws `EventInvalid` where the batch breaks a limit. */
function checkBatch(batch: Batch): Map<string, OcsfEvent> {
  if (!BATCH_ID.test(batch.id)) {
    throw new EventInvalid('A batch id has 1 to 200 letters, digits and any of . : / _ -', { field: 'id' });
  }
  if (batch.events.length > BATCH_EVENTS_MAX) {
    throw new EventInvalid(`A batch may hold ${BATCH_EVENTS_MAX} events.`, { events: batch.events.length });
  }
  const events = new Map<string, OcsfEvent>();
  for (const event of batch.events) if (!events.has(event.metadata.uid)) events.set(event.metadata.uid, event);
  return events;
}

async function write(
  connection: LakeConnection,
  batchId: string,
  events: Map<string, OcsfEvent>,
): Promise<{ inserted: number; known: ReadonlySet<string> }> {
  const present = await findPresent(connection, [...events.values()]);
  const days = new Map<number, OcsfEvent[]>();
  for (const [id, event] of events) {
    if (present.has(id)) continue;
    const day = Math.floor(event.time / DAY_MS);
    const list = days.get(day);
    if (list) list.push(event);
    else days.set(day, [event]);
  }
  if (days.size > BATCH_DAYS_MAX) {
    throw new EventInvalid(`The events of a batch may lie on ${BATCH_DAYS_MAX} days.`, { days: days.size });
  }
  let inserted = 0;
  for (const [day, list] of days) {
    for (const chunk of chunksOf(list, batchId)) {
      const [first, ...rest] = INSERT_COLUMNS;
      if (first === undefined) throw new TypeError('The events table has no columns.');
      await connection.insert('events', [first, ...rest], 'JSONCompactEachRow', chunk.lines, {
        insert_deduplicate: 1,
        insert_deduplication_token: `${batchId}|${day}|${chunk.digest}`,
        // One block, so one part: all of it or nothing.
        max_insert_threads: '1',
        // On a cluster: acknowledged means that the shards have it, not a queue.
        distributed_foreground_insert: 1,
      });
      inserted += chunk.lines.length;
    }
  }
  return { inserted, known: present };
}

/** Lines of at most BATCH_BYTES_MAX each; deterministic for the same events in the same order. */
function* chunksOf(events: readonly OcsfEvent[], batchId: string): Generator<{ lines: string[]; digest: string }> {
  let lines: string[] = [];
  let bytes = 0;
  let hash = createHash('sha256');
  for (const event of events) {
    const row = eventRow(event, batchId);
    const line = JSON.stringify(INSERT_COLUMNS.map((column) => row[column]));
    if (lines.length > 0 && bytes + line.length > BATCH_BYTES_MAX) {
      yield { lines, digest: hash.digest('hex').slice(0, 32) };
      lines = [];
      bytes = 0;
      hash = createHash('sha256');
    }
    lines.push(line);
    bytes += line.length;
    hash.update(`${event.metadata.uid}\n`);
  }
  if (lines.length > 0) yield { lines, digest: hash.digest('hex').slice(0, 32) };
}

/** Which of these events the lake has. Bounded by their times, so that it reads little beside the newest rows. */
async function findPresent(connection: LakeConnection, events: readonly OcsfEvent[]): Promise<Set<string>> {
  const byTime = [...events].sort((a, b) => a.time - b.time);
  const present = new Set<string>();
  for (let at = 0; at < byTime.length; at += LOOKUP_IDS_MAX) {
    const some = byTime.slice(at, at + LOOKUP_IDS_MAX);
    const params = new ParamBag();
    const first = momentOf(params, some[0]?.time ?? 0);
    const last = momentOf(params, some.at(-1)?.time ?? 0);
    const ids = params.add(
      'Array(String)',
      some.map((event) => event.metadata.uid),
    );
    const rows = await connection.rows<{ event_id: string }>(
      `SELECT event_id FROM events WHERE time >= ${first} AND time <= ${last} AND event_id IN ${ids}`,
      params.values,
    );
    for (const row of rows) present.add(row.event_id);
  }
  return present;
}
