import type { McpItemEntry } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { toRefusal } from '../respond-refusal.ts';
import { errorText, parseRpc, RPC, type RpcMessage, type RpcRequest } from './json-rpc.ts';
import { judgeResponse } from './mcp-answers.ts';
import { allowsServerRequest, SERVER_NOTIFICATIONS } from './mcp-methods.ts';
import { commonHeaders, noteRefusal, recordThen, refusalText } from './mcp-respond.ts';
import { cleanParams } from './mcp-result.ts';
import type { McpSession } from './mcp-session.ts';
import { hasGrant } from './mcp-tables.ts';
import { readEvents, sendUpstream } from './mcp-upstream.ts';
import { malformed } from './mcp-verify.ts';
import { formatSse, type SseEvent } from './sse.ts';

/** A stream outlives the decision that opened it, so whether it may go on is asked this often. */
const WATCH_MS = 500;

/** What a stream was opened for; null for one on which the server speaks of itself. */
export interface StreamPurpose {
  readonly request: Pick<RpcRequest, 'id' | 'method' | 'params'>;
  readonly item: McpItemEntry | undefined;
  readonly operation: string;
}

/** By the snapshot of this moment, not by the one of the call's beginning. */
function isStillAllowed(exchange: Exchange): boolean {
  const { runtime, caller, app } = exchange;
  const now = runtime.clock.now();
  const { tables } = runtime;
  const integration = tables?.integration(caller.integration.id);
  return (
    tables !== undefined &&
    integration?.status === 'active' &&
    (integration.expiresAt === null || integration.expiresAt > now) &&
    caller.token.expiresAt > now &&
    !tables.isRevoked(caller.tokenHash) &&
    (caller.via === 'jwt' ||
      tables.token(caller.tokenHash) !== undefined ||
      runtime.identities.get(caller.tokenHash, tables.epoch, now) !== undefined) &&
    tables.app(app.entry.id) !== undefined &&
    hasGrant(tables.mcp.grants(integration.id, app.entry.id), now)
  );
}

/** Passes a server's events on to a client, one judged message at a time. */
export class McpStream {
  readonly #exchange: Exchange;
  readonly #session: McpSession;
  readonly #purpose: StreamPurpose | null;
  #final: string | undefined;

  constructor(exchange: Exchange, session: McpSession, purpose: StreamPurpose | null) {
    this.#exchange = exchange;
    this.#session = session;
    this.#purpose = purpose;
  }

  /** Runs until the response was sent, either side ends, or the integration may not have it any more. */
  async run(answer: UpstreamResponse): Promise<void> {
    const exchange = this.#exchange;
    const { response } = exchange;
    exchange.sentStatus = 200;
    exchange.streaming = true;
    response.writeHead(200, commonHeaders(exchange, 'text/event-stream'));
    response.flushHeaders();
    const watch = setInterval(() => {
      if (!isStillAllowed(exchange)) exchange.onAbort?.();
    }, WATCH_MS);
    try {
      await readEvents(exchange, answer, (event) => this.#pass(event));
      if (this.#purpose && this.#final === undefined)
        throw malformed(exchange, 'the response to the request is missing');
    } catch (error) {
      this.#end(toRefusal(error, exchange));
    } finally {
      clearInterval(watch);
    }
    const last = this.#final === undefined ? undefined : Buffer.from(this.#final);
    exchange.sentBytes += last?.length ?? 0;
    await recordThen(exchange, () => {
      response.end(last);
    });
  }

  #end(refusal: Refusal): void {
    const exchange = this.#exchange;
    noteRefusal(exchange, refusal);
    if (this.#purpose && !exchange.aborted) {
      this.#final = formatSse({ data: refusalText(exchange, refusal, this.#purpose.request.id) });
    }
  }

  /** Returns false when there is nothing more to come. */
  #pass(event: SseEvent): boolean {
    const exchange = this.#exchange;
    if (!isStillAllowed(exchange)) {
      throw new Refusal('gateway.token_revoked', 'This integration may not use the stream any more.');
    }
    const id = event.id === undefined ? undefined : this.#sealEvent(event.id);
    if (event.data === '') {
      this.#send(formatSse({ id, data: '', retry: event.retry }));
      return true;
    }
    const data = this.#judge(event.data);
    if (data === undefined) return true;
    const text = formatSse({ id, data: data.text, retry: event.retry });
    if (data.isFinal) {
      this.#final = text;
      return false;
    }
    this.#send(text);
    return true;
  }

  #send(text: string): void {
    const bytes = Buffer.from(text);
    this.#exchange.sentBytes += bytes.length;
    this.#exchange.response.write(bytes);
  }

  #sealEvent(id: string): string {
    const { request, operation } = this.#purpose ?? {};
    const rpc = request && operation !== undefined ? { id: request.id, method: request.method, operation } : null;
    return this.#exchange.runtime.mcp.seals.seal({ kind: 'event', session: this.#session.key, id, rpc });
  }

  #judge(data: string): { text: string; isFinal: boolean } | undefined {
    const exchange = this.#exchange;
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      throw malformed(exchange, 'an event that is not JSON');
    }
    const message = parseRpc(value);
    if (typeof message === 'string') throw malformed(exchange, message);
    if (message.kind === 'response') {
      const { request, item } = this.#purpose ?? {};
      // An answer to nothing that was asked on this stream could only be meant to confuse.
      if (!request || message.id !== request.id) return void exchange.notes.push('mcp-stray-response');
      return { text: judgeResponse(exchange, request, message, item), isFinal: true };
    }
    const text = message.kind === 'request' ? this.#serverRequest(message) : this.#notification(message);
    return text === undefined ? undefined : { text, isFinal: false };
  }

  #notification(message: Extract<RpcMessage, { kind: 'notification' }>): string | undefined {
    const exchange = this.#exchange;
    const { method } = message;
    if (!SERVER_NOTIFICATIONS.has(method)) return void exchange.notes.push('mcp-notification-dropped');
    const { catalog } = exchange.runtime.mcp;
    if (method === 'notifications/tools/list_changed') catalog.forget(`${this.#session.key} tools/list`);
    if (method === 'notifications/prompts/list_changed') catalog.forget(`${this.#session.key} prompts/list`);
    if (method === 'notifications/resources/list_changed') {
      catalog.forget(`${this.#session.key} resources/list`);
      catalog.forget(`${this.#session.key} resources/templates/list`);
    }
    return JSON.stringify({ jsonrpc: '2.0', method, params: cleanParams(exchange, message.params) });
  }

  #serverRequest(message: RpcRequest): string | undefined {
    const exchange = this.#exchange;
    const { id, method } = message;
    if (!allowsServerRequest(method, exchange.app.entry.mcp!)) {
      exchange.notes.push('mcp-server-request-refused');
      void this.#refuseServer(id, method);
      return undefined;
    }
    const sealed = exchange.runtime.mcp.seals.seal({
      kind: 'callback',
      session: this.#session.key,
      id,
      method,
    });
    return JSON.stringify({ jsonrpc: '2.0', id: sealed, method, params: cleanParams(exchange, message.params) });
  }

  /** The server is told at once, so that its tool goes on without. */
  async #refuseServer(id: RpcRequest['id'], method: string): Promise<void> {
    const exchange = this.#exchange;
    const body = Buffer.from(errorText(id, RPC.methodNotFound, `${method} is not allowed by policy`));
    const { onAbort, cutUpstream } = exchange;
    try {
      const answer = await sendUpstream(exchange, {
        method: 'POST',
        body,
        session: this.#session,
        repeatable: 'never',
      });
      answer.stream?.abort();
    } catch (error) {
      exchange.runtime.logger.debug({ err: error, requestId: exchange.id }, 'an MCP server did not take a refusal');
    } finally {
      exchange.onAbort = onAbort;
      exchange.cutUpstream = cutUpstream;
    }
  }
}
