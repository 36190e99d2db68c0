import type { ParserSet } from '../parser/load-parsers.ts';
import type { DetectionEvent } from '../signal.ts';
import { stableId } from '../stable-id.ts';
import { RECORD_BYTES_MAX, type SourceRecord } from './read-records.ts';

export interface NormaliseContext {
  readonly parsers: ParserSet;
  readonly sourceId: string;
  readonly product: string;
}

/** A record that no event could be made of, with the reason in words. */
export interface FailedRecord {
  readonly record: SourceRecord;
  readonly reason: string;
}

export interface Normalised {
  readonly events: DetectionEvent[];
  /** Ids among them that have no time of their own. */
  readonly timeless: ReadonlySet<string>;
  readonly failed: FailedRecord[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Records as events of the lake. Each has an id that follows from the source and the vendor's id (or the content), so
 * that a second delivery counts once.
 */
export function normaliseRecords(records: readonly SourceRecord[], context: NormaliseContext): Normalised {
  const events: DetectionEvent[] = [];
  const timeless = new Set<string>();
  const failed: FailedRecord[] = [];
  for (const record of records) {
    const made = normaliseOne(record, context);
    if (typeof made === 'string') {
      failed.push({ record, reason: made });
      continue;
    }
    for (const event of made) {
      events.push(event);
      if (event.time === 0) timeless.add(event.id);
    }
  }
  return { events, timeless, failed };
}

function normaliseOne(
  record: SourceRecord,
  { parsers, sourceId, product }: NormaliseContext,
): DetectionEvent[] | string {
  if (Buffer.byteLength(record.text) > RECORD_BYTES_MAX) return `The record is larger than ${RECORD_BYTES_MAX} bytes.`;
  let value: unknown;
  try {
    value = JSON.parse(record.text);
  } catch {
    return 'The record is not JSON.';
  }
  if (!isRecord(value) && !Array.isArray(value)) return 'The record is no JSON object.';
  let parsed: DetectionEvent[];
  try {
    parsed = parsers.normalise(product, value, 0);
  } catch (error) {
    return error instanceof Error ? error.message : 'The parser failed.';
  }
  if (parsed.length === 0) return `The parser for ${product} found no event in the record.`;
  if (parsed.some((event) => event.time === 0 && operationOf(event) === '')) {
    return `The parser for ${product} found neither a time nor an operation: is this the right product?`;
  }
  return parsed.map((event, index) => {
    const vendorId = record.externalId === undefined ? event.id : `${record.externalId} ${index}`;
    return identify(event, stableId('event', sourceId, event.service, vendorId), vendorId, record.time);
  });
}

function operationOf({ ocsf }: DetectionEvent): string {
  const api = isRecord(ocsf) ? ocsf['api'] : undefined;
  const operation = isRecord(api) ? api['operation'] : undefined;
  return typeof operation === 'string' ? operation : '';
}

/** The vendor's id moves to OCSF's `metadata.original_event_uid`; two vendors may use the same one. */
function identify(event: DetectionEvent, id: string, vendorId: string, envelopeTime?: number): DetectionEvent {
  const ocsf = isRecord(event.ocsf) ? event.ocsf : {};
  const metadata = isRecord(ocsf['metadata']) ? ocsf['metadata'] : {};
  const time = event.time === 0 ? (envelopeTime ?? 0) : event.time;
  return {
    ...event,
    id,
    time,
    ocsf: { ...ocsf, time, metadata: { ...metadata, uid: id, original_event_uid: vendorId.slice(0, 1_000) } },
  };
}

/** The same event at another time. */
export function atTime(event: DetectionEvent, time: number): DetectionEvent {
  return { ...event, time, ocsf: { ...(isRecord(event.ocsf) ? event.ocsf : {}), time } };
}
