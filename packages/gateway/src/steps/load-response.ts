import { Readable } from 'node:stream';
import type { Credential } from '@cordon/policy';
import { decodeBody, InflatesTooMuch, parseCoding } from '../content-coding.ts';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { clientGone } from './load-request-body.ts';
import { isEventStream } from '../media-type.ts';
import { renewalOf } from '../credential-renewals.ts';
import type { BudgetCall, VendorRefusal } from '../sharing/vendor-budgets.ts';
import { explainFailure, UpstreamCall } from '../upstream-call.ts';
import { callUpstream } from '../upstream-tries.ts';
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

function budgetCall(exchange: Exchange): BudgetCall {
  const { app, caller, credential, operation, tables } = exchange;
  const integrationId = caller.integration.id;
  const isOwn =
    credential !== null && credential !== app.entry.credential && tables?.hasOwnCredential(app.entry, integrationId);
  return { app: app.entry, owner: isOwn ? integrationId : '', operation: operation?.id ?? '', integrationId };
}

const WHY: Readonly<Record<VendorRefusal['why'], string>> = {
  exhausted: 'The vendor’s own rate limit is used up',
  share: 'Little is left of the vendor’s own rate limit, and this integration has had its share',
  paused: 'The vendor asked for a pause',
};

function vendorLimited(exchange: Exchange, { retryAt, why }: VendorRefusal): Refusal {
  const seconds = Math.max(1, Math.ceil((retryAt - exchange.runtime.clock.now()) / 1000));
  return new Refusal('gateway.vendor_limited', `${WHY[why]}. Try again in ${seconds} s.`, {
    detail: { why, retry_after_seconds: seconds },
    headers: [['Retry-After', String(seconds)]],
  });
}

/**
 * The vendor refused the token in use: asks for a newer one, and repeats a call that only reads. RFC 9110, section
 * 15.5.2: a refused call was not carried out; others are told so and sent again by whoever made them.
 */
async function renewAndRepeat(exchange: Exchange, answer: UpstreamResponse): Promise<UpstreamResponse> {
  const refused = renewalOf(exchange.credential);
  if (answer.status !== 401 || !refused) return answer;
  const { app, caller, runtime } = exchange;
  // The snapshot of now, not the one that the call began with.
  const latest = (): Credential | null => {
    const entry = runtime.tables?.app(app.entry.id)?.entry;
    return entry ? (runtime.tables?.credential(entry, caller.integration.id) ?? null) : null;
  };
  if (!(await runtime.renewals.renew(refused, latest)) || exchange.aborted) return answer;
  answer.stream?.abort();
  exchange.notes.push('credential-renewed');
  if (!READS.has(exchange.method) || exchange.requestStream) {
    throw new Refusal(
      'gateway.credential_renewed',
      'The vendor refused its token, so the call was not carried out. The token has been renewed: send the call again.',
      { headers: [['Retry-After', '1']] },
    );
  }
  exchange.credential = latest();
  assignCredential(exchange);
  return send(exchange);
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sends the call to the app's upstream and takes its answer. */
export async function loadResponse(exchange: Exchange): Promise<void> {
  if (exchange.aborted) throw clientGone();
  const call = budgetCall(exchange);
  const refusal = await exchange.runtime.budgets.check(call);
  if (refusal) throw vendorLimited(exchange, refusal);
  const started = performance.now();
  let answer: UpstreamResponse;
  try {
    answer = await renewAndRepeat(exchange, await callUpstream(exchange, send));
  } catch (error) {
    if (exchange.aborted) throw clientGone();
    throw explainFailure(error, exchange.app.entry.name);
  } finally {
    exchange.upstreamMs = performance.now() - started;
  }
  exchange.answer = answer;
  exchange.runtime.budgets.learn(call, answer.status, answer.headers);
  if (answer.stream && isEventStream(answer.contentType) && parseCoding(answer.encoding) !== null) {
    answer.stream.abort();
    throw undecodable(exchange, 'a compressed stream of events cannot be inspected');
  }
  if (answer.body) await decodeAnswer(exchange, answer, answer.body);
}
