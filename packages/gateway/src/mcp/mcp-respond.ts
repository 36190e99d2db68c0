import { hideSecrets } from '@cordon/kernel';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { VIA } from '../headers.ts';
import { recordCall } from '../record-call.ts';
import { errorText, RPC, type RpcId } from './json-rpc.ts';

/** Not a caller's fault: counted as what could not be carried out rather than as refused. */
const ERROR_STATUS_MIN = 500;
/** Told by the HTTP status, because the transport and not the one request is concerned. */
const TRANSPORT_STATUS = new Set([401, 405, 406, 413, 415, 429, 503]);
const SESSION_CODE = /^gateway\.mcp_(?:session|version|origin|message)_/;

export function commonHeaders(exchange: Exchange, type: string): string[] {
  const headers = ['Content-Type', type, 'Cache-Control', 'no-store', 'Via', VIA, 'X-Cordon-Request-Id', exchange.id];
  return exchange.limitHeaders.length > 0 ? [...headers, ...exchange.limitHeaders] : headers;
}

/** Writes the call's event, then lets `send` answer; a call that can't be recorded is cut where the app says so. */
export function recordThen(exchange: Exchange, send: () => void): Promise<void> {
  if (exchange.redactions > 0 && exchange.decision === 'allow') exchange.decision = 'redact';
  return new Promise((resolve, reject) => {
    recordCall(exchange, (written) => {
      exchange.release();
      if (!written && exchange.app.entry.backPressure === 'refuse') {
        reject(
          new Refusal(
            'gateway.spool_full',
            'The call could not be recorded, and this app is set to answer recorded calls only.',
            {
              headers: [['Retry-After', '5']],
            },
          ),
        );
        return;
      }
      send();
      resolve();
    });
  });
}

/** Answers with JSON, or with nothing but a status. */
export function respondJson(
  exchange: Exchange,
  status: number,
  text: string | null,
  extra: readonly string[] = [],
): Promise<void> {
  const body = text === null ? undefined : Buffer.from(text);
  exchange.sentStatus = status;
  exchange.sentBytes = body?.length ?? 0;
  const headers = [
    ...commonHeaders(exchange, 'application/json'),
    ...extra,
    'Content-Length',
    String(body?.length ?? 0),
  ];
  return recordThen(exchange, () => {
    exchange.response.writeHead(status, headers);
    exchange.response.end(body);
  });
}

/** A refusal as a JSON-RPC error: what a client shows to whoever runs the agent. */
export function refusalText(exchange: Exchange, refusal: Refusal, id: RpcId | null): string {
  const code =
    refusal.code === 'gateway.mcp_method_refused'
      ? RPC.methodNotFound
      : refusal.code === 'gateway.request_invalid'
        ? RPC.invalidParams
        : RPC.refused;
  return errorText(id, code, hideSecrets(refusal.message), {
    ...refusal.detail,
    code: refusal.code,
    status: refusal.status,
    request_id: exchange.id,
  });
}

export function noteRefusal(exchange: Exchange, refusal: Refusal): void {
  exchange.refusal = refusal;
  exchange.decision = refusal.status >= ERROR_STATUS_MIN || refusal.code === 'gateway.client_gone' ? 'error' : 'deny';
}

/** The HTTP status of a refused message: 200 with an error inside, unless the transport itself is concerned. */
export function statusOf(refusal: Refusal, id: RpcId | null): number {
  const isTransport = id === null || TRANSPORT_STATUS.has(refusal.status) || SESSION_CODE.test(refusal.code);
  return isTransport ? refusal.status : 200;
}

export async function respondRpcRefusal(exchange: Exchange, refusal: Refusal, id: RpcId | null): Promise<void> {
  noteRefusal(exchange, refusal);
  if (exchange.aborted || exchange.response.headersSent) {
    exchange.sentStatus = exchange.response.headersSent ? 200 : 0;
    await recordThen(exchange, () => exchange.response.destroy());
    return;
  }
  const extra = refusal.headers.flat();
  if (!exchange.request.complete) extra.push('Connection', 'close');
  await respondJson(exchange, statusOf(refusal, id), refusalText(exchange, refusal, id), extra);
}
