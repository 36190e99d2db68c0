import { createPublicKey } from 'node:crypto';
import { createLogger, createSecretEnvelope, systemClock } from '@cordon/kernel';
import { createGateway } from './gateway.ts';

/** What the parent of a gateway in a process of its own hands over: for tests that kill it and for benchmarks. */
export interface ChildConfig {
  readonly dataDir: string;
  readonly controlUrl: string;
  readonly workerUrl: string;
  readonly key: string;
  readonly publicKey: string;
  readonly keyEncryptionKey: string;
  readonly port: number;
  /** How many gateways share the data directory; 1 when absent. */
  readonly processes?: number;
  readonly valkeyUrl?: string;
  readonly unsharedProofs?: 'accept' | 'refuse';
}

const config = JSON.parse(process.argv[2] ?? '{}') as ChildConfig; // from our own parent

const gateway = createGateway({
  config: {
    gatewayId: 'gateway-child',
    dataDir: config.dataDir,
    control: { url: config.controlUrl },
    worker: { url: config.workerUrl },
    key: config.key,
    snapshotKeys: [createPublicKey(config.publicKey)],
    stalenessMsMax: 0,
    listeners: [{ kind: 'api', host: '127.0.0.1', port: config.port }],
    metrics: { host: '127.0.0.1', port: 0 },
    reusePort: true,
    processes: config.processes ?? 1,
    ...(config.valkeyUrl === undefined ? {} : { valkeyUrl: config.valkeyUrl }),
    ...(config.unsharedProofs === undefined ? {} : { unsharedProofs: config.unsharedProofs }),
  },
  envelope: createSecretEnvelope({ keys: [Buffer.from(config.keyEncryptionKey, 'base64')] }),
  clock: systemClock,
  logger: createLogger({ role: 'gateway', level: 'error' }),
});
await gateway.start();
process.on('SIGTERM', () => {
  void gateway.stop().then(() => process.exit(0));
});
process.on('message', (message) => {
  if (message === 'usage') process.send?.({ usage: process.resourceUsage(), memory: process.memoryUsage().rss });
});
process.send?.({ ready: true, port: gateway.addresses[0]?.port, admin: gateway.adminAddress?.port });
