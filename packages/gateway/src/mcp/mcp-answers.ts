import { randomUUID } from 'node:crypto';
import { findHiddenInstructions, type McpItemEntry, pinnedDefinition } from '@cordon/policy';
import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isRecord, type RpcRequest, type RpcResponse, resultText } from './json-rpc.ts';
import { isVisible } from './mcp-judge.ts';
import { serverCapabilities } from './mcp-methods.ts';
import { cleanError, cleanResult } from './mcp-result.ts';
import { MCP_VERSIONS, type McpSession, type McpVersion } from './mcp-session.ts';
import { mcpOperationId } from './mcp-tables.ts';
import { malformed, seenItems } from './mcp-verify.ts';

type Json = Record<string, unknown>;
/** Instructions have no name of their own. */
export const INSTRUCTIONS_NAME = 'server';
const UPSTREAM_SESSION = /^[\x21-\x7e]{1,1024}$/;

/** Keeps of a list of tools or prompts what was accepted as it is and is granted to this integration. */
function filterItems(exchange: Exchange, method: 'tools/list' | 'prompts/list', result: Json): Json {
  const member = method === 'tools/list' ? 'tools' : 'prompts';
  const seen = seenItems(method, result);
  const standings = exchange.runtime.mcp.catalog.judge(exchange.tables!.mcp, exchange.app.entry.id, seen); // see judgeRequest
  if (standings.includes('changed')) exchange.notes.push('mcp-definition-changed');
  const kept = seen.filter(
    ({ kind, name }, index) =>
      standings[index] === 'accepted' &&
      isVisible(exchange, kind === 'tool' ? mcpOperationId.tool(name) : mcpOperationId.prompt(name)),
  );
  return { ...cursorOf(result), [member]: kept.map(({ definition }) => pinnedDefinition(definition)) };
}

function cursorOf(result: Json): Json {
  return typeof result['nextCursor'] === 'string' ? { nextCursor: result['nextCursor'] } : {};
}

/** Keeps the resources that are granted; a description that talks to the model is left out. */
function filterResources(exchange: Exchange, member: 'resources' | 'resourceTemplates', result: Json): Json {
  const list = result[member];
  const kept = (Array.isArray(list) ? list : []).flatMap((one: unknown) => {
    const uri = isRecord(one) ? one[member === 'resources' ? 'uri' : 'uriTemplate'] : undefined;
    if (!isRecord(one) || typeof uri !== 'string' || !isVisible(exchange, mcpOperationId.resource(uri))) return [];
    const { _meta: _, ...shown } = one;
    if (findHiddenInstructions(shown).length === 0) return [shown];
    exchange.notes.push('mcp-text-removed');
    const { description: _d, title: _t, ...plain } = shown;
    return [{ ...plain, name: uri }];
  });
  return { ...cursorOf(result), [member]: kept };
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
  request: Pick<RpcRequest, 'id' | 'method'>,
  response: RpcResponse,
  item?: McpItemEntry,
): string {
  const { id, method } = request;
  if (!response.result) {
    const error = response.error && cleanError(exchange, response.error);
    return JSON.stringify({ jsonrpc: '2.0', id, error });
  }
  return resultText(id, cleanResult(exchange, filtered(exchange, method, response.result), item));
}

function filtered(exchange: Exchange, method: string, result: Json): Json {
  switch (method) {
    case 'tools/list':
    case 'prompts/list':
      return filterItems(exchange, method, result);
    case 'resources/list':
      return filterResources(exchange, 'resources', result);
    case 'resources/templates/list':
      return filterResources(exchange, 'resourceTemplates', result);
    default:
      return result;
  }
}
