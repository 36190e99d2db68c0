import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { EventStreamFilter } from '../event-stream.ts';
import { VIA } from '../headers.ts';
import { isEventStream } from '../media-type.ts';
import { recordCall } from '../record-call.ts';
import { explainFailure, type UpstreamStream } from '../upstream-call.ts';

const unrecorded = (): Refusal =>
  new Refusal(
    'gateway.spool_full',
    'The call could not be recorded, and this app is set to answer recorded calls only.',
    {
      headers: [['Retry-After', '5']],
    },
  );

/** `payment.card;count=1, credential.aws;count=2`: what was taken out, told to the client. */
function redactedField(exchange: Exchange): string {
  const counts = new Map<string, number>();
  for (const { class: name, action, count } of exchange.findings) {
    if (action === 'redact' || action === 'tokenise') counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].map(([name, count]) => `${name};count=${count}`).join(', ');
}

function finalHeaders(exchange: Exchange, answer: UpstreamResponse, length: number | undefined): string[] {
  const headers = answer.headers;
  headers.push('Via', VIA, 'X-Cordon-Request-Id', exchange.id);
  if (exchange.limitHeaders.length > 0) headers.push(...exchange.limitHeaders);
  if (exchange.redactions > 0) headers.push('Cordon-Redacted', redactedField(exchange));
  if (length !== undefined) headers.push('Content-Length', String(length));
  return headers;
}

/** Bytes as they go out: those of the upstream when nothing was changed, in its content coding. */
function outgoing(answer: UpstreamResponse): Buffer {
  return answer.changed ? answer.decoded! : answer.body!; // a held answer has both by now
}

function respondHeld(exchange: Exchange, answer: UpstreamResponse): Promise<void> {
  const { response, method } = exchange;
  const bodiless = method === 'HEAD' || answer.status === 204 || answer.status === 205 || answer.status === 304;
  const body = outgoing(answer);
  exchange.sentStatus = answer.status;
  exchange.sentBytes = bodiless ? 0 : body.length;
  return new Promise((resolve, reject) => {
    recordCall(exchange, (written) => {
      if (!written && exchange.app.entry.backPressure === 'refuse') return reject(unrecorded());
      const length = bodiless ? undefined : body.length;
      exchange.release();
      resolve();
      response.writeHead(answer.status, finalHeaders(exchange, answer, answer.status === 205 ? 0 : length));
      response.end(bodiless ? undefined : body);
    });
  });
}

/** Sends a stream on and holds its last piece back until the event is written. */
function respondStreamed(exchange: Exchange, answer: UpstreamResponse, stream: UpstreamStream): Promise<void> {
  const { response, runtime } = exchange;
  exchange.sentStatus = answer.status;
  exchange.onAbort = () => stream.abort();
  // Events change their length when something is taken out of them.
  const length = isEventStream(answer.contentType) ? undefined : stream.length;
  response.writeHead(answer.status, finalHeaders(exchange, answer, length));
  // A client that waits for the first byte of a slow stream gets the header now.
  response.flushHeaders();
  const filter = isEventStream(answer.contentType) ? new EventStreamFilter(exchange) : undefined;
  let last: Buffer | undefined;
  response.on('drain', () => stream.resume());
  return new Promise((resolve) => {
    const finish = (error: Error | undefined): void => {
      if (error) {
        exchange.decision = 'error';
        exchange.refusal = explainFailure(error, exchange.app.entry.name);
      } else {
        if (filter) hold(filter.end());
        exchange.sentBytes += last?.length ?? 0;
      }
      if (exchange.redactions > 0 && exchange.decision === 'allow') exchange.decision = 'redact';
      recordCall(exchange, (written) => {
        exchange.release();
        // Half an answer must not look whole: the connection is cut instead of ended.
        if (error || (!written && exchange.app.entry.backPressure === 'refuse')) response.destroy();
        else response.end(last);
        resolve();
      });
    };
    /** Sends what was held back and holds the new piece back instead. */
    const hold = (piece: Buffer): boolean => {
      if (piece.length === 0) return true;
      const previous = last;
      last = piece;
      if (!previous) return true;
      exchange.sentBytes += previous.length;
      return response.write(previous);
    };
    /** Events are handed on at once: only an empty rest can wait for the end of a stream that may never end. */
    const send = (events: Buffer): boolean => {
      if (events.length === 0) return true;
      exchange.sentBytes += events.length;
      return response.write(events);
    };
    const onData = (chunk: Buffer): boolean => (filter ? send(filter.push(chunk)) : hold(chunk));
    runtime.metrics.count('cordon_gateway_streamed_total');
    stream.start(onData, finish);
  });
}

/** Answers the client. The event is in the spool before the last byte leaves. */
export function respondRecorded(exchange: Exchange): Promise<void> {
  const answer = exchange.answer!; // the forward step refused the call otherwise
  if (exchange.redactions > 0 && exchange.decision === 'allow') exchange.decision = 'redact';
  if (exchange.app.entry.learn !== 'off') exchange.runtime.lessons.see(exchange);
  return answer.stream ? respondStreamed(exchange, answer, answer.stream) : respondHeld(exchange, answer);
}
