import { decodeBody, InflatesTooMuch, parseCoding } from '../content-coding.ts';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isEventStream, isJson } from '../media-type.ts';
import { assignCredential } from '../steps/assign-credential.ts';
import { clientGone } from '../steps/load-request-body.ts';
import { explainFailure, UpstreamCall } from '../upstream-call.ts';
import type { Repeatable } from '../upstream-tries.ts';
import { callVendor } from '../vendor-call.ts';
import type { McpSession } from './mcp-session.ts';
import { type SseEvent, SseReader, SseTooLong } from './sse.ts';

/** Said by the gateway itself: what the client says of sessions concerns the client's session with the gateway. */
const OWN_FIELDS = new Set([
  'accept',
  'accept-encoding',
  'content-type',
  'content-length',
  'mcp-session-id',
  'mcp-protocol-version',
  'last-event-id',
  'origin',
  'referer',
]);
const ACCEPT = 'application/json, text/event-stream';

export interface McpCall {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly body?: Buffer;
  readonly session: McpSession | undefined;
  readonly lastEventId?: string;
  /** 0: as long as the client stays. */
  readonly timeoutMs?: number;
  /** All messages are POST: what a second time would do is said by the method within. */
  readonly repeatable: Repeatable;
}

/** The client's fields and the vendor's credential, made once for each exchange. */
export function prepareUpstream(exchange: Exchange): void {
  exchange.path = '/';
  assignCredential(exchange);
}

function headersOf(exchange: Exchange, call: McpCall): string[] {
  const given = exchange.credentialHeaders;
  const headers: string[] = [];
  for (let index = 0; index < given.length; index += 2) {
    if (!OWN_FIELDS.has(given[index]!.toLowerCase())) headers.push(given[index]!, given[index + 1]!);
  }
  headers.push('accept', call.method === 'GET' ? 'text/event-stream' : ACCEPT, 'accept-encoding', 'identity');
  if (call.body) headers.push('content-type', 'application/json');
  if (call.session?.upstream != null) headers.push('mcp-session-id', call.session.upstream);
  if (call.session) headers.push('mcp-protocol-version', call.session.version);
  if (call.lastEventId !== undefined) headers.push('last-event-id', call.lastEventId);
  return headers;
}

function sendOnce(exchange: Exchange, call: McpCall): Promise<UpstreamResponse> {
  const { app, target, runtime } = exchange;
  const upstream = new UpstreamCall({
    bytesMax: app.entry.mcp!.resultBytesMax, // only MCP apps come here
    hold: (bytes) => exchange.hold(bytes),
    headRequest: false,
  });
  exchange.onAbort = () => upstream.abort();
  exchange.cutUpstream = (reason) => upstream.abort(reason);
  const query = exchange.path.indexOf('?');
  const { limits, resilience } = app.entry;
  runtime.upstreams.pool(app.entry, target).dispatch(
    {
      path: (target.basePath === '' ? '/' : target.basePath) + (query === -1 ? '' : exchange.path.slice(query)),
      method: call.method,
      headers: headersOf(exchange, call),
      body: call.body ?? null,
      headersTimeout: resilience.headersMs ?? limits.timeoutMs,
      bodyTimeout: call.timeoutMs ?? resilience.idleMs ?? limits.timeoutMs,
    },
    upstream,
  );
  return upstream.answer;
}

/** Sends one message to the server, or opens or ends a session's stream. */
export function sendUpstream(exchange: Exchange, call: McpCall): Promise<UpstreamResponse> {
  const send = (): Promise<UpstreamResponse> => sendOnce(exchange, call);
  return callVendor(exchange, { send, repeatable: call.repeatable, attach: prepareUpstream });
}

function malformed(exchange: Exchange, what: string): Refusal {
  return new Refusal(
    'gateway.upstream_malformed',
    `The MCP server ${exchange.app.entry.name} sent something that is not a valid answer: ${what}.`,
  );
}

/** The text of an answer that was held. */
export async function heldText(exchange: Exchange, answer: UpstreamResponse): Promise<Buffer> {
  if (!answer.body) {
    answer.stream?.abort();
    throw malformed(exchange, `a body of type ${answer.contentType.slice(0, 64)}`);
  }
  const coding = parseCoding(answer.encoding);
  if (coding === null) return answer.body;
  if (coding === undefined) throw malformed(exchange, 'its coding');
  const max = exchange.app.entry.mcp!.resultBytesMax; // only MCP apps come here
  try {
    return await decodeBody(answer.body, coding, max, exchange.runtime.limits.inflationRatioMax);
  } catch (error) {
    throw malformed(
      exchange,
      error instanceof InflatesTooMuch ? 'it inflates beyond the limit' : `it is not ${coding}`,
    );
  }
}

/**
 * Reads a stream of events; `onEvent` returns false to end it. Resolves when it ended, whoever ended it.
 *
 * @throws {Refusal} when the server broke it off or sends an event without end.
 */
export function readEvents(
  exchange: Exchange,
  answer: UpstreamResponse,
  onEvent: (event: SseEvent) => boolean,
): Promise<void> {
  const { stream } = answer;
  if (!stream || !isEventStream(answer.contentType) || parseCoding(answer.encoding) !== null) {
    stream?.abort();
    return Promise.reject(malformed(exchange, 'neither JSON nor a stream of events'));
  }
  const reader = new SseReader(exchange.app.entry.mcp!.resultBytesMax); // only MCP apps come here
  exchange.onAbort = () => stream.abort();
  return new Promise((resolve, reject) => {
    let ended = false;
    const end = (error?: unknown): void => {
      if (ended) return;
      ended = true;
      stream.abort();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer): boolean => {
      if (ended) return true;
      try {
        for (const event of reader.push(chunk)) if (!onEvent(event)) return (end(), true);
      } catch (error) {
        end(error instanceof SseTooLong ? malformed(exchange, error.message) : error);
      }
      return true;
    };
    stream.start(onData, (error) => {
      if (!error) return end();
      end(exchange.aborted ? clientGone() : explainFailure(error, exchange.app.entry.name));
    });
  });
}

/** Whether an answer is one JSON document. */
export function isDocument(answer: UpstreamResponse): boolean {
  return answer.body !== undefined && isJson(answer.contentType);
}
