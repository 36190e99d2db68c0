import { Readable } from 'node:stream';
import { decodeBody, InflatesTooMuch, parseCoding } from '../content-coding.ts';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isEventStream } from '../media-type.ts';
import { UpstreamCall } from '../upstream-call.ts';
import { repeatableByMethod } from '../upstream-tries.ts';
import { callVendor } from '../vendor-call.ts';
import { assignCredential } from './assign-credential.ts';

function bodyOf(exchange: Exchange): Buffer | Readable | null {
  if (exchange.requestBody) return exchange.requestBody;
  return exchange.requestStream ? Readable.from(exchange.requestStream, { objectMode: false }) : null;
}

function undecodable(exchange: Exchange, what: string, cause?: unknown): Refusal {
  return new Refusal(
    'gateway.response_undecodable',
    `The upstream of ${exchange.app.entry.name} sent a body that the gateway cannot read: ${what}.`,
    cause === undefined ? {} : { cause },
  );
}

/** A held body without its content coding: what the steps behind look at. */
async function decodeAnswer(exchange: Exchange, answer: UpstreamResponse, body: Buffer): Promise<void> {
  const coding = body.length === 0 ? null : parseCoding(answer.encoding);
  if (coding === undefined) throw undecodable(exchange, `its coding is ${answer.encoding.slice(0, 64)}`);
  if (coding === null) {
    answer.decoded = body;
    return;
  }
  const { responseBytesMax } = exchange.app.entry.limits;
  let decoded: Buffer;
  try {
    decoded = await decodeBody(body, coding, responseBytesMax, exchange.runtime.limits.inflationRatioMax);
  } catch (error) {
    throw undecodable(
      exchange,
      error instanceof InflatesTooMuch ? 'it inflates beyond the limit' : `it is not valid ${coding}`,
      error,
    );
  }
  if (!exchange.hold(decoded.length))
    throw new Refusal('gateway.overloaded', 'The gateway holds as many bodies as it can. Try again.');
  answer.decoded = decoded;
}

/** Sends the call once and takes its answer: whole when it is text, as a stream otherwise. */
async function send(exchange: Exchange): Promise<UpstreamResponse> {
  const { app, target, runtime, method } = exchange;
  const { limits, resilience } = app.entry;
  const call = new UpstreamCall({
    bytesMax: app.entry.limits.responseBytesMax,
    hold: (bytes) => exchange.hold(bytes),
    headRequest: method === 'HEAD',
  });
  exchange.onAbort = () => call.abort();
  exchange.cutUpstream = (reason) => call.abort(reason);
  runtime.upstreams.pool(app.entry, target).dispatch(
    {
      path: target.basePath + exchange.path,
      method,
      headers: exchange.credentialHeaders,
      body: bodyOf(exchange),
      headersTimeout: resilience.headersMs ?? limits.timeoutMs,
      bodyTimeout: resilience.idleMs ?? limits.timeoutMs,
    },
    call,
  );
  return call.answer;
}

/** Sends the call to the app's upstream and takes its answer. */
export async function loadResponse(exchange: Exchange): Promise<void> {
  const answer = await callVendor(exchange, {
    send,
    repeatable: repeatableByMethod(exchange.method),
    attach: assignCredential,
  });
  exchange.answer = answer;
  if (answer.stream && isEventStream(answer.contentType) && parseCoding(answer.encoding) !== null) {
    answer.stream.abort();
    throw undecodable(exchange, 'a compressed stream of events cannot be inspected');
  }
  if (answer.body) await decodeAnswer(exchange, answer, answer.body);
}
