import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isIP } from 'node:net';
import type { GatewayLimits, ListenerConfig } from './config.ts';
import { CallOrder } from './call-order.ts';
import { GatewayError, type GatewayErrorCode, gatewayErrors, Refusal } from './errors.ts';
import type { ListenerPlan } from './exchange.ts';
import { problemBody, refusalType } from './respond-refusal.ts';

export interface Listener {
  readonly plan: ListenerPlan;
  readonly config: ListenerConfig;
  readonly address: AddressInfo;
  /** Takes no new connections, lets calls in flight end for at most `ms`, then cuts what is left. */
  close(ms: number): Promise<void>;
}

type OnRequest = (plan: ListenerPlan, request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface ListenerHooks {
  readonly onRequest: OnRequest;
  /** A request that couldn't be parsed: already answered, to be recorded. */
  readonly onMalformed: (plan: ListenerPlan, socket: Socket, code: GatewayErrorCode, why: string) => void;
}

const IDLE_SWEEP_MS = 50;
const LOOPBACK = /^(?:127\.|::1$|localhost$)/;

/** @throws {GatewayError} `gateway.config_invalid` for plain HTTP on an address that others can reach. */
export function checkPlaintext(config: ListenerConfig): void {
  if (config.tls || config.plaintext === 'behind-proxy') return;
  const loopback = LOOPBACK.test(config.host) && (config.host === 'localhost' || isIP(config.host) !== 0);
  if (loopback) return;
  throw new GatewayError(
    'gateway.config_invalid',
    `The listener ${config.host}:${config.port} has no TLS and is not on a loopback address. ` +
      `Give it a key and certificate, or set plaintext to behind-proxy when something in front of it does TLS.`,
  );
}

export function serverOptions(limits: GatewayLimits): http.ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: 2_000,
    insecureHTTPParser: false,
    // A call without Host is refused by the pipeline, which answers with its own words and records it.
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    noDelay: true,
    optimizeEmptyRequests: true,
  };
}

function createServer(config: ListenerConfig, limits: GatewayLimits): http.Server | https.Server {
  const options = serverOptions(limits);
  if (!config.tls) return http.createServer(options);
  const server = https.createServer({
    ...options,
    key: config.tls.key,
    cert: config.tls.cert,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.headersTimeoutMs,
    // The certificate only proves possession of a key; the token's thumbprint says which key it must be.
    requestCert: config.tls.clientCertificates ?? false,
    rejectUnauthorized: false,
  });
  return server;
}

const PARSER_CODES: Readonly<Record<string, GatewayErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'gateway.headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'gateway.request_timeout',
};

function answerMalformed(socket: Duplex, code: GatewayErrorCode, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = new Refusal(code, message);
  const body = problemBody(refusal, '-');
  const { status } = gatewayErrors[code];
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\nContent-Type: ${refusalType(undefined)}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function guard(server: http.Server | https.Server, plan: ListenerPlan, hooks: ListenerHooks, order: CallOrder): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const parser = error.code?.startsWith('HPE_') || error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!parser) {
      socket.destroy();
      return;
    }
    const code = PARSER_CODES[error.code ?? ''] ?? 'gateway.request_malformed';
    const why = 'reason' in error && typeof error.reason === 'string' ? error.reason : 'not HTTP/1.1';
    hooks.onMalformed(plan, socket as Socket, code, why); // node hands the connection's own socket
    const message =
      code === 'gateway.request_malformed'
        ? `The request is not valid HTTP: ${why}.`
        : 'The request’s head is too large or too slow.';
    order.afterCalls(socket, () => answerMalformed(socket, code, message));
  });
  server.on('connect', (_request: http.IncomingMessage, socket: Duplex) => {
    hooks.onMalformed(plan, socket as Socket, 'gateway.method_refused', 'CONNECT'); // as above
    const message = 'This listener is no forward proxy.';
    order.afterCalls(socket, () => answerMalformed(socket, 'gateway.method_refused', message));
  });
  server.on('checkExpectation', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const refusal = new Refusal('gateway.expectation_refused', 'The only expectation that is met is 100-continue.');
    const body = problemBody(refusal, '-');
    hooks.onMalformed(plan, response.socket!, refusal.code, 'Expect'); // there is one until the answer is sent
    response.writeHead(refusal.status, { 'Content-Type': refusalType(request.headers.accept), Connection: 'close' });
    response.end(body);
  });
}

/** Opens one address. Resolves when it accepts connections. */
export function openListener(
  config: ListenerConfig,
  limits: GatewayLimits,
  reusePort: boolean,
  hooks: ListenerHooks,
): Promise<Listener> {
  checkPlaintext(config);
  const secure = config.tls !== undefined;
  const plan: ListenerPlan = { kind: config.kind, secure, publicUrl: config.publicUrl, app: config.app };
  const server = createServer(config, limits);
  // Node drops fields past a count without a word; the accept step refuses them instead.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connectionsMax;
  server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
  const order = new CallOrder();
  const run = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    hooks.onRequest(plan, request, response);
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    order.admit(request, response, run);
  server.on('request', onRequest);
  // The body is asked for when the headers have been judged.
  server.on('checkContinue', onRequest);
  guard(server, plan, hooks, order);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: config.host, port: config.port, reusePort: reusePort && config.port !== 0 }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo; // listening on a host and port
      resolve({ plan, config, address, close: (ms) => closeServer(server, ms) });
    });
  });
}

function closeServer(server: http.Server | https.Server, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), ms);
    // A connection whose call ends now is kept alive for a next one, and would hold the drain until the cut.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
