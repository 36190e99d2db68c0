import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { ResolvedOperation } from '../operations.ts';

/** Default deny: the call goes on only when a grant covers its operation and no policy forbids it. */
export function checkGrant(exchange: Exchange): void {
  // A document of several operations is granted when each of them is.
  for (const operation of exchange.furtherOperations) checkOperation(exchange, operation);
  checkOperation(exchange, exchange.operation!); // the operation step refused the call otherwise
}

function checkOperation(exchange: Exchange, operation: ResolvedOperation): void {
  const { runtime, caller, app } = exchange;
  const decision = runtime.authorizer!.decide({
    integrationId: caller.integration.id,
    appId: app.entry.id,
    operationId: operation.id,
    context: {
      time: exchange.startedAt,
      sourceAddress: exchange.sourceAddress,
      assurance: caller.token.assurance,
      listener: listenerOf(exchange),
      parameters: operation.parameters,
    },
  });
  exchange.policies = decision.policies;
  if (decision.decision === 'allow') return;
  throw new Refusal('gateway.not_authorized', sentence(decision.explanation), {
    detail: {
      operation: operation.id,
      app: app.entry.name,
      integration: caller.integration.name,
      policy: decision.policies.map(({ name }) => name),
      decision: decision.decision,
      help: `Whoever owns the app ${app.entry.name} can grant it: cordon grant add ${caller.integration.name} ${app.entry.name} --operation ${operation.id}`,
    },
    headers: [['WWW-Authenticate', 'Bearer realm="cordon", error="insufficient_scope"']],
  });
}

/** Where a call came in, as policies see it. */
export function listenerOf({ app, located, listener }: Exchange): 'mcp' | 'path' | 'host' | 'port' {
  if (app.entry.mcp) return 'mcp';
  if (located!.links === app.sharedLinks) return 'path'; // past the accept step
  return listener.app === undefined ? 'host' : 'port';
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith('.') ? '' : '.');
}
