import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGateway, type GatewayConfig } from '@cordon/gateway';
import { BodyObserver } from '@cordon/governance';
import { OAUTH_ROUTES } from '@cordon/identity';
import { createSecretEnvelope, keyRingFromText, type Logger, systemClock } from '@cordon/kernel';
import type { Role, RoleConfig } from '../supervisor/role-config.ts';

const KEY_TRIES_MAX = 120;
const KEY_WAIT_MS = 500;

/**
 * The keys that may sign snapshots. Learned from control once, over the authenticated internal channel, and pinned on
 * disk: a gateway that was up once starts without control, and a control that is swapped later can't bring its own key.
 */
async function loadSnapshotKeys(config: RoleConfig, folder: string, logger: Logger): Promise<KeyObject[]> {
  const path = join(folder, 'snapshot-keys.pem');
  const pinned = await readFile(path, 'utf8').catch(() => null);
  if (pinned !== null) return [createPublicKey(pinned)];
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(`${config.control.internalUrl}/internal/gateway/keys`, {
        headers: { authorization: `Bearer ${config.internalKey}` },
        signal: AbortSignal.timeout(5_000),
      });
      if (!response.ok) throw new Error(`control answered ${response.status}`);
      const pem = await response.text();
      const key = createPublicKey(pem);
      await writeFile(path, pem, { mode: 0o600 });
      return [key];
    } catch (error) {
      if (tries >= KEY_TRIES_MAX) throw error;
      logger.warn({ err: error }, 'waiting for control to learn its snapshot key');
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, KEY_WAIT_MS);
      await promise;
    }
  }
}

/** A listener without TLS, for clients on this machine only. */
function plain(port: number): { host: string; port: number; kind: 'api' }[] {
  return port === 0 ? [] : [{ host: '127.0.0.1', port, kind: 'api' }];
}

/** The forward proxy. SDKs speak to a proxy on this machine without TLS; one that others reach has the gateway's. */
function proxy({ gateway, control }: RoleConfig): Pick<GatewayConfig, 'proxy' | 'secureProxy'> {
  const local = /^(?:127\.|::1$|localhost$)/.test(gateway.host);
  const secure = gateway.tls ? { tls: { ...gateway.tls, clientCertificates: true } } : {};
  const tokenUrl = `${control.internalUrl}${OAUTH_ROUTES.token}`;
  const at = (port: number) => ({ host: gateway.host, port, tokenUrl });
  return {
    ...(gateway.proxyPort === 0 ? {} : { proxy: { ...at(gateway.proxyPort), ...(local ? {} : secure) } }),
    ...(gateway.proxyTlsPort === 0 || !gateway.tls ? {} : { secureProxy: { ...at(gateway.proxyTlsPort), ...secure } }),
  };
}

/** One process of the traffic path. */
export async function startGateway(config: RoleConfig, logger: Logger): Promise<Role> {
  const { gateway } = config;
  const dataDir = join(config.dataDir, 'gateway');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const snapshotKeys = await loadSnapshotKeys(config, dataDir, logger);
  // Clients without a certificate connect all the same; a token may be bound to one.
  const tls = gateway.tls ? { tls: { ...gateway.tls, clientCertificates: true } } : {};
  const running = createGateway({
    config: {
      gatewayId: gateway.id,
      dataDir,
      control: { url: config.control.internalUrl },
      worker: { url: config.worker.internalUrl },
      key: config.internalKey,
      snapshotKeys,
      stalenessMsMax: gateway.staleAfterMs,
      audience: gateway.publicUrl,
      issuer: config.control.publicUrl,
      trustedProxies: config.clients.trustedProxies,
      listeners: [
        { host: gateway.host, port: gateway.port, kind: 'api', ...tls },
        ...plain(gateway.plainPort),
        ...plain(gateway.processPort === 0 ? 0 : gateway.processPort + gateway.index),
      ],
      ...proxy(config),
      appPorts: { host: gateway.host, ...tls },
      reusePort: true,
      processes: gateway.processes,
      unsharedProofs: gateway.unsharedProofs,
      ...(gateway.valkeyUrl === null ? {} : { valkeyUrl: gateway.valkeyUrl }),
      metrics: {
        host: gateway.metricsHost,
        port: gateway.metricsPort === 0 ? 0 : gateway.metricsPort + gateway.index,
      },
    },
    envelope: createSecretEnvelope(keyRingFromText(config.kek)),
    clock: systemClock,
    logger,
    random: Math.random,
    observer: new BodyObserver(),
  });
  await running.start();
  return { stop: () => running.stop() };
}
