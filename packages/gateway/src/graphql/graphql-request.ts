import { checkJson, JSON_LIMITS } from '@cordon/openapi';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { invalidDocument } from './graphql-plan.ts';

type Json = Record<string, unknown>;

/** One document to be executed, as the client sent it. */
export interface GraphqlRequest {
  /** Undefined where only the hash of a persisted query was sent. */
  readonly query: string | undefined;
  readonly variables: Json;
  readonly operationName: string | undefined;
  /** SHA-256 (hex) of Apollo's automatic persisted queries. */
  readonly persisted: string | undefined;
  readonly raw: Json;
}

const MEMBERS = new Set(['query', 'variables', 'operationName', 'extensions']);
const VARIABLES_BYTES_MAX = 1024 * 1024;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function persistedHash(extensions: unknown): string | undefined {
  if (extensions === undefined || extensions === null) return undefined;
  if (!isRecord(extensions)) throw invalidDocument('extensions are an object');
  const persisted = extensions['persistedQuery'];
  if (persisted === undefined) return undefined;
  const hash = isRecord(persisted) ? persisted['sha256Hash'] : undefined;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
    throw invalidDocument('persistedQuery has a sha256Hash');
  return hash;
}

/** Members that nobody named here (`documentId`, `id`, `Query`) could be what the server executes: they are refused. */
export function readRequest(value: unknown): GraphqlRequest {
  if (!isRecord(value)) throw invalidDocument('the request is an object');
  for (const member of Object.keys(value)) {
    if (!MEMBERS.has(member))
      throw invalidDocument('the request has a member besides query, variables, operationName and extensions');
  }
  const { query, variables, operationName, extensions } = value;
  if (query !== undefined && query !== null && typeof query !== 'string') throw invalidDocument('query is a text');
  if (variables !== undefined && variables !== null && !isRecord(variables))
    throw invalidDocument('variables are an object');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw invalidDocument('operationName is a text');
  }
  const persisted = persistedHash(extensions);
  if (typeof query !== 'string' && persisted === undefined) throw invalidDocument('there is no query');
  return {
    query: typeof query === 'string' ? query : undefined,
    variables: isRecord(variables) ? variables : {},
    operationName: typeof operationName === 'string' ? operationName : undefined,
    persisted,
    raw: value,
  };
}

function readJson(bytes: Buffer, depthMax: number): unknown {
  const fault = checkJson(bytes, { ...JSON_LIMITS, depthMax });
  if (fault) throw invalidDocument(`the request is not JSON that can be read in one way only: ${fault.message}`);
  return JSON.parse(bytes.toString('utf8'));
}

/** The query string of a GET. Repeated parameters would be read differently by different servers. */
export function readQueryString(search: string, depthMax: number): GraphqlRequest {
  const parameters = new URLSearchParams(search);
  const value: Json = {};
  for (const [name, text] of parameters) {
    if (!MEMBERS.has(name))
      throw invalidDocument('the query string has a parameter besides query, variables, operationName and extensions');
    if (Object.hasOwn(value, name)) throw invalidDocument(`the parameter ${name} occurs twice`);
    if (text.length > VARIABLES_BYTES_MAX) throw invalidDocument(`the parameter ${name} is too long`);
    const isJson = name === 'variables' || name === 'extensions';
    value[name] = isJson ? readJson(Buffer.from(text), depthMax) : text;
  }
  return readRequest(value);
}

/** The body of a POST: one request, or as many as the app allows in one batch. */
export function readBody(exchange: Exchange, batchMax: number): { requests: GraphqlRequest[]; isBatch: boolean } {
  const { requestBody, requestType, app } = exchange;
  if (!requestBody || requestBody.length === 0) throw invalidDocument('the body is empty');
  if (requestType === 'application/graphql') {
    return { requests: [readRequest({ query: requestBody.toString('utf8') })], isBatch: false };
  }
  if (requestType !== 'application/json') {
    throw new Refusal('gateway.encoding_unsupported', 'Send GraphQL as application/json.');
  }
  const value = readJson(requestBody, app.entry.limits.jsonDepthMax);
  if (!Array.isArray(value)) return { requests: [readRequest(value)], isBatch: false };
  if (value.length === 0 || value.length > batchMax) {
    throw new Refusal(
      'gateway.graphql_too_large',
      `The body has ${value.length} GraphQL requests; this app allows ${batchMax === 1 ? 'one, not in a list' : batchMax}.`,
      {
        detail: { max: batchMax },
      },
    );
  }
  if (batchMax === 1)
    throw new Refusal('gateway.graphql_too_large', 'This app takes one GraphQL request at a time, not a list.');
  return { requests: value.map(readRequest), isBatch: true };
}
