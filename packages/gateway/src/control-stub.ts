import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  changeSnapshot,
  createDelta,
  encodeSigned,
  signDelta,
  type SigningKey,
  signSnapshot,
  type Snapshot,
  type TokenEntryInput,
  type SeenConnection,
} from '@cordon/policy';

export interface StubBatch {
  readonly key: string;
  readonly events: Record<string, unknown>[];
}

export interface GatewayStatus {
  readonly gatewayId: string;
  readonly pid: number;
  readonly version: number;
  readonly epoch: number;
  readonly appliedAt: number;
}

export interface CertificateReport {
  readonly appId: string;
  readonly host: string;
  readonly seen: SeenConnection;
}

export interface McpReport {
  readonly appId: string;
  readonly items: readonly {
    readonly kind: string;
    readonly name: string;
    readonly definition: Record<string, unknown>;
  }[];
}

/** Control and worker as a gateway sees them, in one server, for tests and benchmarks. */
export interface ControlStub {
  readonly url: string;
  readonly snapshot: Snapshot;
  readonly batches: readonly StubBatch[];
  /** All events of distinct batches, in the order of their arrival. */
  readonly events: readonly Record<string, unknown>[];
  readonly statuses: readonly GatewayStatus[];
  /** Webhook deliveries, each once. */
  readonly deliveries: readonly Record<string, unknown>[];
  /** Lines that tell what calls looked like. */
  readonly lessons: readonly string[];
  readonly introspected: readonly string[];
  /** Renewals of vendor credentials that were asked for. */
  readonly renewals: readonly { readonly id: string; readonly generation: number }[];
  /** What happens when one is asked for; by default nothing can be renewed. */
  onRenew: () => 'renewed' | 'failed';
  /** Uses that are left of approved tokens, by the hex SHA-256. */
  readonly uses: Map<string, number>;
  /** Locks of addresses that gateways told of. */
  readonly locks: readonly Record<string, unknown>[];
  /** What gateways said that MCP servers offer. */
  readonly mcpReports: readonly McpReport[];
  readonly certificateReports: readonly CertificateReport[];
  readonly tokens: Map<string, TokenEntryInput>;
  /** Tokens that are given for certificates, by the base64 of their DER; and the certificates that were asked about. */
  readonly certificates: Map<string, string>;
  readonly certificatesAsked: readonly string[];
  readonly blobs: Map<string, Buffer>;
  /** Publishes a change; `notify: false` loses the notification, so that only polling finds it. */
  publish(change: { set?: Record<string, unknown>; remove?: string[]; revoke?: boolean; notify?: boolean }): Snapshot;
  /** What the endpoints answer: `up`, `down` (no answer), or a status. */
  mode: 'up' | 'down' | number;
  ingestMode: 'up' | 'down' | number;
  /** Replaces the next full or delta document, to play a tampering network. */
  tamper: ((document: string) => string) | undefined;
  /** When set, the stream and its catch-up answer 409, so that only full snapshots are served. */
  withoutDeltas: boolean;
  close(): Promise<void>;
}

export interface ControlStubOptions {
  readonly snapshot: Snapshot;
  readonly signing: SigningKey;
  readonly key: string;
}

export async function startControlStub(options: ControlStubOptions): Promise<ControlStub> {
  const stub = new StubServer(options);
  await stub.listen();
  return stub;
}

class StubServer implements ControlStub {
  url = '';
  snapshot: Snapshot;
  readonly batches: StubBatch[] = [];
  readonly statuses: GatewayStatus[] = [];
  readonly deliveries: Record<string, unknown>[] = [];
  readonly lessons: string[] = [];
  readonly introspected: string[] = [];
  readonly renewals: { id: string; generation: number }[] = [];
  onRenew: ControlStub['onRenew'] = () => 'failed';
  readonly uses = new Map<string, number>();
  readonly locks: Record<string, unknown>[] = [];
  readonly mcpReports: McpReport[] = [];
  readonly certificateReports: CertificateReport[] = [];
  readonly tokens = new Map<string, TokenEntryInput>();
  readonly certificates = new Map<string, string>();
  readonly certificatesAsked: string[] = [];
  readonly blobs = new Map<string, Buffer>();
  mode: ControlStub['mode'] = 'up';
  ingestMode: ControlStub['ingestMode'] = 'up';
  tamper: ControlStub['tamper'];
  withoutDeltas = false;
  readonly #options: ControlStubOptions;
  readonly #server: http.Server;
  readonly #deltas: { base: number; line: string }[] = [];
  readonly #streams = new Set<http.ServerResponse>();
  readonly #keys = new Set<string>();

  constructor(options: ControlStubOptions) {
    this.#options = options;
    this.snapshot = options.snapshot;
    this.#server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.#answer(request, Buffer.concat(chunks).toString('utf8'), response));
    });
  }

  get events(): Record<string, unknown>[] {
    return this.batches.flatMap(({ events }) => events);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // listening on a port
  }

  publish(change: Parameters<ControlStub['publish']>[0]): Snapshot {
    const before = this.snapshot;
    this.snapshot = changeSnapshot(before, {
      version: before.version + 1,
      epoch: before.epoch + (change.revoke ? 1 : 0),
      createdAt: before.createdAt + 1,
      set: Object.entries(change.set ?? {}),
      remove: change.remove ?? [],
    });
    const line = encodeSigned(signDelta(createDelta(before, this.snapshot), this.#options.signing));
    this.#deltas.push({ base: before.version, line });
    if (change.notify ?? true) for (const stream of this.#streams) stream.write(`${this.#altered(line)}\n`);
    return this.snapshot;
  }

  #altered(document: string): string {
    const { tamper } = this;
    return tamper ? tamper(document) : document;
  }

  #answer(request: http.IncomingMessage, body: string, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://stub');
    const isForWorker = /^\/internal\/(?:ingest|webhooks|learning)\//.test(url.pathname);
    const mode = isForWorker ? this.ingestMode : this.mode;
    if (mode === 'down') {
      request.socket.destroy();
      return;
    }
    if (typeof mode === 'number') {
      response.writeHead(mode).end();
      return;
    }
    if (request.headers.authorization !== `Bearer ${this.#options.key}`) {
      response.writeHead(401).end();
      return;
    }
    this.#route(url, request, body, response);
  }

  #route(url: URL, request: http.IncomingMessage, body: string, response: http.ServerResponse): void {
    const json = (value: unknown): void =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const path = url.pathname.replace('/internal/', '');
    if (path === 'ingest/batches') {
      this.#ingest(String(request.headers['idempotency-key']), body);
      json({});
    } else if (path === 'webhooks/deliveries') {
      this.#takeDeliveries(body);
      json({});
    } else if (path === 'learning/lessons') {
      this.lessons.push(...body.split('\n').filter(Boolean));
      json({});
    } else if (path === 'gateway/epoch') json({ version: this.snapshot.version, epoch: this.snapshot.epoch });
    else if (path === 'gateway/snapshot') {
      response.end(this.#altered(encodeSigned(signSnapshot(this.snapshot, this.#options.signing))));
    } else if (path === 'gateway/stream') this.#stream(url, response);
    else if (path === 'gateway/status') {
      this.statuses.push(JSON.parse(body) as GatewayStatus); // from the gateway under test
      json({});
    } else if (path === 'gateway/tokens/certificate') {
      const { certificate } = JSON.parse(body) as { certificate: string }; // sent by the gateway
      this.certificatesAsked.push(certificate);
      json({ token: this.certificates.get(certificate) ?? null });
    } else if (path === 'gateway/tokens/introspect') {
      const { sha256 } = JSON.parse(body) as { sha256: string }; // from the gateway under test
      this.introspected.push(sha256);
      const token = this.tokens.get(sha256);
      json(token ? { active: true, token } : { active: false });
    } else if (path === 'gateway/mcp-items') {
      this.mcpReports.push(JSON.parse(body) as McpReport); // from the gateway under test
      json({});
    } else if (path === 'gateway/certificates') {
      this.certificateReports.push(JSON.parse(body) as CertificateReport); // as above
      json({});
    } else if (path === 'gateway/approvals/consume') {
      const { sha256 } = JSON.parse(body) as { sha256: string }; // from the gateway under test
      const left = this.uses.get(sha256) ?? 0;
      this.uses.set(sha256, Math.max(0, left - 1));
      json({ taken: left > 0 });
    } else if (path === 'gateway/locks') {
      this.locks.push(JSON.parse(body) as Record<string, unknown>); // from the gateway under test
      json({});
    } else if (path === 'gateway/credentials/renew') {
      this.renewals.push(JSON.parse(body) as { id: string; generation: number }); // as above
      json({ result: this.onRenew() });
    } else if (path.startsWith('gateway/blobs/')) {
      const blob = this.blobs.get(path.slice('gateway/blobs/'.length));
      if (blob) response.end(blob);
      else response.writeHead(404).end();
    } else response.writeHead(404).end();
  }

  #stream(url: URL, response: http.ServerResponse): void {
    const since = Number(url.searchParams.get('since'));
    const missing = this.#deltas.filter(({ base }) => base >= since);
    const first = missing[0];
    if (this.withoutDeltas || (since < this.snapshot.version && (!first || first.base !== since))) {
      response.writeHead(409).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    for (const { line } of missing) response.write(`${this.#altered(line)}\n`);
    if (url.searchParams.get('wait') === '0') {
      response.end();
      return;
    }
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #takeDeliveries(body: string): void {
    for (const line of body.split('\n').filter(Boolean)) {
      const delivery = JSON.parse(line) as Record<string, unknown>; // from the gateway under test
      if (!this.deliveries.some(({ id }) => id === delivery['id'])) this.deliveries.push(delivery);
    }
  }

  #ingest(key: string, body: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    // Lines of JSON objects from the gateway under test.
    const events = body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    this.batches.push({ key, events });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
