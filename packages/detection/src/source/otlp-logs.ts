import { z } from 'zod';
import { parseEventTime } from '../parser/event-time.ts';
import { DeliveryMalformed, RECORDS_MAX, type SourceRecord } from './read-records.ts';

/**
 * OTLP logs (opentelemetry.io/docs/specs/otlp, ExportLogsServiceRequest) as records, from JSON or protobuf.
 *
 * A body that is an object, or text that holds one, is the vendor's own record; any other becomes a record as the parser
 * `syslog` reads them: severity, host, app, text, with resource and attributes beside.
 */

const DEPTH_MAX = 32;

type Attributes = Record<string, unknown>;

interface LogRecord {
  readonly timeNano?: bigint | undefined;
  readonly severityNumber?: number | undefined;
  readonly severityText?: string | undefined;
  readonly body?: unknown;
  readonly attributes: Attributes;
  readonly eventName?: string | undefined;
}

const malformed = (what: string): DeliveryMalformed => new DeliveryMalformed(`Not OTLP logs: ${what}.`);

/* Protobuf: the wire format, and of the messages only what a record is made of. */

class Wire {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('the protobuf is cut short');
  }

  take(length: number): Buffer {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    if (part.length !== length) throw malformed('the protobuf is cut short');
    this.#at += length;
    return part;
  }
}

type Field = { readonly number: number; readonly value: bigint | Buffer };

/** Each field: varints as numbers, everything else as its bytes. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  const wire = new Wire(bytes);
  while (!wire.isDone) {
    const tag = Number(wire.varint());
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) yield { number, value: wire.varint() };
    else if (type === 1) yield { number, value: wire.take(8) };
    else if (type === 2) yield { number, value: wire.take(Number(wire.varint())) };
    else if (type === 5) yield { number, value: wire.take(4) };
    else throw malformed(`wire type ${type} is none of ours`);
  }
}

function part(value: bigint | Buffer): Buffer {
  if (typeof value === 'bigint') throw malformed('a message stands where a number does');
  return value;
}

function anyValue(bytes: Buffer, depth: number): unknown {
  if (depth > DEPTH_MAX) throw malformed(`values are nested deeper than ${DEPTH_MAX}`);
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) return part(value).toString('utf8');
    if (number === 2) return value === 1n;
    if (number === 3 && typeof value === 'bigint') return Number(BigInt.asIntN(64, value));
    if (number === 4) return part(value).readDoubleLE(0);
    if (number === 5) {
      return [...fieldsOf(part(value))]
        .filter((one) => one.number === 1)
        .map((one) => anyValue(part(one.value), depth + 1));
    }
    if (number === 6) return keyValues(part(value), 1, depth + 1);
    if (number === 7) return part(value).toString('base64');
  }
  return null;
}

/** The `KeyValue`s that stand in field `wanted` of a message. */
function keyValues(bytes: Buffer, wanted: number, depth: number): Attributes {
  const found: Attributes = Object.create(null) as Attributes; // no prototype to pollute
  for (const { number, value } of fieldsOf(bytes)) {
    if (number !== wanted) continue;
    let [key, item]: [string, unknown] = ['', null];
    for (const one of fieldsOf(part(value))) {
      if (one.number === 1) key = part(one.value).toString('utf8');
      else if (one.number === 2) item = anyValue(part(one.value), depth + 1);
    }
    found[key] = item;
  }
  return found;
}

function logRecord(bytes: Buffer): LogRecord {
  const found: { -readonly [Key in keyof LogRecord]: LogRecord[Key] } = { attributes: keyValues(bytes, 6, 0) };
  let observed: bigint | undefined;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) found.timeNano = part(value).readBigUInt64LE(0);
    else if (number === 11) observed = part(value).readBigUInt64LE(0);
    else if (number === 2 && typeof value === 'bigint') found.severityNumber = Number(value);
    else if (number === 3) found.severityText = part(value).toString('utf8');
    else if (number === 5) found.body = anyValue(part(value), 0);
    else if (number === 12) found.eventName = part(value).toString('utf8');
  }
  if (!found.timeNano) found.timeNano = observed;
  return found;
}

const partsOf = (bytes: Buffer, wanted: number): Buffer[] =>
  [...fieldsOf(bytes)].filter((one) => one.number === wanted).map((one) => part(one.value));

function fromProtobuf(bytes: Buffer): { resource: Attributes; record: LogRecord }[] {
  try {
    return partsOf(bytes, 1).flatMap((resourceLogs) => {
      const resource = Object.assign({}, ...partsOf(resourceLogs, 1).map((one) => keyValues(one, 1, 0))) as Attributes; // of objects
      const records = partsOf(resourceLogs, 2).flatMap((scopeLogs) => partsOf(scopeLogs, 2));
      if (records.length > RECORDS_MAX) throw new DeliveryMalformed(`A delivery holds at most ${RECORDS_MAX} records.`);
      return records.map((record) => ({ resource, record: logRecord(record) }));
    });
  } catch (error) {
    // A number that is shorter than it must be.
    if (error instanceof RangeError) throw malformed('the protobuf is cut short');
    throw error;
  }
}

/* JSON: names in lowerCamelCase, 64-bit numbers as text (OTLP, "JSON Protobuf Encoding"). */

const jsonKeyValue = z.looseObject({ key: z.string(), value: z.unknown().optional() });
const jsonRecord = z.looseObject({
  timeUnixNano: z.union([z.string(), z.number()]).optional(),
  observedTimeUnixNano: z.union([z.string(), z.number()]).optional(),
  severityNumber: z.union([z.number(), z.string()]).optional(),
  severityText: z.string().optional(),
  body: z.unknown().optional(),
  attributes: z.array(jsonKeyValue).default([]),
  eventName: z.string().optional(),
});
const jsonRequest = z.looseObject({
  resourceLogs: z
    .array(
      z.looseObject({
        resource: z.looseObject({ attributes: z.array(jsonKeyValue).default([]) }).optional(),
        scopeLogs: z.array(z.looseObject({ logRecords: z.array(jsonRecord).default([]) })).default([]),
      }),
    )
    .default([]),
});

const jsonAny = z.looseObject({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.union([z.number(), z.string()]).optional(),
  arrayValue: z.looseObject({ values: z.array(z.unknown()).default([]) }).optional(),
  kvlistValue: z.looseObject({ values: z.array(jsonKeyValue).default([]) }).optional(),
  bytesValue: z.string().optional(),
});

function fromJsonValue(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw malformed(`values are nested deeper than ${DEPTH_MAX}`);
  const any = jsonAny.safeParse(value);
  if (!any.success) return null;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = any.data;
  if (kvlistValue) return fromKeyValues(kvlistValue.values, depth + 1);
  if (arrayValue) return arrayValue.values.map((one) => fromJsonValue(one, depth + 1));
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? boolValue ?? doubleValue ?? bytesValue ?? null;
}

function fromKeyValues(list: readonly z.output<typeof jsonKeyValue>[], depth = 0): Attributes {
  const found: Attributes = Object.create(null) as Attributes; // no prototype to pollute
  for (const { key, value } of list) found[key] = fromJsonValue(value, depth);
  return found;
}

function fromJson(bytes: Buffer): { resource: Attributes; record: LogRecord }[] {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw malformed('the body is no JSON');
  }
  const request = jsonRequest.safeParse(value);
  if (!request.success) throw malformed(request.error.issues[0]?.message ?? 'another shape');
  return request.data.resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const about = fromKeyValues(resource?.attributes ?? []);
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((one) => {
        const nano = String(one.timeUnixNano ?? '0') === '0' ? one.observedTimeUnixNano : one.timeUnixNano;
        const record: LogRecord = {
          timeNano: nano !== undefined && /^\d{1,20}$/.test(String(nano)) ? BigInt(nano) : undefined,
          severityNumber: one.severityNumber === undefined ? undefined : Number(one.severityNumber),
          severityText: one.severityText,
          body: fromJsonValue(one.body),
          attributes: fromKeyValues(one.attributes),
          eventName: one.eventName,
        };
        return { resource: about, record };
      }),
    );
  });
}

/** SeverityNumber in words that the parser knows: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal. */
function severityOf(number: number | undefined): string | undefined {
  if (number === undefined || number <= 0) return undefined;
  const words = ['debug', 'debug', 'informational', 'warning', 'error', 'emergency'];
  return words[Math.min(Math.floor((number - 1) / 4), words.length - 1)];
}

function toRecord({ resource, record }: { resource: Attributes; record: LogRecord }): SourceRecord {
  const at = record.timeNano ? parseEventTime(Number(record.timeNano)) : undefined;
  const time = at === undefined ? {} : { time: at };
  const { body } = record;
  if (typeof body === 'object' && body !== null) return { text: JSON.stringify(body), ...time };
  if (typeof body === 'string' && body.trimStart().startsWith('{')) return { text: body, ...time };
  const message = {
    severity: severityOf(record.severityNumber),
    severityText: record.severityText,
    time: at === undefined ? undefined : new Date(at).toISOString(),
    host: resource['host.name'],
    app: resource['service.name'],
    messageId: record.eventName === '' ? undefined : record.eventName,
    text: body === undefined || body === null ? '' : JSON.stringify(body).replace(/^"|"$/g, ''),
    attributes: record.attributes,
    resource,
  };
  return { text: JSON.stringify({ ...message, ...(typeof body === 'string' ? { text: body } : {}) }), ...time };
}

/** @throws {DeliveryMalformed} when the whole delivery can't be read. */
export function readOtlpLogs(body: Buffer, contentType: string | undefined): SourceRecord[] {
  const isJson = contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
  const records = isJson ? fromJson(body) : fromProtobuf(body);
  if (records.length > RECORDS_MAX) throw new DeliveryMalformed(`A delivery holds at most ${RECORDS_MAX} records.`);
  return records.map((one) => toRecord(one));
}
