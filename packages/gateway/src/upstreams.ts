import { createHash, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { AppEntry } from '@cordon/policy';
import { buildConnector, Pool } from 'undici';
import type { AppPlan, UpstreamTarget } from './app-plan.ts';
import { guardedLookup } from './egress-guard.ts';
import type { UpstreamCertificates } from './upstream-certificates.ts';

const KEEP_ALIVE_MS = 30_000;
const UPSTREAM_HEADER_BYTES_MAX = 64 * 1024;

/** The upstream's certificate is valid, but its key isn't one of those that the app pins. */
class PinMismatch extends Error {
  readonly code = 'CORDON_PIN_MISMATCH';
}

function checkPins(pins: readonly string[]) {
  return (hostname: string, certificate: tls.PeerCertificate): Error | undefined => {
    const mismatch = tls.checkServerIdentity(hostname, certificate);
    if (mismatch || pins.length === 0) return mismatch;
    const key = new X509Certificate(certificate.raw).publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(key).digest('base64');
    return pins.includes(pin)
      ? undefined
      : new PinMismatch(`the key of ${hostname} is none of those pinned for this app`);
  };
}

/** Two apps never share a connection: what is allowed for one must not carry the other's calls. */
function poolKey(entry: AppEntry, target: UpstreamTarget): string {
  const { id, privateAddresses, caCertificates, publicKeyPins, tlsVersionMin, resilience } = entry;
  const rules = [privateAddresses, caCertificates, publicKeyPins, tlsVersionMin, resilience.connectMs];
  return JSON.stringify([id, target.origin, ...rules]);
}

/**
 * Connection pools, one for each upstream and set of connection rules. HTTP/1.1 with one request at a time on a
 * connection: what one call sends can't be read as part of another's.
 */
export class Upstreams {
  readonly #pools = new Map<string, Pool>();
  readonly #byApp = new WeakMap<AppEntry, Map<string, Pool>>();
  readonly #connectionsMax: number;
  readonly #certificates: UpstreamCertificates | undefined;

  constructor(connectionsMax: number, certificates?: UpstreamCertificates) {
    this.#connectionsMax = connectionsMax;
    this.#certificates = certificates;
  }

  pool(entry: AppEntry, target: UpstreamTarget): Pool {
    let pools = this.#byApp.get(entry);
    if (!pools) this.#byApp.set(entry, (pools = new Map()));
    let pool = pools.get(target.origin);
    if (!pool) pools.set(target.origin, (pool = this.#shared(entry, target)));
    return pool;
  }

  #shared(entry: AppEntry, target: UpstreamTarget): Pool {
    const key = poolKey(entry, target);
    let pool = this.#pools.get(key);
    if (!pool) this.#pools.set(key, (pool = this.#create(entry, target)));
    return pool;
  }

  #create(entry: AppEntry, target: UpstreamTarget): Pool {
    const connect = buildConnector({
      timeout: entry.resilience.connectMs,
      lookup: guardedLookup(entry.privateAddresses),
      minVersion: entry.tlsVersionMin,
      rejectUnauthorized: true,
      checkServerIdentity: checkPins(entry.publicKeyPins),
      allowH2: false,
      ...(entry.caCertificates.length > 0
        ? { ca: [...tls.getCACertificates('default'), ...entry.caCertificates] }
        : {}),
    });
    const place = { appId: entry.id, host: target.host };
    return new Pool(target.origin, {
      connections: this.#connectionsMax,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: UPSTREAM_HEADER_BYTES_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: (options, done) =>
        connect(options, (...[error, socket]) => {
          if (error) this.#certificates?.failed(place, error);
          else if (socket instanceof tls.TLSSocket) this.#certificates?.connected(place, socket);
          if (error) done(error, null);
          else done(null, socket);
        }),
    });
  }

  /** Drops the pools of apps that are gone or connect by other rules now; calls in flight finish. */
  retain(plans: Iterable<AppPlan>): void {
    const kept = new Set<string>();
    for (const plan of plans) {
      for (const target of [plan.main, ...plan.byRole.values()]) kept.add(poolKey(plan.entry, target));
    }
    for (const [key, pool] of this.#pools) {
      if (kept.has(key)) continue;
      this.#pools.delete(key);
      pool.close().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }
}
