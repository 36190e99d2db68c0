import { hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createLogger, createSecretEnvelope, type SecretEnvelope, systemClock } from '@cordon/kernel';
import type { EntryInputOf, SigningKey } from '@cordon/policy';
import { sampleEntry, sampleSigningKey, sampleSnapshot } from '@cordon/policy/testing';
import { type ControlStub, startControlStub } from './control-stub.ts';
import type { GatewayConfig, GatewayLimits } from './config.ts';
import { createGateway, type Gateway, type GatewayDeps } from './gateway.ts';

export { type ControlStub, type GatewayStatus, startControlStub, type StubBatch } from './control-stub.ts';

export const TEST_TOKEN = 'cordon_at_0123456789abcdefghijklmnop';
export const VENDOR_SECRET = 'vendor-secret-7d1f0c';
const GATEWAY_KEY = 'gateway-key';

export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex');
}

export interface UpstreamStub {
  readonly url: string;
  readonly port: number;
  readonly requests: {
    method: string;
    url: string;
    headers: http.IncomingHttpHeaders;
    rawHeaders: string[];
    body: Buffer;
  }[];
  close(): Promise<void>;
}

type UpstreamHandler = (request: http.IncomingMessage, body: Buffer, response: http.ServerResponse) => void;

/** A SaaS API on a loopback port that remembers what it was asked. */
export async function startUpstream(
  handler: UpstreamHandler,
  tls?: { key: string; cert: string },
): Promise<UpstreamStub> {
  const requests: UpstreamStub['requests'] = [];
  const listener: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url = '', headers, rawHeaders } = request;
      requests.push({ method, url, headers, rawHeaders, body });
      handler(request, body, response);
    });
  };
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // listening on a port
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

export interface TestGatewayOptions {
  readonly upstream: string;
  readonly app?: Partial<EntryInputOf<'app'>>;
  readonly integration?: Partial<EntryInputOf<'integration'>>;
  readonly grant?: Partial<EntryInputOf<'grant'>>;
  readonly token?: Partial<EntryInputOf<'token'>>;
  /** Further entries, or replacements. */
  readonly entries?: Record<string, unknown>;
  readonly blobs?: ReadonlyMap<string, Buffer>;
  readonly config?: Partial<GatewayConfig>;
  readonly limits?: Partial<GatewayLimits>;
  readonly deps?: Partial<GatewayDeps>;
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly control: ControlStub;
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly signing: SigningKey;
  readonly envelope: SecretEnvelope;
  /** Ships what is spooled and returns every event so far. */
  events(): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Entries of one app, one integration with a token and a grant for everything; every part can be replaced. */
export function sampleEntries(options: TestGatewayOptions, envelope: SecretEnvelope): Record<string, unknown> {
  return {
    'app:app-1': sampleEntry('app', {
      upstream: options.upstream,
      plaintext: 'allow',
      privateAddresses: ['127.0.0.1'],
      unknownOperations: 'allow',
      credential: { kind: 'bearer', sealed: envelope.seal(VENDOR_SECRET, 'credential:app-1') },
      ...options.app,
    }),
    'integration:int-1': sampleEntry('integration', options.integration),
    'grant:grant-1': sampleEntry('grant', { select: [{ kind: 'access', access: 'any' }], ...options.grant }),
    [`token:${tokenHash(TEST_TOKEN)}`]: sampleEntry('token', { expiresAt: 4_000_000_000_000, ...options.token }),
    ...options.entries,
  };
}

/** A whole gateway on a loopback port, with control, worker and snapshot of its own. */
export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const dataDir = options.config?.dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-gateway-'));
  const envelope = createSecretEnvelope({ keys: [randomBytes(32)] });
  const { signing, keys } = sampleSigningKey();
  const snapshot = sampleSnapshot(sampleEntries(options, envelope), { createdAt: Date.now() });
  const control = await startControlStub({ snapshot, signing, key: GATEWAY_KEY });
  for (const [sha256, blob] of options.blobs ?? []) control.blobs.set(sha256, blob);
  const gateway = createGateway({
    config: {
      gatewayId: 'gateway-test',
      dataDir,
      control: { url: control.url },
      worker: { url: control.url },
      key: GATEWAY_KEY,
      snapshotKeys: [...keys.values()],
      stalenessMsMax: 60_000,
      listeners: [{ kind: 'api', host: '127.0.0.1', port: 0 }],
      limits: { drainMs: 1_000, ...options.limits },
      ...options.config,
    },
    envelope,
    clock: systemClock,
    logger: createLogger({ role: 'gateway', level: 'silent' }),
    random: Math.random,
    ...options.deps,
  });
  await gateway.start();
  const { port } = gateway.addresses[0] ?? { port: 0 };
  return {
    gateway,
    control,
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    signing,
    envelope,
    events: async () => {
      await gateway.flush();
      return control.events;
    },
    stop: async () => {
      await gateway.stop();
      await control.close();
      if (!options.config?.dataDir) fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
