/** Messages of JSON-RPC 2.0 as MCP uses it: ids are strings or integers, never null. */
export type RpcId = string | number;

export interface RpcRequest {
  readonly kind: 'request';
  readonly id: RpcId;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export interface RpcNotification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export interface RpcResponse {
  readonly kind: 'response';
  readonly id: RpcId;
  readonly result: Record<string, unknown> | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } | undefined;
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** In the range that is left to implementations: Cordon's refusals. */
  refused: -32001,
} as const;

const ID_CHARS_MAX = 4096;
const METHOD = /^[A-Za-z$_/]{1,100}$/;
const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseId(value: unknown): RpcId | undefined {
  if (typeof value === 'string') return value.length <= ID_CHARS_MAX ? value : undefined;
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function parseResponse(value: Record<string, unknown>): RpcMessage | string {
  const id = parseId(value['id']);
  if (id === undefined) return 'a response has the id of its request';
  const { result, error } = value;
  if (isRecord(result) && error === undefined) return { kind: 'response', id, result, error: undefined };
  if (result !== undefined || !isRecord(error)) return 'a response has either a result or an error';
  const { code, message, data } = error;
  if (!Number.isSafeInteger(code) || typeof message !== 'string') return 'an error has a code and a message';
  return {
    kind: 'response',
    id,
    result: undefined,
    error: { code: Number(code), message, ...(data === undefined ? {} : { data }) },
  };
}

/**
 * Reads one message; a text says what is wrong with it. Members that the protocol doesn't name are refused: servers
 * that read names without regard to case would take `Method` for `method`, and judge another message than was judged
 * here.
 */
export function parseRpc(value: unknown): RpcMessage | string {
  if (!isRecord(value)) return 'a message is an object';
  if (value['jsonrpc'] !== '2.0') return 'a message says "jsonrpc": "2.0"';
  for (const member of Object.keys(value))
    if (!MEMBERS.has(member)) return 'a message has no other members than JSON-RPC names';
  const { method, params = {} } = value;
  if (method === undefined) return parseResponse(value);
  if (typeof method !== 'string' || !METHOD.test(method)) return 'a method is a plain name';
  if (!isRecord(params)) return 'params are an object';
  if ('result' in value || 'error' in value) return 'a message is a request or a response, not both';
  if (!('id' in value)) return { kind: 'notification', method, params };
  const id = parseId(value['id']);
  return id === undefined ? 'an id is a string or an integer' : { kind: 'request', id, method, params };
}

export function resultText(id: RpcId, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

export function errorText(id: RpcId | null, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } });
}
