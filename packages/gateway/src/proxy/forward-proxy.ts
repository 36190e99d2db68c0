import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { ListenerConfig } from '../config.ts';
import { Refusal } from '../errors.ts';
import type { ListenerPlan } from '../exchange.ts';
import { checkPlaintext, serverOptions } from '../listener.ts';
import { problemBody, refusalType } from '../respond-refusal.ts';
import type { GatewayRuntime } from '../runtime.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';
import { checkReady } from '../steps/accept-request.ts';
import { type Destination, judgeDestination, type ProxyDecision, readAuthority } from './destination.ts';
import { LeafCertificates } from './leaf-certificates.ts';
import { forwardPlain } from './plain-request.ts';
import { ProxyPassage } from './proxy-event.ts';
import {
  type CertificateTokenRequest,
  type ProxyCaller,
  ProxyIdentities,
  type TokenRequest,
} from './proxy-identity.ts';
import { carry, connectTunnel, peekHello } from './tunnel.ts';

/** Tunnels of one integration at a time in one process. */
const TUNNELS_PER_INTEGRATION_MAX = 256;
const HANDSHAKE_MS_MAX = 10_000;
/** How soon a tunnel learns that its integration was cut off. */
const SWEEP_MS = 250;
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

export interface ForwardProxyDeps {
  readonly runtime: GatewayRuntime;
  readonly config: Omit<ListenerConfig, 'kind' | 'app'>;
  readonly requestToken: TokenRequest | undefined;
  readonly requestCertificateToken: CertificateTokenRequest;
  /** Runs the pipeline for a call that came in by an opened connection. */
  readonly serve: (plan: ListenerPlan, request: http.IncomingMessage, response: http.ServerResponse) => void;
}

export interface ForwardProxy {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** One connection's place in the proxy, found again by its socket when a call comes in over it. */
interface Opened {
  readonly plan: ListenerPlan;
}

/** HTTPS_PROXY and HTTP_PROXY: CONNECT, and requests in absolute form (RFC 9110, section 7.6 and 9.3.6). */
class ProxyServer {
  readonly #deps: ForwardProxyDeps;
  readonly #identities: ProxyIdentities;
  readonly #leaves: LeafCertificates;
  readonly #server: http.Server | https.Server;
  /** Speaks HTTP on opened connections; listens on nothing. */
  readonly #inner: http.Server;
  readonly #opened = new WeakMap<object, Opened>();
  readonly #stop = new AbortController();
  readonly #tunnels = new Map<string, number>();
  /** Tunnels of bytes that are open, so that a revocation ends them too. */
  readonly #live = new Map<AbortController, ProxyCaller>();
  #sweep: NodeJS.Timeout | undefined;
  #epoch = 0;

  constructor(deps: ForwardProxyDeps) {
    this.#deps = deps;
    const { runtime, config } = deps;
    this.#identities = new ProxyIdentities(runtime, deps.requestToken, deps.requestCertificateToken);
    this.#leaves = new LeafCertificates(runtime.envelope, () => runtime.clock.now());
    checkPlaintext({ ...config, kind: 'api' });
    const options = serverOptions(runtime.limits);
    this.#server = config.tls
      ? https.createServer({
          ...options,
          key: config.tls.key,
          cert: config.tls.cert,
          minVersion: 'TLSv1.2',
          ALPNProtocols: ['http/1.1'],
          requestCert: config.tls.clientCertificates ?? false,
          rejectUnauthorized: false,
          handshakeTimeout: runtime.limits.headersTimeoutMs,
        })
      : http.createServer(options);
    this.#server.maxConnections = runtime.limits.connectionsMax;
    this.#server.on(
      'connect',
      (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void this.#connect(request, socket, head),
    );
    this.#server.on('request', (request, response) => void this.#plain(request, response));
    this.#inner = http.createServer(options);
    this.#inner.maxHeadersCount = 0;
    const onInner = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      const opened = this.#opened.get(request.socket);
      if (opened) deps.serve(opened.plan, request, response);
      else response.destroy();
    };
    this.#inner.on('request', onInner);
    this.#inner.on('checkContinue', onInner);
    this.#inner.on('clientError', (_error, socket) => socket.destroy());
  }

  listen(): Promise<AddressInfo> {
    this.#sweep = setInterval(() => this.#endRevoked(), SWEEP_MS);
    const { config, runtime } = this.#deps;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      const reusePort = (runtime.config.reusePort ?? false) && config.port !== 0;
      this.#server.listen({ host: config.host, port: config.port, reusePort }, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo); // listening on a host and port
      });
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#stop.abort();
    for (const live of this.#live.keys()) live.abort();
    this.#server.closeAllConnections();
    this.#inner.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** After the epoch moved: ends what whoever was cut off still has open. */
  #endRevoked(): void {
    const { tables } = this.#deps.runtime;
    if (!tables || tables.epoch === this.#epoch) return;
    this.#epoch = tables.epoch;
    for (const [live, { identity }] of this.#live) {
      const active = tables.integration(identity.integration.id)?.status === 'active';
      if (!active || tables.isRevoked(identity.tokenHash)) live.abort();
    }
  }

  #tables(): SnapshotTables {
    const { runtime } = this.#deps;
    checkReady(runtime, runtime.tables);
    if (runtime.spool.full)
      throw new Refusal('gateway.spool_full', 'The gateway cannot record more connections now.', {
        headers: [['Retry-After', '5']],
      });
    return runtime.tables!; // checkReady refused otherwise
  }

  async #connect(request: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const destination = readAuthority(request.url ?? '');
    const passage = new ProxyPassage(
      this.#deps.runtime.clock,
      'CONNECT',
      destination?.host ?? '',
      destination?.port ?? 0,
      request.socket,
    );
    passage.userAgent = request.headers['user-agent']?.slice(0, 256);
    let established = false;
    try {
      const tables = this.#tables();
      if (!destination) throw new Refusal('gateway.request_malformed', 'CONNECT names a host and a port.');
      const caller = await this.#identities.identify(request, tables);
      passage.identity = caller.identity;
      passage.app = tables.byUpstream(destination.host, destination.port)?.app;
      const decision = judgeDestination(tables, caller.identity.integration.id, destination);
      await this.#slot(caller, async () => {
        const upstream = decision.kind === 'tunnel' ? await connectTunnel(destination, decision.app) : undefined;
        if (upstream) passage.address = upstream.remoteAddress;
        socket.write(ESTABLISHED);
        established = true;
        passage.status = 200;
        try {
          await this.#run(passage, destination, decision, caller, tables, socket, head, upstream);
        } finally {
          upstream?.destroy();
        }
      });
      passage.record(this.#deps.runtime, 'allow');
    } catch (error) {
      this.#refuse(passage, error, socket, established);
    }
  }

  async #slot(caller: ProxyCaller, work: () => Promise<void>): Promise<void> {
    const { id } = caller.identity.integration;
    const count = this.#tunnels.get(id) ?? 0;
    if (count >= TUNNELS_PER_INTEGRATION_MAX) {
      throw new Refusal(
        'gateway.concurrency_limited',
        `An integration has at most ${TUNNELS_PER_INTEGRATION_MAX} connections through the proxy.`,
      );
    }
    this.#tunnels.set(id, count + 1);
    try {
      await work();
    } finally {
      const left = (this.#tunnels.get(id) ?? 1) - 1;
      if (left === 0) this.#tunnels.delete(id);
      else this.#tunnels.set(id, left);
    }
  }

  async #run(
    passage: ProxyPassage,
    destination: Destination,
    decision: ProxyDecision,
    caller: ProxyCaller,
    tables: SnapshotTables,
    socket: Duplex,
    head: Buffer,
    upstream: Socket | undefined,
  ): Promise<void> {
    const hello = await peekHello(socket, head, HANDSHAKE_MS_MAX);
    if (hello) passage.hello = hello;
    this.#checkHello(destination, hello, tables, decision);
    if (decision.kind === 'open') {
      passage.way = 'opened';
      await this.#open(passage, destination, decision, caller, tables, socket);
      return;
    }
    const live = new AbortController();
    this.#live.set(live, caller);
    const ended = await carry(socket, upstream!, live.signal); // a tunnel was connected before it was answered
    this.#live.delete(live);
    passage.bytesOut = ended.out;
    passage.bytesIn = ended.in;
  }

  /** What is tunnelled must be TLS for the host that was named: else the name on record would be a pretext. */
  #checkHello(
    destination: Destination,
    hello: { serverName: string | null } | null,
    tables: SnapshotTables,
    decision: ProxyDecision,
  ): void {
    if (decision.kind === 'tunnel' && tables.proxy?.sni === 'any') return;
    if (!hello) throw new Refusal('gateway.proxy_refused', 'Only TLS goes through a tunnel.');
    const literal = /^[\d.]+$|:/.test(destination.host);
    if (hello.serverName === destination.host || (literal && hello.serverName === null)) return;
    throw new Refusal(
      'gateway.proxy_refused',
      `The handshake names ${hello.serverName ?? 'no host'}, the tunnel was asked for ${destination.host}.`,
    );
  }

  /** Ends the client's TLS here with a certificate of Cordon's authority; each call then takes the pipeline. */
  async #open(
    passage: ProxyPassage,
    destination: Destination,
    decision: ProxyDecision & { kind: 'open' },
    caller: ProxyCaller,
    tables: SnapshotTables,
    socket: Duplex,
  ): Promise<void> {
    const context = this.#leaves.contextFor(destination.host, tables.proxy?.authority ?? null);
    if (!context) throw new Refusal('gateway.proxy_refused', 'The proxy has no certificate authority yet.');
    const secure = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: await context,
      ALPNProtocols: ['http/1.1'],
    }); // node hands the connection's own socket
    const plan: ListenerPlan = {
      kind: 'api',
      secure: true,
      publicUrl: decision.target.origin,
      app: decision.app.entry.name,
      proxied: { ...destination, token: caller.token, thumbprint: caller.thumbprint },
    };
    this.#opened.set(secure, { plan });
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(() => secure.destroy(), HANDSHAKE_MS_MAX);
    const longest = setTimeout(() => secure.destroy(), 3_600_000);
    const stop = (): unknown => secure.destroy();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    secure.once('secure', () => clearTimeout(late));
    secure.on('error', () => secure.destroy());
    secure.once('close', resolve);
    this.#inner.emit('connection', secure);
    await promise;
    clearTimeout(late);
    clearTimeout(longest);
    this.#stop.signal.removeEventListener('abort', stop);
    const raw = socket as Partial<Socket>; // as above
    passage.bytesOut = raw.bytesRead ?? 0;
    passage.bytesIn = raw.bytesWritten ?? 0;
  }

  #refuse(passage: ProxyPassage, error: unknown, socket: Duplex, established: boolean): void {
    const { runtime } = this.#deps;
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal('gateway.internal', 'The proxy could not carry this connection.', { cause: error });
    if (!(error instanceof Refusal)) runtime.logger.error({ err: error }, 'a connection through the proxy failed');
    passage.status = established ? 200 : refusal.status;
    passage.record(runtime, refusal.status >= 500 ? 'error' : 'deny', refusal);
    if (established || !socket.writable) return void socket.destroy();
    const body = problemBody(refusal, passage.id);
    const fields = refusal.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.end(
      `HTTP/1.1 ${refusal.status} ${http.STATUS_CODES[refusal.status] ?? 'Refused'}\r\n${fields}Content-Type: ${refusalType(undefined)}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }

  /** A request in absolute form: plain HTTP, which only an app that allows it, or an observed destination, takes. */
  async #plain(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const match = /^http:\/\/([^/?#]+)(\/[^#]*|\?[^#]*)?$/i.exec(request.url ?? '');
    const destination = match ? readAuthority(match[1]!, 80) : null;
    const passage = new ProxyPassage(
      this.#deps.runtime.clock,
      request.method ?? 'GET',
      destination?.host ?? '',
      destination?.port ?? 0,
      request.socket,
    );
    passage.way = 'plain';
    passage.userAgent = request.headers['user-agent']?.slice(0, 256);
    try {
      const tables = this.#tables();
      if (!match || !destination)
        throw new Refusal(
          'gateway.request_malformed',
          'This is a forward proxy: send CONNECT, or a request with the whole http:// URL.',
        );
      const host = readAuthority(request.headers.host ?? '', 80);
      if (host?.host !== destination.host || host.port !== destination.port)
        throw new Refusal('gateway.request_malformed', 'The request target names another host than the Host field.');
      const caller = await this.#identities.identify(request, tables);
      passage.identity = caller.identity;
      passage.app = tables.byUpstream(destination.host, destination.port)?.app;
      const decision = judgeDestination(tables, caller.identity.integration.id, destination);
      const path = match[2] === undefined ? '/' : match[2].startsWith('/') ? match[2] : `/${match[2]}`;
      if (decision.app) {
        // There is nothing to open: a known app's plain call always takes the pipeline, which records it.
        const plan: ListenerPlan = {
          kind: 'api',
          secure: false,
          publicUrl: `http://${match[1]}`,
          app: decision.app.entry.name,
          proxied: { ...destination, token: caller.token, thumbprint: caller.thumbprint },
        };
        request.url = path;
        return this.#deps.serve(plan, request, response);
      }
      await forwardPlain(request, response, destination, path, passage);
      passage.record(this.#deps.runtime, 'allow');
    } catch (error) {
      const refusal =
        error instanceof Refusal
          ? error
          : new Refusal('gateway.internal', 'The proxy could not carry this call.', { cause: error });
      passage.status = refusal.status;
      passage.record(this.#deps.runtime, refusal.status >= 500 ? 'error' : 'deny', refusal);
      if (response.headersSent) return void response.destroy();
      response.writeHead(refusal.status, [
        ...refusal.headers.flat(),
        'Content-Type',
        refusalType(request.headers.accept),
        'Connection',
        'close',
      ]);
      response.end(problemBody(refusal, passage.id));
    }
  }
}

/** Opens the proxy's address. Resolves when it accepts connections. */
export async function openForwardProxy(deps: ForwardProxyDeps): Promise<ForwardProxy> {
  const server = new ProxyServer(deps);
  const address = await server.listen();
  return { address, close: () => server.close() };
}
