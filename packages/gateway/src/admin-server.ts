import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface GatewayHealth {
  /** Calls can be served now. */
  readonly ready: boolean;
  readonly reason?: string;
  readonly version: number;
  readonly epoch: number;
  /** Milliseconds since control was last heard of; null when never. */
  readonly snapshotAgeMs: number | null;
  readonly spoolBytes: number;
  readonly inFlight: number;
}

export interface AdminServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** `/metrics`, `/healthz` and `/readyz` on an internal address. */
export function openAdminServer(
  at: { host: string; port: number },
  metrics: Metrics,
  health: () => GatewayHealth,
): Promise<AdminServer> {
  const server = http.createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics.render());
    } else if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(health()));
    } else if (path === '/readyz') {
      const now = health();
      response.writeHead(now.ready ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(now));
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      resolve({
        address: server.address() as AddressInfo, // listening on a host and port
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
