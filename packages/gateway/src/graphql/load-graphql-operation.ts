import { canonicalPath } from '@cordon/openapi';
import type { GraphqlSettings } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { respondJson } from '../mcp/mcp-respond.ts';
import type { ResolvedOperation } from '../operations.ts';
import { loadRequestBody } from '../steps/load-request-body.ts';
import { findSchemaViolation } from './graphql-documents.ts';
import { graphqlFacts } from './graphql-operation-id.ts';
import { type GraphqlPlan, invalidDocument, parseDocument, planDocument } from './graphql-plan.ts';
import { type GraphqlRequest, readBody, readQueryString } from './graphql-request.ts';

const OPERATIONS_MAX = 200;
const IN_QUERY = new Set(['query', 'operationname', 'variables', 'extensions', 'documentid', 'id']);
/** What a client of persisted queries understands as "send the document too" (Apollo's protocol). */
const NOT_FOUND = JSON.stringify({
  errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
});

function normal(path: string): string {
  const plain = path.toLowerCase().replace(/\/+$/, '');
  return plain === '' ? '/' : plain;
}

/** Whether a call is for one of the app's GraphQL endpoints, in whatever spelling a server may take for it. */
export function isGraphqlCall(exchange: Exchange): boolean {
  const { graphql } = exchange.app.entry;
  if (!graphql) return false;
  const mark = exchange.path.indexOf('?');
  const canonical = canonicalPath(mark === -1 ? exchange.path : exchange.path.slice(0, mark));
  if (!canonical.ok) return false; // refused by the ordinary resolution
  const path = normal(canonical.path);
  return graphql.paths.some((one) => normal(one) === path);
}

async function checkSchema(exchange: Exchange, plan: GraphqlPlan, request: GraphqlRequest): Promise<void> {
  const { app, runtime, tables } = exchange;
  const mode = app.entry.validateRequests;
  const entry = tables!.graphqlSchema(app.entry.id); // the accept step refused the call otherwise
  if (!entry || mode === 'off') return;
  const schema = await runtime.graphql.schema(entry).catch((error: unknown) => {
    throw new Refusal(
      'gateway.operation_table_unavailable',
      `The GraphQL schema of ${app.entry.title} could not be fetched from control yet. Try again.`,
      { headers: [['Retry-After', '2']], cause: error },
    );
  });
  const why = findSchemaViolation(schema, plan.document, request);
  if (why === undefined) return;
  if (mode === 'observe') exchange.notes.push('request-invalid');
  else throw invalidDocument(why.replace(/\.$/, ''));
}

/** The document of a request that may carry only its hash; undefined when this process doesn't know it. */
function documentOf(exchange: Exchange, request: GraphqlRequest, settings: GraphqlSettings): string | undefined {
  const { persisted, query } = request;
  if (persisted === undefined) return query;
  if (settings.persistedQueries !== 'allow') throw invalidDocument('this app takes no persisted queries');
  const { graphql } = exchange.runtime;
  const appId = exchange.app.entry.id;
  if (query === undefined) return graphql.recall(appId, persisted);
  if (!graphql.remember(appId, persisted, query))
    throw invalidDocument('the persisted query is not what its hash says');
  return query;
}

interface Received {
  readonly requests: readonly GraphqlRequest[];
  readonly isBatch: boolean;
}

async function receive(exchange: Exchange, settings: GraphqlSettings): Promise<Received> {
  const mark = exchange.path.indexOf('?');
  const search = mark === -1 ? '' : exchange.path.slice(mark + 1);
  if (exchange.method === 'GET' && settings.get === 'allow') {
    const request = readQueryString(search, exchange.app.entry.limits.jsonDepthMax);
    return { requests: [request], isBatch: false };
  }
  if (exchange.method !== 'POST') {
    throw new Refusal('gateway.graphql_method_refused', 'Send GraphQL by POST.', { headers: [['Allow', 'POST']] });
  }
  // A server that looks into the query string first would execute what nobody judged.
  if ([...new URLSearchParams(search).keys()].some((name) => IN_QUERY.has(name.toLowerCase()))) {
    throw invalidDocument('a POST has its document in the body, not in the address');
  }
  await loadRequestBody(exchange);
  return readBody(exchange, settings.batchMax);
}

/** What was judged is what is sent: a hash alone goes on with its document. */
function restoreDocuments(exchange: Exchange, received: Received, documents: readonly string[]): void {
  if (received.requests.every(({ query }) => query !== undefined)) return;
  const full = received.requests.map(({ raw }, index) => ({ ...raw, query: documents[index] }));
  if (exchange.method === 'POST') {
    exchange.requestBody = Buffer.from(JSON.stringify(received.isBatch ? full : full[0]));
    return;
  }
  exchange.path += `&query=${encodeURIComponent(documents[0]!)}`; // a GET has one
}

function assignOperations(exchange: Exchange, plans: readonly GraphqlPlan[]): void {
  const found = new Map<string, ResolvedOperation[]>();
  for (const { id, parameters } of plans.flatMap(({ operations }) => operations)) {
    const operation = { id, template: graphqlFacts(id)?.path ?? null, parameters, described: null };
    found.set(id, [...(found.get(id) ?? []), operation]);
  }
  const all = [...found.values()].flat();
  if (all.length > OPERATIONS_MAX) {
    throw new Refusal(
      'gateway.graphql_too_large',
      `The request has ${all.length} operations; ${OPERATIONS_MAX} are judged at most.`,
    );
  }
  // A write names the call: it is what people look for in the record.
  const isWrite = ({ id }: ResolvedOperation): boolean => id.startsWith('graphql.mutation.');
  const [first, ...further] = [...all.filter(isWrite), ...all.filter((one) => !isWrite(one))];
  exchange.operation = first;
  exchange.furtherOperations = further;
  if (further.length > 0) exchange.notes.push(...further.slice(0, 20).map(({ id }) => id));
  exchange.literals = Object.assign({}, ...plans.map(({ literals }) => literals)) as Record<string, string>; // texts by place
}

/**
 * Finds out what a GraphQL call does: parses its documents, holds them to the app's limits and schema, and names each
 * field that it asks for as an operation.
 */
export async function loadGraphqlOperation(exchange: Exchange): Promise<void> {
  exchange.isGraphql = true;
  const settings = exchange.app.entry.graphql!; // isGraphqlCall said so
  const received = await receive(exchange, settings);
  const documents: string[] = [];
  const plans: GraphqlPlan[] = [];
  for (const request of received.requests) {
    const query = documentOf(exchange, request, settings);
    if (query === undefined) {
      exchange.finished = true;
      exchange.notes.push('graphql-persisted-unknown');
      return respondJson(exchange, 200, NOT_FOUND);
    }
    const plan = planDocument(parseDocument(query, settings), request, settings);
    if (plan.kind !== 'query' && exchange.method === 'GET') {
      throw new Refusal('gateway.graphql_method_refused', `A ${plan.kind} is sent by POST.`, {
        headers: [['Allow', 'POST']],
      });
    }
    await checkSchema(exchange, plan, request);
    documents.push(query);
    plans.push(plan);
  }
  assignOperations(exchange, plans);
  restoreDocuments(exchange, received, documents);
}
