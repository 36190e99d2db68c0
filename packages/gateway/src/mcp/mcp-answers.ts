import { randomUUID } from 'node:crypto';
import { contentsDefinition, findHiddenInstructions, type McpItemEntry, pinnedDefinition } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isRecord, type RpcRequest, type RpcResponse, resultText } from './json-rpc.ts';
import { isVisible } from './mcp-judge.ts';
import { serverCapabilities } from './mcp-methods.ts';
import { cleanError, cleanResult } from './mcp-result.ts';
import { MCP_VERSIONS, type McpSession, type McpVersion } from './mcp-session.ts';
import { mcpOperationId, pinsContents } from './mcp-tables.ts';
import { type ListMethod, malformed, memberOf, seenItems } from './mcp-verify.ts';

type Json = Record<string, unknown>;
/** Instructions have no name of their own. */
export const INSTRUCTIONS_NAME = 'server';
const UPSTREAM_SESSION = /^[\x21-\x7e]{1,1024}$/;

/** What grants name of a listed item. */
const OPERATION = {
  tool: mcpOperationId.tool,
  prompt: mcpOperationId.prompt,
  resource: mcpOperationId.resource,
  'resource-template': mcpOperationId.resource,
} as const;

/** Keeps of a list what was accepted as it is and is granted to this integration. */
function filterItems(exchange: Exchange, method: ListMethod, result: Json): Json {
  const seen = seenItems(method, result);
  const standings = exchange.runtime.mcp.catalog.judge(exchange.tables!.mcp, exchange.app.entry.id, seen); // see judgeRequest
  if (standings.includes('changed')) exchange.notes.push('mcp-definition-changed');
  const kept = seen.filter(
    ({ kind, name }, index) =>
      standings[index] === 'accepted' &&
      kind !== 'instructions' &&
      kind !== 'contents' &&
      isVisible(exchange, OPERATION[kind](name)),
  );
  return { ...cursorOf(result), [memberOf(method)]: kept.map(({ definition }) => pinnedDefinition(definition)) };
}

function cursorOf(result: Json): Json {
  return typeof result['nextCursor'] === 'string' ? { nextCursor: result['nextCursor'] } : {};
}

/** Where a grant is enough: keeps the resources that are granted; a description that talks to the model is left out. */
function filterGranted(exchange: Exchange, method: ListMethod, result: Json): Json {
  const kept = seenItems(method, result).flatMap(({ name, definition }): Json[] => {
    if (!isVisible(exchange, mcpOperationId.resource(name))) return [];
    const { _meta: _, ...shown } = definition;
    if (findHiddenInstructions(shown).length === 0) return [shown];
    exchange.notes.push('mcp-text-removed');
    const { description: _d, title: _t, ...plain } = shown;
    return [{ ...plain, name }];
  });
  return { ...cursorOf(result), [memberOf(method)]: kept };
}

/**
 * Holds the contents of a resource that is pinned against those that were accepted.
 *
 * @throws {Refusal} for contents that nobody has accepted, or that changed since.
 */
function checkContents(exchange: Exchange, uri: string, result: Json): void {
  if (!pinsContents(exchange.app.entry, uri)) return;
  const { contents } = result;
  const definition = contentsDefinition(uri, Array.isArray(contents) ? contents : []);
  const seen = { kind: 'contents' as const, name: uri, definition };
  const [standing] = exchange.runtime.mcp.catalog.judge(exchange.tables!.mcp, exchange.app.entry.id, [seen]); // see judgeRequest
  if (standing === 'accepted') return;
  if (standing === 'changed') exchange.notes.push('mcp-contents-changed');
  throw new Refusal(
    'gateway.mcp_item_withheld',
    standing === 'new'
      ? `The contents of ${uri} are pinned and nobody has accepted them yet.`
      : `The contents of ${uri} are not those that were accepted, and nobody has looked at them yet.`,
    { detail: { app: exchange.app.entry.name, operation: mcpOperationId.resource(uri) } },
  );
}

export interface Initialized {
  readonly result: Json;
  readonly session: McpSession;
}

function upstreamSession(exchange: Exchange, answer: UpstreamResponse): string | null {
  const index = answer.headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'mcp-session-id');
  const value = index === -1 ? undefined : answer.headers[index + 1];
  if (value === undefined) return null;
  if (!UPSTREAM_SESSION.test(value)) throw malformed(exchange, 'its session id');
  return value;
}

/** The server's side of the handshake: version, capabilities and instructions as far as they were accepted. */
export function judgeInitialized(exchange: Exchange, answer: UpstreamResponse, result: Json): Initialized {
  const version = MCP_VERSIONS.find((known): known is McpVersion => known === result['protocolVersion']);
  if (!version) throw malformed(exchange, 'a protocol version that the gateway does not speak');
  const capabilities = isRecord(result['capabilities']) ? serverCapabilities(result['capabilities']) : {};
  const { instructions, serverInfo } = result;
  const kept: Json = { protocolVersion: version, capabilities, serverInfo };
  if (typeof instructions === 'string' && instructions !== '') {
    const seen = { kind: 'instructions' as const, name: INSTRUCTIONS_NAME, definition: { instructions } };
    const [standing] = exchange.runtime.mcp.catalog.judge(exchange.tables!.mcp, exchange.app.entry.id, [seen]); // see judgeRequest
    if (standing === 'accepted') kept['instructions'] = instructions;
    else exchange.notes.push('mcp-instructions-withheld');
  }
  const session: McpSession = {
    kind: 'session',
    app: exchange.app.entry.id,
    integration: exchange.caller.integration.id,
    upstream: upstreamSession(exchange, answer),
    version,
    at: exchange.startedAt,
    key: randomUUID(),
  };
  return { result: cleanResult(exchange, kept), session };
}

/** A response as the client may have it, as JSON text. */
export function judgeResponse(
  exchange: Exchange,
  request: Pick<RpcRequest, 'id' | 'method' | 'params'>,
  response: RpcResponse,
  item?: McpItemEntry,
): string {
  const { id } = request;
  if (!response.result) {
    const error = response.error && cleanError(exchange, response.error);
    return JSON.stringify({ jsonrpc: '2.0', id, error });
  }
  return resultText(id, cleanResult(exchange, filtered(exchange, request, response.result), item));
}

function filtered(exchange: Exchange, { method, params }: Pick<RpcRequest, 'method' | 'params'>, result: Json): Json {
  switch (method) {
    case 'tools/list':
    case 'prompts/list':
      return filterItems(exchange, method, result);
    case 'resources/list':
    case 'resources/templates/list':
      return exchange.app.entry.mcp!.resources === 'granted' // only MCP apps come here
        ? filterGranted(exchange, method, result)
        : filterItems(exchange, method, result);
    case 'resources/read':
      checkContents(exchange, String(params['uri']), result);
      return result;
    default:
      return result;
  }
}
