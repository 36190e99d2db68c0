import type { McpItemEntry } from '@cordon/policy';
import { type GatewayErrorCode, Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { checkGrant } from '../steps/check-grant.ts';
import { checkInjection } from '../steps/check-injection.ts';
import { checkLimits } from '../steps/check-limits.ts';
import { checkRequirements, useApproval } from '../steps/check-requirements.ts';
import { inspectRequest } from '../steps/inspect-request.ts';
import { isRecord, type RpcRequest } from './json-rpc.ts';
import { CLIENT_REQUESTS, type MethodRule, PARAMS } from './mcp-methods.ts';
import { argumentViolations } from './mcp-result.ts';
import type { McpSession } from './mcp-session.ts';
import { coversForSome, hasGrant, mcpFacts, mcpOperationId } from './mcp-tables.ts';
import { prepareUpstream } from './mcp-upstream.ts';
import { verifyItems } from './mcp-verify.ts';

const PARAMETER_CHARS_MAX = 512;

function invalidParams(method: string, why: string): Refusal {
  return new Refusal('gateway.request_invalid', `The parameters of ${method} are not valid: ${why}.`, {
    detail: { operation: method },
  });
}

/** Plain arguments by name, so that a grant's resource scope and policies can look at them. */
function parametersOf(value: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, item] of Object.entries(isRecord(value) ? value : {})) {
    if (typeof item === 'string' && item.length <= PARAMETER_CHARS_MAX) found[name] = item;
    else if (typeof item === 'number' || typeof item === 'boolean') found[name] = String(item);
  }
  return found;
}

interface Target {
  readonly id: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly item?: { readonly kind: 'tool' | 'prompt' | 'resource' | 'resource-template'; readonly name: string };
}

function nameOf(request: RpcRequest, member: string): string {
  const value = request.params[member];
  if (typeof value !== 'string' || value === '' || value.length > 2048) {
    throw invalidParams(request.method, `${member} is a text`);
  }
  return value;
}

function completionTarget(request: RpcRequest): Target {
  const { ref } = request.params;
  if (isRecord(ref) && ref['type'] === 'ref/prompt' && typeof ref['name'] === 'string') {
    return { id: mcpOperationId.prompt(ref['name']), parameters: {}, item: { kind: 'prompt', name: ref['name'] } };
  }
  if (isRecord(ref) && ref['type'] === 'ref/resource' && typeof ref['uri'] === 'string') {
    const name = ref['uri'];
    const kind = name.includes('{') ? 'resource-template' : 'resource';
    return { id: mcpOperationId.resource(name), parameters: {}, item: { kind, name } };
  }
  throw invalidParams(request.method, 'ref is a prompt or a resource');
}

function targetOf(request: RpcRequest, rule: MethodRule): Target {
  switch (rule.kind) {
    case 'tool': {
      const name = nameOf(request, 'name');
      const { arguments: given = {} } = request.params;
      if (!isRecord(given)) throw invalidParams(request.method, 'arguments are an object');
      return { id: mcpOperationId.tool(name), parameters: parametersOf(given), item: { kind: 'tool', name } };
    }
    case 'prompt': {
      const name = nameOf(request, 'name');
      const parameters = parametersOf(request.params['arguments']);
      return { id: mcpOperationId.prompt(name), parameters, item: { kind: 'prompt', name } };
    }
    case 'resource': {
      const uri = nameOf(request, 'uri');
      return { id: mcpOperationId.resource(uri), parameters: { uri }, item: { kind: 'resource', name: uri } };
    }
    case 'completion':
      return completionTarget(request);
    default:
      return { id: mcpOperationId.session(request.method), parameters: {} };
  }
}

export function assignOperation(
  exchange: Exchange,
  id: string,
  parameters: Readonly<Record<string, string>> = {},
): void {
  const facts = mcpFacts(exchange.tables!.mcp, exchange.app.entry.id, id); // the accept step refused the call otherwise
  exchange.operation = { id, template: facts?.path ?? null, parameters, described: null };
}

function decide(exchange: Exchange, operationId: string) {
  const { runtime, caller, app } = exchange;
  return runtime.authorizer!.decide({
    integrationId: caller.integration.id,
    appId: app.entry.id,
    operationId,
    context: {
      time: exchange.startedAt,
      sourceAddress: exchange.sourceAddress,
      assurance: caller.token.assurance,
      listener: 'mcp',
      parameters: {},
    },
  }); // there is an authorizer once there are tables
}

function grantsOf(exchange: Exchange) {
  return exchange.tables!.mcp.grants(exchange.caller.integration.id, exchange.app.entry.id); // see assignOperation
}

/** Requests about no single operation: refused by what forbids them, and to whoever has no grant on the app. */
export function checkSession(exchange: Exchange): void {
  const { caller, app, operation } = exchange;
  const decision = decide(exchange, operation!.id); // assigned before
  exchange.policies = decision.policies;
  if (decision.decision === 'allow') return;
  if (decision.decision === 'no-match' && hasGrant(grantsOf(exchange), exchange.startedAt)) return;
  throw new Refusal(
    'gateway.not_authorized',
    decision.decision === 'deny'
      ? decision.explanation
      : `The integration ${caller.integration.name} has no grant on ${app.entry.name}.`,
    {
      detail: { app: app.entry.name, integration: caller.integration.name, operation: operation!.id },
    },
  );
}

/** Whether a list may show an operation: it is allowed, or is for some arguments. */
export function isVisible(exchange: Exchange, operationId: string): boolean {
  const { decision } = decide(exchange, operationId);
  if (decision !== 'no-match') return decision === 'allow';
  const facts = mcpFacts(exchange.tables!.mcp, exchange.app.entry.id, operationId); // see assignOperation
  return facts !== undefined && coversForSome(grantsOf(exchange), facts, exchange.startedAt);
}

function withheld(exchange: Exchange, item: McpItemEntry): Refusal {
  const why =
    item.state === 'rejected'
      ? 'was looked at and rejected'
      : 'is suspended: the server changed its definition since it was accepted, and nobody has looked at the difference yet';
  return new Refusal('gateway.mcp_item_withheld' satisfies GatewayErrorCode, `The ${item.kind} ${item.name} ${why}.`, {
    detail: {
      app: exchange.app.entry.name,
      operation: item.name,
      help: `Whoever owns the app can look: cordon mcp show ${exchange.app.entry.name} ${item.name}`,
    },
  });
}

function checkArguments(exchange: Exchange, request: RpcRequest, item: McpItemEntry): void {
  const mode = exchange.app.entry.validateRequests;
  if (mode === 'off') return;
  const violations = argumentViolations(item, request.params['arguments'] ?? {});
  const first = violations[0];
  if (!first) return;
  if (mode === 'observe') {
    exchange.notes.push('request-invalid');
    return;
  }
  throw new Refusal(
    'gateway.request_invalid',
    `The arguments do not fit ${item.name}: ${first.message} (arguments${first.pointer}).`,
    {
      detail: {
        operation: item.name,
        errors: violations.map(({ pointer, field, keyword, message }) => ({
          in: 'body',
          pointer: `/params/arguments${pointer}`,
          field,
          keyword,
          message,
        })),
      },
    },
  );
}

/** The decided item that a target stands for. A resource has one of its own or comes from an accepted template. */
function itemOf(exchange: Exchange, target: Target): McpItemEntry | undefined {
  const { app, tables } = exchange;
  const { mcp } = tables!; // see assignOperation
  if (!target.item) return undefined;
  const { kind, name } = target.item;
  if (kind === 'tool' || kind === 'prompt') return mcp.item(app.entry.id, kind, name);
  if (app.entry.mcp!.resources === 'granted') return undefined; // only MCP apps come here
  const item = kind === 'resource' ? mcp.resource(app.entry.id, name) : mcp.item(app.entry.id, kind, name);
  if (item) return item;
  throw new Refusal('gateway.mcp_item_withheld', `Nobody has accepted the resource ${name} yet.`, {
    detail: {
      app: app.entry.name,
      operation: target.id,
      help: `Whoever owns the app can look: cordon mcp items ${app.entry.name}`,
    },
  });
}

/**
 * Everything that is decided about a request before the server sees a byte of it. Returns the accepted item that it
 * uses, if it uses one.
 *
 * @throws {Refusal}
 */
export async function judgeRequest(
  exchange: Exchange,
  session: McpSession | undefined,
  request: RpcRequest,
): Promise<McpItemEntry | undefined> {
  const rule = Object.hasOwn(CLIENT_REQUESTS, request.method) ? CLIENT_REQUESTS[request.method] : undefined;
  if (!rule) {
    assignOperation(exchange, mcpOperationId.session(request.method));
    throw new Refusal('gateway.mcp_method_refused', `The method ${request.method} is not passed on.`);
  }
  const members = PARAMS[request.method];
  const extra = members && Object.keys(request.params).find((name) => !members.includes(name));
  const target = targetOf(request, rule);
  assignOperation(exchange, target.id, target.parameters);
  if (extra !== undefined) throw invalidParams(request.method, 'they have a member that is not known');
  const isSession = rule.kind === 'session' || rule.kind === 'list';
  if (isSession) checkSession(exchange);
  else checkGrant(exchange);
  await checkLimits(exchange);
  const { runtime } = exchange;
  const item = itemOf(exchange, target);
  if (item && item.state !== 'accepted') throw withheld(exchange, item);
  if (item?.kind === 'tool') checkArguments(exchange, request, item);
  checkInjection(exchange);
  if (!isSession) checkRequirements(exchange);
  inspectRequest(exchange);
  if (!isSession) await useApproval(exchange);
  prepareUpstream(exchange);
  if (session && item && item.kind !== 'instructions' && item.kind !== 'contents')
    await verifyItems(exchange, session, item.kind);
  if (item && !runtime.mcp.catalog.isUsable(item)) throw withheld(exchange, item);
  return item;
}
