import { STATUS_CODES } from 'node:http';
import { hideSecrets } from '@cordon/kernel';
import { type GatewayErrorCode, gatewayErrors, Refusal } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { VIA } from './headers.ts';
import { recordCall } from './record-call.ts';

const UNREAD_BYTES_MAX = 64 * 1024;
/** Not a caller's fault: counted as what could not be carried out rather than as refused. */
const ERROR_STATUS_MIN = 500;

const PROBLEM_TYPE = 'application/problem+json';
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * SDKs of vendors show the sentence of a refusal, and some throw at all, only for `application/json`; who asks for
 * problem details by their name gets them.
 */
export function refusalType(accept: string | undefined): string {
  const asked = accept?.split(',').find((part) => part.trim().toLowerCase().startsWith(PROBLEM_TYPE));
  return asked === undefined || /;\s*q=0(?:\.0{0,3})?\s*(?:;|$)/i.test(asked) ? JSON_TYPE : PROBLEM_TYPE;
}

/**
 * RFC 9457 problem details of a refusal, with the members in which the SDKs of vendors look for an explanation:
 * `message` (Octokit) and `error` (Stripe, Google, Microsoft Graph).
 */
export function problemBody(refusal: Refusal, requestId: string): string {
  const detail = hideSecrets(refusal.message);
  return JSON.stringify({
    ...refusal.detail,
    type: `urn:cordon:error:${refusal.code}`,
    title: STATUS_CODES[refusal.status] ?? 'Refused',
    status: refusal.status,
    detail,
    code: refusal.code,
    instance: `urn:cordon:request:${requestId}`,
    request_id: requestId,
    message: detail,
    error: { type: 'cordon_refusal', code: refusal.code, message: detail },
  });
}

/** Clients of GraphQL look for what went wrong in `errors` (GraphQL over HTTP, section 7.1). */
function asGraphql(refusal: Refusal): Refusal {
  const { code, message, headers, detail } = refusal;
  const errors = [{ message: hideSecrets(message), extensions: { code } }];
  return new Refusal(code, message, { detail: { ...detail, errors }, headers });
}

/** Whatever is not a refusal is a fault of ours: logged in full, answered opaquely. */
export function toRefusal(error: unknown, exchange: Exchange): Refusal {
  if (error instanceof Refusal) return error;
  exchange.runtime.logger.error({ err: error, requestId: exchange.id }, 'a call failed inside the gateway');
  const refusal = new Refusal(
    'gateway.internal' satisfies GatewayErrorCode,
    `Something went wrong inside the gateway. Give the request id ${exchange.id} to your operator.`,
    { cause: error },
  );
  return refusal;
}

/** True when so much of the request is unread that reading it to the end, only to drop it, isn't worth it. */
function leavesBodyUnread(exchange: Exchange): boolean {
  const { request } = exchange;
  if (request.complete) return false;
  if (request.headers['transfer-encoding'] !== undefined) return true;
  return Number(request.headers['content-length'] ?? 0) > UNREAD_BYTES_MAX;
}

/** Answers a call that goes no further. It is recorded like any other. */
export function respondRefusal(exchange: Exchange, refusal: Refusal): void {
  const { response } = exchange;
  exchange.refusal = refusal;
  exchange.decision = refusal.status >= ERROR_STATUS_MIN || refusal.code === 'gateway.client_gone' ? 'error' : 'deny';
  exchange.onAbort?.();
  const gone = exchange.aborted || response.destroyed || response.headersSent;
  const body = Buffer.from(problemBody(exchange.isGraphql ? asGraphql(refusal) : refusal, exchange.id));
  exchange.sentStatus = gone ? 0 : refusal.status;
  exchange.sentBytes = gone || exchange.method === 'HEAD' ? 0 : body.length;
  const headers: string[] = [
    'Content-Type',
    refusalType(exchange.request.headers.accept),
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Via',
    VIA,
    'X-Cordon-Request-Id',
    exchange.id,
    ...refusal.headers.flat(),
  ];
  if (exchange.limitHeaders.length > 0 && !refusal.headers.some(([name]) => name === 'RateLimit')) {
    headers.push(...exchange.limitHeaders);
  }
  if (leavesBodyUnread(exchange)) headers.push('Connection', 'close');
  recordCall(exchange, () => {
    exchange.release();
    if (gone) {
      response.destroy();
      return;
    }
    response.writeHead(gatewayErrors[refusal.code].status, headers);
    response.end(exchange.method === 'HEAD' ? undefined : body);
  });
}
