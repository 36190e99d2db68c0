import type { Socket } from 'node:net';
import { type Clock, uuidv7 } from '@cordon/kernel';
import { type Decision, httpActivity } from '@cordon/lake';
import type { AppPlan } from '../app-plan.ts';
import type { Refusal } from '../errors.ts';
import type { Identity } from '../exchange.ts';
import type { GatewayRuntime } from '../runtime.ts';
import type { ClientHello } from './client-hello.ts';

/** One connection or plain call through the proxy, from its beginning to its event. */
export class ProxyPassage {
  readonly id: string;
  readonly startedAt: number;
  readonly #startedTick = performance.now();
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly source: Pick<Socket, 'remoteAddress' | 'remotePort'>;
  identity: Identity | undefined;
  app: AppPlan | undefined;
  hello: ClientHello | undefined;
  /** What the client sent and what it was sent, in bytes. */
  bytesOut = 0;
  bytesIn = 0;
  status = 0;
  address: string | undefined;
  userAgent: string | undefined;
  /** `tunnel`, `opened` or `plain`: how it was carried. */
  way: 'tunnel' | 'opened' | 'plain' = 'tunnel';
  #written = false;

  constructor(
    clock: Clock,
    method: string,
    host: string,
    port: number,
    source: Pick<Socket, 'remoteAddress' | 'remotePort'>,
  ) {
    this.startedAt = clock.now();
    this.id = uuidv7(this.startedAt);
    this.method = method;
    this.host = host;
    this.port = port;
    this.source = source;
  }

  /** Writes the one event. Calls after the first do nothing. */
  record(runtime: GatewayRuntime, decision: Decision, refusal?: Refusal): void {
    if (this.#written) return;
    this.#written = true;
    runtime.metrics.count('cordon_gateway_proxy_total');
    if (refusal) runtime.metrics.refuse(refusal.code);
    const describe = (): string => this.#describe(runtime, decision, refusal);
    const source = this.source.remoteAddress ?? '';
    // Without an identity anyone could write as many events as they like.
    if (!this.identity && !runtime.refusals.admits(source)) return runtime.refusals.suppress(source, describe);
    runtime.spool.append(describe(), false, () => undefined);
  }

  #describe(runtime: GatewayRuntime, decision: Decision, refusal: Refusal | undefined): string {
    const { identity, app, hello } = this;
    const event = httpActivity({
      id: this.id,
      time: this.startedAt,
      role: 'gateway',
      source: { ip: this.source.remoteAddress ?? '', port: this.source.remotePort ?? 0 },
      destination: { hostname: this.host, port: this.port, ...(this.address !== undefined && { ip: this.address }) },
      ...(identity && { integration: { id: identity.integration.id, name: identity.integration.name } }),
      ...(app && { app: { id: app.entry.id, name: app.entry.name } }),
      request: {
        method: this.method,
        hostname: this.host,
        port: this.port,
        path: '/',
        scheme: this.way === 'plain' ? 'http' : 'https',
        bytes: this.bytesOut,
        requestId: this.id,
        ...(this.userAgent !== undefined && { userAgent: this.userAgent }),
      },
      ...(this.status !== 0 && { response: { status: this.status, bytes: this.bytesIn } }),
      decision,
      ...(refusal && { reason: refusal.code, reasonText: refusal.message }),
      durationMs: Math.round((performance.now() - this.#startedTick) * 1000) / 1000,
      gatewayId: runtime.config.gatewayId,
      snapshotVersion: runtime.tables?.version ?? 0,
      proxy: {
        way: this.way,
        known: app !== undefined,
        ...(hello && { sni: hello.serverName ?? '', alpn: [...hello.alpn] }),
      },
      labels: ['forward-proxy', app ? 'known-destination' : 'unknown-destination'],
    });
    return JSON.stringify(event);
  }
}
