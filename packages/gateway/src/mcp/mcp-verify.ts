import { randomUUID } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isRecord, parseRpc, type RpcId, type RpcResponse } from './json-rpc.ts';
import type { SeenItem } from './mcp-catalog.ts';
import type { McpSession } from './mcp-session.ts';
import { heldText, isDocument, readEvents, sendUpstream } from './mcp-upstream.ts';

const PAGES_MAX = 20;

export function malformed(exchange: Exchange, what: string): Refusal {
  return new Refusal(
    'gateway.upstream_malformed',
    `The MCP server ${exchange.app.entry.name} sent something that is not a valid answer: ${what}.`,
  );
}

/** What the server's HTTP status says, when it isn't success. */
export function checkStatus(exchange: Exchange, answer: UpstreamResponse): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  answer.stream?.abort();
  if (status === 404) {
    throw new Refusal('gateway.mcp_session_unknown', 'The MCP server has ended this session. Initialize a new one.');
  }
  const what = status === 401 || status === 403 ? 'it refused the gateway’s credential' : `it answered ${status}`;
  throw malformed(exchange, what);
}

function parseText(exchange: Exchange, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(exchange, 'not JSON');
  }
}

/** The response to one request, whether it comes as a document or at the end of a stream. */
export async function collectResponse(exchange: Exchange, answer: UpstreamResponse, id: RpcId): Promise<RpcResponse> {
  checkStatus(exchange, answer);
  let found: RpcResponse | undefined;
  const look = (value: unknown): boolean => {
    const message = parseRpc(value);
    if (typeof message === 'string') throw malformed(exchange, message);
    if (message.kind === 'response' && message.id === id) found = message;
    return found === undefined;
  };
  if (isDocument(answer)) {
    const value = parseText(exchange, (await heldText(exchange, answer)).toString('utf8'));
    // 2025-03-26 lets a server answer with a batch of one.
    for (const one of Array.isArray(value) ? value : [value]) look(one);
  } else {
    await readEvents(exchange, answer, (event) => event.data === '' || look(parseText(exchange, event.data)));
  }
  if (!found) throw malformed(exchange, 'the response to the request is missing');
  return found;
}

/** What each list holds: the member, the kind of its items, and what names one. */
const LISTS = {
  'tools/list': ['tools', 'tool', 'name'],
  'prompts/list': ['prompts', 'prompt', 'name'],
  'resources/list': ['resources', 'resource', 'uri'],
  'resources/templates/list': ['resourceTemplates', 'resource-template', 'uriTemplate'],
} as const;
export type ListMethod = keyof typeof LISTS;

export const memberOf = (method: ListMethod): string => LISTS[method][0];

/** The definitions of one page. */
export function seenItems(method: ListMethod, result: Record<string, unknown>): SeenItem[] {
  const [member, kind, key] = LISTS[method];
  const list = result[member];
  return (Array.isArray(list) ? list : []).flatMap((definition: unknown): SeenItem[] => {
    const name = isRecord(definition) ? definition[key] : undefined;
    return isRecord(definition) && typeof name === 'string' ? [{ kind, name, definition }] : [];
  });
}

async function verifyList(exchange: Exchange, session: McpSession, method: ListMethod): Promise<void> {
  let cursor: unknown;
  for (let page = 0; page < PAGES_MAX; page++) {
    // Unlike any id that a client could have used in this session.
    const id = `cordon-${randomUUID()}`;
    const message = { jsonrpc: '2.0', id, method, params: cursor === undefined ? {} : { cursor } };
    const body = Buffer.from(JSON.stringify(message));
    const answer = await sendUpstream(exchange, { method: 'POST', body, session, repeatable: 'safe' });
    const { result } = await collectResponse(exchange, answer, id);
    // A server without this capability answers with an error: it has none to verify.
    if (!result) return;
    const { runtime, app } = exchange;
    const standings = runtime.mcp.catalog.judge(exchange.tables!.mcp, app.entry.id, seenItems(method, result)); // see judgeRequest
    if (standings.includes('changed')) exchange.notes.push('mcp-definition-changed');
    cursor = result['nextCursor'];
    if (cursor === undefined || cursor === null) return;
  }
}

const LIST_OF = {
  tool: 'tools/list',
  prompt: 'prompts/list',
  resource: 'resources/list',
  'resource-template': 'resources/templates/list',
} as const;

/**
 * Makes sure that what a call relies on is what was accepted: asks the server for its definitions, in the caller's own
 * session, unless that was done a moment ago. A client need not list tools before it calls one, and a server may show
 * each client another face.
 */
export async function verifyItems(exchange: Exchange, session: McpSession, kind: keyof typeof LIST_OF): Promise<void> {
  const { runtime } = exchange;
  const method = LIST_OF[kind];
  const key = `${session.key} ${method}`;
  if (runtime.mcp.catalog.isFresh(key, runtime.clock.now())) return;
  await verifyList(exchange, session, method);
  runtime.mcp.catalog.noteVerified(key, runtime.clock.now());
}
