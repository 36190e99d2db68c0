import { createPublicKey } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '@cordon/gateway';
import { createLogger, createSecretEnvelope, systemClock } from '@cordon/kernel';
import { Pool, type Dispatcher } from 'undici';

/** What the benchmark hands to each of its child processes. */
export interface BenchChild {
  readonly role: 'upstream' | 'bare' | 'cordon';
  readonly upstream?: string;
  readonly control?: string;
  readonly key?: string;
  readonly publicKey?: string;
  readonly keyEncryptionKey?: string;
  readonly dataDir?: string;
  readonly steps?: boolean;
}

/** A JSON document of about `bytes` bytes without anything sensitive in it, as list endpoints return them. */
function sampleDocument(bytes: number): Buffer {
  const items: object[] = [];
  for (let id = 1; JSON.stringify(items).length < bytes - 120; id++) {
    items.push({
      id,
      title: `Item number ${id}`,
      state: id % 2 === 0 ? 'open' : 'closed',
      labels: ['a', 'b'],
      done: false,
    });
  }
  return Buffer.from(JSON.stringify({ items, total: items.length }));
}

async function listen(server: http.Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port; // listening on a port
}

function startUpstream(): Promise<number> {
  const small = sampleDocument(1024);
  const large = sampleDocument(64 * 1024);
  return listen(
    http.createServer((request, response) => {
      request.resume();
      request.on('end', () => {
        const body = request.url?.startsWith('/large') ? large : small;
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
        response.end(body);
      });
    }),
  );
}

/** The least that a proxy of the same parts can do: node:http in, undici dispatch out, headers copied, bodies piped. */
class BareCall implements Dispatcher.DispatchHandler {
  readonly #response: http.ServerResponse;

  constructor(response: http.ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = (controller.rawHeaders ?? []) as Buffer[]; // HTTP/1 gives raw buffers
    this.#response.writeHead(
      status,
      raw.map((part) => part.toString('latin1')),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response.write(chunk);
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}

function startBare(upstream: string): Promise<number> {
  const pool = new Pool(upstream, { connections: 128, pipelining: 1, allowH2: false });
  const { host } = new URL(upstream);
  return listen(
    http.createServer((request, response) => {
      const headers: string[] = ['host', host];
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        const name = request.rawHeaders[index]!;
        if (/^(?:host|connection)$/i.test(name)) continue;
        headers.push(name, request.rawHeaders[index + 1]!);
      }
      const body = request.headers['content-length'] === undefined ? null : request;
      pool.dispatch(
        { path: request.url ?? '/', method: request.method ?? 'GET', headers, body },
        new BareCall(response),
      );
    }),
  );
}

const observed = new Map<string, { nanoseconds: bigint; count: number }>();

async function startCordon(child: BenchChild): Promise<number> {
  const gateway = createGateway({
    config: {
      gatewayId: 'bench',
      dataDir: child.dataDir ?? '',
      control: { url: child.control ?? '' },
      worker: { url: child.control ?? '' },
      key: child.key ?? '',
      snapshotKeys: [createPublicKey(child.publicKey ?? '')],
      stalenessMsMax: 0,
      listeners: [{ kind: 'api', host: '127.0.0.1', port: 0 }],
    },
    envelope: createSecretEnvelope({ keys: [Buffer.from(child.keyEncryptionKey ?? '', 'base64')] }),
    clock: systemClock,
    logger: createLogger({ role: 'gateway', level: 'error' }),
    ...(child.steps
      ? {
          observeStep: (name, nanoseconds) => {
            const known = observed.get(name) ?? { nanoseconds: 0n, count: 0 };
            observed.set(name, { nanoseconds: known.nanoseconds + nanoseconds, count: known.count + 1 });
          },
        }
      : {}),
  });
  await gateway.start();
  return gateway.addresses[0]?.port ?? 0;
}

function reset(): void {
  observed.clear();
}

const child = JSON.parse(process.argv[2] ?? '{}') as BenchChild; // from our own parent
const port =
  child.role === 'upstream'
    ? await startUpstream()
    : child.role === 'bare'
      ? await startBare(child.upstream ?? '')
      : await startCordon(child);

process.on('message', (message) => {
  if (message === 'reset') reset();
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const steps = Object.fromEntries(
    [...observed].map(([name, { nanoseconds, count }]) => [name, Number(nanoseconds) / 1000 / Math.max(1, count)]),
  );
  process.send?.({ cpuMicros: userCPUTime + systemCPUTime, rss: process.memoryUsage().rss, steps });
});
process.on('SIGINT', () => process.exit(0));
process.send?.({ port });
