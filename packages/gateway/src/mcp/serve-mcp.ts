import { checkJson, JSON_LIMITS } from '@cordon/openapi';
import { Refusal } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import { isEventStream } from '../media-type.ts';
import { toRefusal } from '../respond-refusal.ts';
import { checkGrant } from '../steps/check-grant.ts';
import { checkLimits } from '../steps/check-limits.ts';
import { inspectRequest } from '../steps/inspect-request.ts';
import { loadRequestBody } from '../steps/load-request-body.ts';
import { isRecord, parseRpc, type RpcId, type RpcMessage, type RpcRequest, type RpcResponse } from './json-rpc.ts';
import { judgeInitialized, judgeResponse } from './mcp-answers.ts';
import { assignOperation, checkSession, judgeRequest } from './mcp-judge.ts';
import { clientCapabilities, CLIENT_NOTIFICATIONS, repeatableRequest } from './mcp-methods.ts';
import { noteRefusal, recordThen, refusalText, respondJson, respondRpcRefusal } from './mcp-respond.ts';
import { MCP_VERSIONS, type McpSession, SESSION_MS_MAX } from './mcp-session.ts';
import { McpStream } from './mcp-stream.ts';
import { mcpOperationId } from './mcp-tables.ts';
import { isDocument, prepareUpstream, sendUpstream } from './mcp-upstream.ts';
import { checkStatus, collectResponse } from './mcp-verify.ts';

const BATCH_MAX = 20;
const SESSION_FIELD = 'Mcp-Session-Id';

function invalid(message: string): Refusal {
  return new Refusal('gateway.mcp_message_invalid', message);
}

function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** DNS rebinding: a page in somebody's browser has no business here (MCP, transports, security warning). */
function checkOrigin(exchange: Exchange): void {
  const origin = header(exchange, 'origin');
  if (origin === undefined || origin === exchange.gatewayBase) return;
  throw new Refusal('gateway.mcp_origin_refused', 'Web pages may not use this endpoint.');
}

/** @throws {Refusal} for a session that isn't this integration's, on this app, now. */
function openSession(exchange: Exchange): McpSession | undefined {
  const text = header(exchange, 'mcp-session-id');
  if (text === undefined) return undefined;
  const session = exchange.runtime.mcp.seals.open('session', text);
  const isOver = session && exchange.startedAt - session.at > SESSION_MS_MAX;
  if (!session || isOver || session.app !== exchange.app.entry.id) {
    throw new Refusal('gateway.mcp_session_unknown', 'There is no such session. Initialize a new one.');
  }
  if (session.integration !== exchange.caller.integration.id) {
    throw new Refusal('gateway.mcp_session_foreign', 'This session belongs to another integration.');
  }
  const version = header(exchange, 'mcp-protocol-version');
  if (version !== undefined && version !== session.version) {
    throw new Refusal('gateway.mcp_version_unsupported', `This session speaks MCP ${session.version}.`);
  }
  return session;
}

function needSession(exchange: Exchange): McpSession {
  const session = openSession(exchange);
  if (session) return session;
  throw new Refusal('gateway.mcp_session_missing', `Send ${SESSION_FIELD}: every session begins with initialize.`);
}

function parseBody(exchange: Exchange): unknown {
  const { requestType, requestBody } = exchange;
  if (requestType !== 'application/json')
    throw new Refusal('gateway.encoding_unsupported', 'Send messages as application/json.');
  const fault = checkJson(requestBody ?? Buffer.alloc(0), {
    ...JSON_LIMITS,
    depthMax: exchange.app.entry.limits.jsonDepthMax,
  });
  if (fault) throw invalid(`The body is not JSON that can be read in one way only: ${fault.message}.`);
  return JSON.parse(requestBody!.toString('utf8')); // there is one, or the check had found a fault
}

function parseMessage(value: unknown): RpcMessage {
  const message = parseRpc(value);
  if (typeof message === 'string') throw invalid(`The message is not valid: ${message}.`);
  return message;
}

/** A request that opens a session, with what the client can do as far as the settings allow. */
async function initialize(exchange: Exchange, request: RpcRequest): Promise<void> {
  const asked = request.params['protocolVersion'];
  const { capabilities, clientInfo } = request.params;
  await judgeRequest(exchange, undefined, request);
  const params = {
    protocolVersion: MCP_VERSIONS.find((known) => known === asked) ?? MCP_VERSIONS.at(-1),
    capabilities: clientCapabilities(isRecord(capabilities) ? capabilities : {}, exchange.app.entry.mcp!), // MCP app
    clientInfo: isRecord(clientInfo) ? clientInfo : { name: 'unknown', version: '0' },
  };
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: request.id, method: 'initialize', params }));
  const repeatable = repeatableRequest('initialize', undefined);
  const answer = await sendUpstream(exchange, { method: 'POST', body, session: undefined, repeatable });
  exchange.answer = answer;
  const response = await collectResponse(exchange, answer, request.id);
  if (!response.result) return respondJson(exchange, 200, judgeResponse(exchange, request, response));
  const { result, session } = judgeInitialized(exchange, answer, response.result);
  const text = JSON.stringify({ jsonrpc: '2.0', id: request.id, result });
  return respondJson(exchange, 200, text, [SESSION_FIELD, exchange.runtime.mcp.seals.seal(session)]);
}

async function request(exchange: Exchange, session: McpSession, message: RpcRequest): Promise<void> {
  const item = await judgeRequest(exchange, session, message);
  const repeatable = repeatableRequest(message.method, item);
  const answer = await sendUpstream(exchange, { method: 'POST', body: exchange.requestBody!, session, repeatable }); // read before
  exchange.answer = answer;
  if (message.method === 'tools/call' && !isDocument(answer) && isEventStream(answer.contentType)) {
    checkStatus(exchange, answer);
    const purpose = { request: message, item, operation: exchange.operation!.id }; // assigned by judgeRequest
    return new McpStream(exchange, session, purpose).run(answer);
  }
  const response = await collectResponse(exchange, answer, message.id);
  return respondJson(exchange, 200, judgeResponse(exchange, message, response, item));
}

/** Notifications and answers of the client: nothing comes back for them but that they were taken. */
async function pass(exchange: Exchange, session: McpSession, operation: string, isPassed: boolean): Promise<void> {
  assignOperation(exchange, mcpOperationId.session(operation));
  checkSession(exchange);
  await checkLimits(exchange);
  inspectRequest(exchange);
  if (isPassed) {
    prepareUpstream(exchange);
    const body = exchange.requestBody!; // read before
    const answer = await sendUpstream(exchange, { method: 'POST', body, session, repeatable: 'never' });
    exchange.answer = answer;
    checkStatus(exchange, answer);
    answer.stream?.abort();
  } else exchange.notes.push('mcp-notification-dropped');
}

/** The client answers what the server asked: only what was really asked in this session, under the server's own id. */
function restoreCallback(exchange: Exchange, session: McpSession, message: RpcResponse): string {
  const callback = typeof message.id === 'string' ? exchange.runtime.mcp.seals.open('callback', message.id) : undefined;
  if (!callback || callback.session !== session.key)
    throw invalid('The response answers nothing that was asked in this session.');
  const { result, error } = message;
  exchange.requestBody = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: callback.id, ...(result ? { result } : { error }) }),
  );
  return callback.method;
}

async function other(exchange: Exchange, session: McpSession, message: Exclude<RpcMessage, RpcRequest>): Promise<void> {
  if (message.kind === 'response') {
    const method = restoreCallback(exchange, session, message);
    return pass(exchange, session, `response/${method}`, true);
  }
  const isRoots = message.method === 'notifications/roots/list_changed' && exchange.app.entry.mcp!.roots === 'allow'; // MCP app
  return pass(exchange, session, message.method, isRoots || CLIENT_NOTIFICATIONS.has(message.method));
}

/** An exchange of its own for one message of a batch: each is judged, counted and recorded like a call alone. */
function childOf(parent: Exchange, value: unknown): Exchange {
  const child = new Exchange(parent.runtime, parent.listener, parent.request, parent.response);
  child.located = parent.located;
  child.identity = parent.identity;
  child.host = parent.host;
  child.gatewayBase = parent.gatewayBase;
  child.tokenText = parent.tokenText;
  child.tokenHeader = parent.tokenHeader;
  child.fieldNames = parent.fieldNames;
  child.requestType = parent.requestType;
  child.requestBody = Buffer.from(JSON.stringify(value));
  child.requestBytes = child.requestBody.length;
  return child;
}

async function batched(child: Exchange, session: McpSession, message: RpcMessage): Promise<string | undefined> {
  let text: string | undefined;
  try {
    if (message.kind === 'request') {
      if (message.method === 'initialize') throw invalid('initialize is not part of a batch.');
      const item = await judgeRequest(child, session, message);
      const body = child.requestBody!; // made by childOf
      const repeatable = repeatableRequest(message.method, item);
      const answer = await sendUpstream(child, { method: 'POST', body, session, repeatable });
      child.answer = answer;
      text = judgeResponse(child, message, await collectResponse(child, answer, message.id), item);
    } else await other(child, session, message);
    child.sentStatus = 200;
  } catch (error) {
    const refusal = toRefusal(error, child);
    noteRefusal(child, refusal);
    child.sentStatus = refusal.status;
    text = message.kind === 'request' ? refusalText(child, refusal, message.id) : undefined;
  }
  child.sentBytes = text?.length ?? 0;
  await recordThen(child, () => undefined);
  return text;
}

/** MCP 2025-03-26, transports: a body may be a batch. One after the other, so that limits hold within it. */
async function batch(exchange: Exchange, session: McpSession, values: readonly unknown[]): Promise<void> {
  if (session.version !== '2025-03-26') throw invalid(`MCP ${session.version} has no batches.`);
  if (values.length === 0 || values.length > BATCH_MAX) throw invalid(`A batch has 1 to ${BATCH_MAX} messages.`);
  const messages = values.map((value) => parseMessage(value));
  const ids = messages.flatMap((message) => (message.kind === 'request' ? [JSON.stringify(message.id)] : []));
  if (new Set(ids).size < ids.length) throw invalid('Each request of a batch has an id of its own.');
  // Its messages are what is recorded.
  exchange.recorded = true;
  const texts: string[] = [];
  for (const [index, message] of messages.entries()) {
    const text = await batched(childOf(exchange, values[index]), session, message);
    if (text !== undefined) texts.push(text);
  }
  await (texts.length === 0 ? respondJson(exchange, 202, null) : respondJson(exchange, 200, `[${texts.join(',')}]`));
}

async function post(exchange: Exchange, tell: (id: RpcId) => void): Promise<void> {
  await loadRequestBody(exchange);
  const value = parseBody(exchange);
  if (Array.isArray(value)) return batch(exchange, needSession(exchange), value);
  const message = parseMessage(value);
  if (message.kind === 'request') {
    tell(message.id);
    assignOperation(exchange, mcpOperationId.session(message.method));
    if (message.method === 'initialize') return initialize(exchange, message);
  }
  const session = needSession(exchange);
  if (message.kind === 'request') return request(exchange, session, message);
  await other(exchange, session, message);
  return respondJson(exchange, 202, null);
}

/** A stream for what the server says on its own, or the rest of one that broke off. */
async function listen(exchange: Exchange): Promise<void> {
  assignOperation(exchange, mcpOperationId.session('stream'));
  const session = needSession(exchange);
  checkSession(exchange);
  await checkLimits(exchange);
  const { runtime, app } = exchange;
  const last = header(exchange, 'last-event-id');
  const event = last === undefined ? undefined : runtime.mcp.seals.open('event', last);
  if (last !== undefined && event?.session !== session.key) throw invalid('Last-Event-ID is not of this session.');
  const rpc = event?.rpc;
  const item = rpc ? exchange.tables!.mcp.item(app.entry.id, 'tool', rpc.operation) : undefined; // see checkSession
  if (rpc) {
    assignOperation(exchange, rpc.operation);
    checkGrant(exchange);
    if (item && !runtime.mcp.catalog.isUsable(item)) {
      throw new Refusal('gateway.mcp_item_withheld', `The tool ${item.name} is suspended.`);
    }
    // The call itself has its event; this one is about the stream.
    assignOperation(exchange, mcpOperationId.session('stream'));
  }
  prepareUpstream(exchange);
  const lastEventId = event ? { lastEventId: event.id } : {};
  const answer = await sendUpstream(exchange, {
    method: 'GET',
    session,
    timeoutMs: 0,
    repeatable: 'safe',
    ...lastEventId,
  });
  exchange.answer = answer;
  // The server offers no such stream, which is its right; clients know this status.
  if (answer.status === 405) {
    answer.stream?.abort();
    return respondJson(exchange, 405, null, ['Allow', 'POST, DELETE']);
  }
  checkStatus(exchange, answer);
  await new McpStream(
    exchange,
    session,
    rpc ? { request: { ...rpc, params: {} }, item, operation: rpc.operation } : null,
  ).run(answer);
}

async function end(exchange: Exchange): Promise<void> {
  assignOperation(exchange, mcpOperationId.session('end'));
  const session = needSession(exchange);
  checkSession(exchange);
  if (session.upstream !== null) {
    prepareUpstream(exchange);
    const answer = await sendUpstream(exchange, { method: 'DELETE', session, repeatable: 'idempotent' });
    exchange.answer = answer;
    if (answer.status !== 405) checkStatus(exchange, answer);
    answer.stream?.abort();
  }
  return respondJson(exchange, 200, null);
}

async function serve(exchange: Exchange): Promise<void> {
  let id: RpcId | null = null;
  try {
    checkOrigin(exchange);
    if (exchange.path !== '/')
      throw new Refusal('gateway.operation_unknown', 'An MCP server has one endpoint, without a path below it.');
    if (exchange.method === 'POST') await post(exchange, (known) => (id = known));
    else if (exchange.method === 'GET') await listen(exchange);
    else if (exchange.method === 'DELETE') await end(exchange);
    else
      throw new Refusal('gateway.method_refused', 'MCP uses POST, GET and DELETE.', {
        headers: [['Allow', 'POST, GET, DELETE']],
      });
  } catch (error) {
    await respondRpcRefusal(exchange, toRefusal(error, exchange), id);
  }
}

/** Serves the calls of apps that are MCP servers, and leaves the rest to the steps that follow. */
export function serveMcp(exchange: Exchange): Promise<void> | undefined {
  if (exchange.app.entry.mcp === null) return undefined;
  exchange.finished = true;
  return serve(exchange);
}
