import { apiActivity, type ApiCallFacts } from '@cordon/lake';
import { hideSecrets } from '@cordon/kernel';
import type { Exchange } from './exchange.ts';
import { listenerOf } from './steps/check-grant.ts';
import { recordsOf } from './steps/check-limits.ts';

const USER_AGENT_CHARS_MAX = 256;
const PATH_CHARS_MAX = 1024;

function pathOnly(exchange: Exchange): string {
  const full = exchange.located ? exchange.path : (exchange.request.url ?? '');
  const query = full.indexOf('?');
  const path = query === -1 ? full : full.slice(0, query);
  // An unresolved path may hold anything, a token typed in the wrong place included.
  return (exchange.operation ? path : hideSecrets(path)).slice(0, PATH_CHARS_MAX);
}

/** The one event of a call. Queries, bodies and header values stay out: they carry what the lake must not hold. */
export function describeCall(exchange: Exchange): string {
  const { runtime, located, identity, request, refusal, operation } = exchange;
  const userAgent = request.headers['user-agent'];
  const contentType = exchange.answer?.contentType;
  const facts: ApiCallFacts = {
    id: exchange.id,
    time: exchange.startedAt,
    role: 'gateway',
    operation: operation?.id ?? 'unknown',
    ...(operation?.template != null && { pathTemplate: operation.template }),
    ...(identity && { integration: { id: identity.integration.id, name: identity.integration.name } }),
    ...(located && {
      app: { id: located.app.entry.id, name: located.app.entry.name },
      destination: { hostname: located.target.hostname },
    }),
    source: { ip: exchange.sourceAddress, port: exchange.sourcePort },
    request: {
      method: exchange.method,
      path: pathOnly(exchange),
      ...(exchange.host !== '' && { hostname: exchange.host }),
      scheme: exchange.listener.secure ? 'https' : 'http',
      ...(userAgent !== undefined && { userAgent: userAgent.slice(0, USER_AGENT_CHARS_MAX) }),
      version: '1.1',
      requestId: exchange.id,
      bytes: exchange.requestBytes,
    },
    ...(exchange.sentStatus !== 0 && {
      response: {
        status: exchange.sentStatus,
        bytes: exchange.sentBytes,
        ...(contentType !== undefined && contentType !== '' && { contentType }),
      },
    }),
    decision: exchange.decision,
    ...(refusal && { reason: refusal.code, reasonText: refusal.message }),
    policies: exchange.policies,
    durationMs: Math.round((performance.now() - exchange.startedTick) * 1000) / 1000,
    ...(exchange.upstreamMs !== undefined && { upstreamMs: Math.round(exchange.upstreamMs * 1000) / 1000 }),
    findings: exchange.findings,
    redactions: exchange.redactions,
    ...(exchange.justification !== null && { justification: hideSecrets(exchange.justification) }),
    records: recordsOf(exchange),
    gatewayId: runtime.config.gatewayId,
    ...(identity && { assurance: identity.token.assurance }),
    ...(located && { listener: listenerOf(exchange) }),
    snapshotVersion: exchange.tables?.version ?? 0,
    ...(exchange.notes.length > 0 && { labels: exchange.notes }),
  };
  return JSON.stringify(apiActivity(facts));
}
