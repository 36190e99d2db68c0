import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  credentialHash,
  DeliveryMalformed,
  findSourceByCredential,
  hecChannel,
  HecEventMissing,
  readEvents,
  readHecAcks,
  readHecEvents,
  readOtlpLogs,
  type SourceCredential,
  type SourceRecord,
  takeHecAck,
} from '@cordon/detection';
import { type Clock, type Database, type Logger, ruleFor } from '@cordon/kernel';
import { lakeErrors } from '@cordon/lake';
import { z } from 'zod';
import type { SourceIngest, Taken } from './source-ingest.ts';
import { createSourceRate } from './source-rate.ts';

/** A body, before and after it is unpacked. */
const SOURCE_BODY_BYTES_MAX = 16 * 1024 * 1024;
const DELIVERIES_AT_ONCE_MAX = 16;
const ACKS_ASKED_MAX = 10_000;
/** White space alone is no delivery; more of it than this is read as one and found malformed. */
const EMPTY_BYTES_MAX = 4_096;
const CREDENTIAL = /^(?:Bearer|Splunk)\s+(\S{1,200})$/i;
const unpack = promisify(gunzip);

export interface SourceAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfterS?: number;
}

/** Which way in a path is; null for a path that is none of ours. */
export function wayIn(
  path: string,
): 'events' | 'otlp-logs' | 'hec-event' | 'hec-raw' | 'hec-ack' | 'hec-health' | null {
  if (path === '/ingest/v1/events') return 'events';
  if (path === '/v1/logs') return 'otlp-logs';
  const hec = /^\/services\/collector(?:\/(event|raw|ack|health))?(?:\/1\.0)?$/.exec(path);
  if (!hec) return null;
  if (hec[1] === 'health') return 'hec-health';
  if (hec[1] === 'ack') return 'hec-ack';
  return hec[1] === 'raw' ? 'hec-raw' : 'hec-event';
}

type Way = NonNullable<ReturnType<typeof wayIn>>;

/** Splunk's answers (HTTP Event Collector, "Troubleshoot: possible error codes"). */
const HEC_TEXT: Readonly<Record<number, readonly [code: number, text: string]>> = {
  200: [0, 'Success'],
  204: [5, 'No data'],
  400: [6, 'Invalid data format'],
  401: [2, 'Token is required'],
  403: [4, 'Invalid token'],
  413: [6, 'Request entity too large'],
  429: [9, 'Server is busy'],
  503: [9, 'Server is busy'],
};

function refuse(way: Way, status: number, detail: string, retryAfterS?: number): SourceAnswer {
  const [code, text] = HEC_TEXT[status] ?? [8, 'Internal server error'];
  // OTLP answers with a google.rpc.Status; a message is all that senders show of it.
  const otlp = { code: status, message: detail };
  const body = way === 'events' ? { status, detail } : way === 'otlp-logs' ? otlp : { text, code, detail };
  return { status: status === 204 ? 400 : status, body, ...(retryAfterS === undefined ? {} : { retryAfterS }) };
}

/** Of a body that asks for acknowledgements. */
const ackQuestion = z.object({ acks: z.array(z.int().nonnegative()).max(ACKS_ASKED_MAX) });

/** `X-Splunk-Request-Channel`, or `channel` in the address; null: it is none. */
function channelOf(request: IncomingMessage): string | null | undefined {
  const header = request.headers['x-splunk-request-channel'];
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams.get('channel') ?? undefined;
  return hecChannel(typeof header === 'string' ? header : query);
}

const hecRefusal = (code: number, text: string): SourceAnswer => ({ status: 400, body: { text, code } });

function accept(way: Way, { accepted, duplicates, failed }: Taken, ackId?: number): SourceAnswer {
  // An empty ExportLogsServiceResponse: everything was taken. What no event can be made of is a dead letter here.
  if (way === 'otlp-logs') return { status: 200, body: {} };
  const counts = { accepted, duplicates, dead_letters: failed.length };
  return {
    status: 200,
    body: way === 'events' ? counts : { text: 'Success', code: 0, ...(ackId !== undefined && { ackId }), ...counts },
  };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

/** The body, unpacked; null when it is larger than a body may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = chunk as Buffer; // no encoding is set, so chunks are Buffers
    bytes += part.length;
    if (bytes > SOURCE_BODY_BYTES_MAX) return null;
    chunks.push(part);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding']?.toLowerCase() !== 'gzip') return body;
  try {
    return await unpack(body, { maxOutputLength: SOURCE_BODY_BYTES_MAX });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw new DeliveryMalformed('The body is not gzip.');
  }
}

function recordsOf(way: Way, body: Buffer, request: IncomingMessage): SourceRecord[] {
  if (way === 'otlp-logs') return readOtlpLogs(body, request.headers['content-type']);
  const text = body.toString('utf8');
  if (way === 'hec-event') return readHecEvents(text);
  return readEvents(text, way === 'hec-raw' ? {} : request.headers);
}

export type SourceEndpoint = (way: Way, request: IncomingMessage) => Promise<SourceAnswer>;

/** The ways in for vendor events. Answers 200 only when everything that was sent is on disk. */
export function createSourceEndpoint(deps: {
  readonly db: Database;
  readonly ingest: SourceIngest;
  readonly clock: Clock;
  readonly logger: Logger;
}): SourceEndpoint {
  const { db, ingest, logger } = deps;
  const takeRate = createSourceRate(deps.clock);
  let running = 0;

  const identify = async (way: Way, request: IncomingMessage): Promise<SourceCredential | SourceAnswer> => {
    const value = CREDENTIAL.exec(request.headers.authorization ?? '')?.[1];
    if (value === undefined) return refuse(way, 401, 'Send the credential of the source: Authorization: Bearer …');
    const source = await findSourceByCredential(db, credentialHash(value));
    if (!source) return refuse(way, way === 'events' ? 401 : 403, 'This is the credential of no source.');
    if (source.status !== 'active') return refuse(way, 403, 'The source is paused.');
    return source;
  };

  const take = async (way: Way, request: IncomingMessage): Promise<SourceAnswer> => {
    const source = await identify(way, request);
    if ('body' in source) return source;
    const channel = way === 'events' || way === 'otlp-logs' ? undefined : channelOf(request);
    if (channel === null) return hecRefusal(11, 'Invalid data channel');
    const body = await readBody(request);
    if (body === null) return refuse(way, 413, `A body holds at most ${SOURCE_BODY_BYTES_MAX} bytes.`);
    if (way === 'hec-ack') {
      if (channel === undefined) return hecRefusal(10, 'Data channel is missing');
      const asked = ackQuestion.safeParse(jsonOf(body));
      if (!asked.success) return refuse(way, 400, 'Send {"acks": [0, 1]}.');
      return { status: 200, body: { acks: await readHecAcks(db, source.id, channel, asked.data.acks) } };
    }
    const isEmpty = body.length < EMPTY_BYTES_MAX && body.toString('utf8').trim() === '';
    if (isEmpty && way !== 'otlp-logs') return refuse(way, way === 'events' ? 400 : 204, 'The body is empty.');
    const records = recordsOf(way, body, request);
    const waitS = takeRate(source.id, source.rateMax, records.length);
    if (waitS > 0) return refuse(way, 429, `The source sends more than ${source.rateMax} events a second.`, waitS);
    const taken = await ingest.take(source, records);
    // Everything is on disk: the number is acknowledged from the start.
    const ackId = channel === undefined ? undefined : await takeHecAck(db, source.id, channel, deps.clock.now());
    return accept(way, taken, ackId);
  };

  return async (way, request) => {
    if (way === 'hec-health') return { status: 200, body: { text: 'HEC is healthy', code: 17 } };
    if (request.method !== 'POST') return refuse(way, 405, 'Send events with POST.');
    if (running >= DELIVERIES_AT_ONCE_MAX) return refuse(way, 429, 'Too many deliveries at once; send it again.', 1);
    running += 1;
    try {
      return await take(way, request);
    } catch (error) {
      if (error instanceof DeliveryMalformed) return refuse(way, 400, error.message);
      if (error instanceof HecEventMissing) {
        const { message, hecCode, index } = error;
        return { status: 400, body: { text: message, code: hecCode, 'invalid-event-number': index } };
      }
      const { status } = ruleFor(error, [lakeErrors]);
      logger.warn({ err: error }, 'a delivery could not be stored; its sender keeps it');
      if (status >= 400 && status < 500) return refuse(way, 422, 'The delivery can not be stored.');
      return refuse(way, 503, 'The events could not be stored; send them again.', 1);
    } finally {
      running -= 1;
    }
  };
}
