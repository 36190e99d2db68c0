import { hideSecrets } from '@cordon/kernel';
import { type CallFacts, httpActivity } from '@cordon/lake';
import { Refusal } from '../errors.ts';
import { VIA } from '../headers.ts';
import { problemBody, refusalType } from '../respond-refusal.ts';
import type { Hook } from './hook.ts';

const USER_AGENT_CHARS_MAX = 256;
const ERROR_STATUS_MIN = 500;
const SUPPRESSED_EVENTS = 'cordon_gateway_events_aggregated_total';
const LOST_EVENTS = 'cordon_gateway_events_lost_total';

function describe(hook: Hook): string {
  const { target, refusal, request } = hook;
  const { gateway } = hook.runtime;
  const userAgent = request.headers['user-agent'];
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const failed =
    refusal !== undefined && (refusal.status >= ERROR_STATUS_MIN || refusal.code === 'gateway.client_gone');
  const name = target?.plan.entry.name;
  const event: CallFacts = {
    id: hook.id,
    time: hook.startedAt,
    role: 'gateway',
    ...(target && {
      integration: { id: target.integration.id, name: target.integration.name },
      app: { id: target.app.id, name: target.app.name },
      resources: [
        { id: target.plan.entry.id, name: target.plan.entry.name, type: 'webhook' },
        ...(hook.type === '' ? [] : [{ name: hook.type, type: 'webhook-event-type' }]),
      ],
    }),
    source: { ip: hook.sourceAddress, port: hook.sourcePort },
    request: {
      method: hook.method,
      path: target ? path : hideSecrets(path),
      ...(hook.host !== '' && { hostname: hook.host }),
      scheme: hook.listener.secure ? 'https' : 'http',
      ...(userAgent !== undefined && { userAgent: userAgent.slice(0, USER_AGENT_CHARS_MAX) }),
      version: '1.1',
      requestId: hook.id,
      bytes: hook.requestBytes,
    },
    ...(hook.sentStatus !== 0 && { response: { status: hook.sentStatus, bytes: 0 } }),
    decision: refusal ? (failed ? 'error' : 'deny') : hook.unwanted ? 'deny' : 'allow',
    ...(refusal && { reason: refusal.code, reasonText: refusal.message }),
    ...(hook.unwanted && {
      reason: 'gateway.webhook_unwanted',
      reasonText: `Deliveries of the type ${hook.type} are not handed on by this endpoint.`,
    }),
    message: `Webhook${name === undefined ? '' : ` ${name}`}${hook.type === '' ? '' : `: ${hook.type}`}`,
    durationMs: Math.round((performance.now() - hook.startedTick) * 1000) / 1000,
    findings: hook.findings,
    redactions: hook.redactions,
    gatewayId: gateway.config.gatewayId,
    snapshotVersion: hook.tables?.version ?? 0,
    labels: hook.notes,
  };
  return JSON.stringify(httpActivity(event));
}

/** Writes the request's one event, then calls back; `written` is false when it couldn't be stored. */
function record(hook: Hook, done: (written: boolean) => void): void {
  if (hook.recorded) return done(true);
  hook.recorded = true;
  const { gateway } = hook.runtime;
  const seconds = (performance.now() - hook.startedTick) / 1000;
  gateway.metrics.observe(hook.target?.app.name ?? '-', hook.sentStatus, seconds);
  if (hook.refusal) gateway.metrics.refuse(hook.refusal.code);
  if (!hook.verified && !gateway.refusals.admits(hook.sourceAddress)) {
    gateway.metrics.count(SUPPRESSED_EVENTS);
    gateway.refusals.suppress(hook.sourceAddress, () => describe(hook));
    return done(true);
  }
  gateway.spool.append(describe(hook), true, (error) => {
    if (error) gateway.metrics.count(LOST_EVENTS);
    done(error === undefined);
  });
}

/** Answers what the steps decided, once the event is on disk. */
export function respondHook(hook: Hook): void {
  const { response, answer } = hook;
  const isGone = hook.aborted || response.destroyed;
  hook.sentStatus = isGone ? 0 : (answer?.status ?? 200);
  record(hook, (written) => {
    hook.release();
    if (isGone) return void response.destroy();
    if (!written) {
      const refusal = new Refusal('gateway.spool_full', 'The delivery could not be recorded. Send it again.');
      return send(hook, refusal.status, refusalType(hook.request.headers.accept), problemBody(refusal, hook.id), []);
    }
    return send(hook, answer?.status ?? 200, answer?.contentType ?? 'text/plain', answer?.body ?? '', []);
  });
}

export function respondHookRefusal(hook: Hook, refusal: Refusal): void {
  hook.refusal = refusal;
  const isGone = hook.aborted || hook.response.destroyed || hook.response.headersSent;
  hook.sentStatus = isGone ? 0 : refusal.status;
  record(hook, () => {
    hook.release();
    if (isGone) return void hook.response.destroy();
    const headers = refusal.headers.flat();
    if (!hook.request.complete && !headers.includes('Connection')) headers.push('Connection', 'close');
    return send(hook, refusal.status, refusalType(hook.request.headers.accept), problemBody(refusal, hook.id), headers);
  });
}

function send(hook: Hook, status: number, contentType: string, body: string, extra: readonly string[]): void {
  const bytes = Buffer.from(body);
  hook.response.writeHead(status, [
    'Content-Type',
    contentType,
    'Content-Length',
    String(bytes.length),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'Via',
    VIA,
    'X-Cordon-Request-Id',
    hook.id,
    ...extra,
  ]);
  hook.response.end(bytes);
}
