import { z } from 'zod';
import { parseEventTime } from '../parser/event-time.ts';
import { consecutiveValues, DeliveryMalformed, RECORDS_MAX, type SourceRecord, splitRecords } from './read-records.ts';

/** Splunk's HTTP Event Collector: what stands around an event. */
const hecEvent = z.looseObject({
  event: z.unknown().optional(),
  time: z.union([z.number(), z.string()]).optional(),
});

/** An event of a HEC delivery that has no `event`; Splunk's code 12 or 13, and the number of the event. */
export class HecEventMissing extends Error {
  readonly index: number;
  readonly hecCode: 12 | 13;

  constructor(index: number, hecCode: 12 | 13) {
    super(hecCode === 12 ? 'Event field is required' : 'Event field cannot be blank');
    this.index = index;
    this.hecCode = hecCode;
  }
}

/** `POST /services/collector/event`: objects one behind another, each with `event` and perhaps `time`. */
export function readHecEvents(body: string): SourceRecord[] {
  const texts = consecutiveValues(body);
  if (!texts) throw new DeliveryMalformed('Invalid data format');
  const values = texts.flatMap((text): unknown[] => {
    const value = parseJson(text);
    return Array.isArray(value) ? value : [value];
  });
  if (values.length > RECORDS_MAX) throw new DeliveryMalformed(`A delivery holds at most ${RECORDS_MAX} records.`);
  return values.map((value, index) => {
    const parsed = hecEvent.safeParse(value);
    if (!parsed.success) throw new DeliveryMalformed('Invalid data format');
    const { event, time } = parsed.data;
    if (event === undefined || event === null) throw new HecEventMissing(index, 12);
    if (event === '') throw new HecEventMissing(index, 13);
    const at = parseEventTime(time);
    // Forwarders send the vendor's JSON as text or as an object; both mean the same record.
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    return { text, ...(at === undefined ? {} : { time: at }) };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DeliveryMalformed('Invalid data format');
  }
}

/** CloudEvents 1.0, structured and batched: `id` with `source` tells one event from all others (section 3.1.1). */
const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(1_000),
  source: z.string().min(1).max(2_000),
  type: z.string().min(1),
  time: z.string().optional(),
  data: z.unknown().optional(),
  data_base64: z.string().optional(),
});

function fromCloudEvent(value: unknown): SourceRecord {
  const parsed = cloudEvent.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DeliveryMalformed(`Not a CloudEvent: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { id, source, time, data, data_base64 } = parsed.data;
  const text = data_base64 === undefined ? JSON.stringify(data ?? null) : Buffer.from(data_base64, 'base64').toString();
  const at = parseEventTime(time);
  return { text, externalId: `${source} ${id}`, ...(at === undefined ? {} : { time: at }) };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function headerText(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** `POST /ingest/v1/events`: NDJSON, a JSON array, or CloudEvents in any of their three modes. */
export function readEvents(body: string, headers: Headers): SourceRecord[] {
  const type = headerText(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/cloudevents+json') return [fromCloudEvent(parseJson(body))];
  if (type === 'application/cloudevents-batch+json') {
    const list = parseJson(body);
    if (!Array.isArray(list)) throw new DeliveryMalformed('A batch of CloudEvents is a JSON array.');
    if (list.length > RECORDS_MAX) throw new DeliveryMalformed(`A delivery holds at most ${RECORDS_MAX} records.`);
    return list.map(fromCloudEvent);
  }
  const version = headerText(headers, 'ce-specversion');
  if (version !== undefined) {
    const [id, source, kind, time] = ['ce-id', 'ce-source', 'ce-type', 'ce-time'].map((name) =>
      headerText(headers, name),
    );
    const data = Buffer.from(body).toString('base64');
    return [
      fromCloudEvent({ specversion: version, id, source, type: kind, data_base64: data, ...(time ? { time } : {}) }),
    ];
  }
  return splitRecords(body).map((text) => ({ text }));
}
