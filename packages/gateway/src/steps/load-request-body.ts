import type { IncomingMessage } from 'node:http';
import { decodeBody, InflatesTooMuch, parseCoding } from '../content-coding.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { essence, isText } from '../media-type.ts';

function tooLarge(max: number): Refusal {
  return new Refusal('gateway.body_too_large', `Request bodies of this app have at most ${max} bytes.`, {
    detail: { bytes_max: max },
    headers: [['Connection', 'close']],
  });
}

export function clientGone(): Refusal {
  return new Refusal('gateway.client_gone', 'The client closed the connection before the call was complete.');
}

/** Reads the whole body, never more than `max` bytes, counting it against what all calls may hold. */
function readHeld(exchange: Exchange, max: number): Promise<Buffer> {
  const { request } = exchange;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (refusal: Refusal): void => {
      request.off('data', onData);
      request.pause();
      reject(refusal);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > max) return stop(tooLarge(max));
      if (!exchange.hold(chunk.length)) {
        return stop(
          new Refusal('gateway.overloaded', 'The gateway holds as many bodies as it can. Try again.', {
            headers: [
              ['Retry-After', '1'],
              ['Connection', 'close'],
            ],
          }),
        );
      }
      chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => {
      exchange.requestBytes = bytes;
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
    });
    request.once('error', () => reject(clientGone()));
    request.once('close', () => {
      if (!request.complete) reject(clientGone());
    });
  });
}

/** Passes the body on as it comes, bounded, and watching for the caller's own token across chunk borders. */
async function* readThrough(exchange: Exchange, request: IncomingMessage, max: number): AsyncGenerator<Buffer> {
  const token = exchange.tokenText === undefined ? undefined : Buffer.from(exchange.tokenText);
  let tail: Buffer = Buffer.alloc(0);
  for await (const part of request) {
    const chunk = part as Buffer; // no encoding is set on the request
    exchange.requestBytes += chunk.length;
    if (exchange.requestBytes > max) throw tooLarge(max);
    if (token) {
      const seen = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
      if (seen.includes(token))
        throw new Refusal(
          'gateway.token_leaked',
          'The body holds the access token itself, which must not reach the vendor.',
        );
      tail = seen.subarray(Math.max(0, seen.length - token.length + 1));
    }
    yield chunk;
  }
}

async function decodeHeld(exchange: Exchange, encoded: Buffer, max: number): Promise<void> {
  const coding = parseCoding(exchange.requestEncoding);
  if (!coding) {
    exchange.requestBody = encoded;
    return;
  }
  try {
    const decoded = await decodeBody(encoded, coding, max, exchange.runtime.limits.inflationRatioMax);
    if (!exchange.hold(decoded.length))
      throw new Refusal('gateway.overloaded', 'The gateway holds as many bodies as it can. Try again.');
    exchange.requestBody = decoded;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof InflatesTooMuch) throw tooLarge(max);
    throw new Refusal('gateway.body_undecodable', `The body is not valid ${coding}.`, { cause: error });
  }
}

/**
 * Takes the body in. What later steps must see is held; the rest is passed through when the call is forwarded.
 * A compressed body is forwarded decoded: what was judged is what the upstream reads.
 */
export function loadRequestBody(exchange: Exchange): void | Promise<void> {
  const { request, app } = exchange;
  if (exchange.received) return;
  exchange.received = true;
  // Gone while an earlier step waited: its events have passed, nobody would tell of the end.
  if (exchange.aborted) throw clientGone();
  const length = request.headers['content-length'];
  const chunked = request.headers['transfer-encoding'] !== undefined;
  exchange.requestType = essence(request.headers['content-type'] ?? '');
  if (!chunked && (length === undefined || length === '0')) return;
  const max = app.entry.limits.requestBytesMax;
  if (length !== undefined && Number(length) > max) throw tooLarge(max);
  exchange.requestEncoding = request.headers['content-encoding'] ?? '';
  const held = isText(exchange.requestType);
  if (held && parseCoding(exchange.requestEncoding) === undefined) {
    throw new Refusal(
      'gateway.encoding_unsupported',
      'The gateway reads gzip, br, zstd and deflate, one at a time. Send the body in one of them or plain.',
      { headers: [['Accept-Encoding', 'gzip, br, zstd, deflate']] },
    );
  }
  // RFC 9110, section 10.1.1: headers were judged, so the client may send its body now.
  if (request.headers.expect !== undefined) exchange.response.writeContinue();
  if (!held) {
    exchange.requestStream = readThrough(exchange, request, max);
    exchange.notes.push('request-uninspected');
    return;
  }
  return readHeld(exchange, max).then((encoded) => decodeHeld(exchange, encoded, max));
}
