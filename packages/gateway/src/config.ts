import type { KeyObject } from 'node:crypto';

/** One address that the gateway listens on. */
export interface ListenerConfig {
  readonly host: string;
  /** 0 picks a free port (tests). */
  readonly port: number;
  /**
   * `api`: apps by path prefix and by host name; with `app`, that app alone, without a prefix.
   * Further kinds (forward proxy, webhooks, MCP) each bring their own row of the pipeline table.
   */
  readonly kind: 'api';
  /** Name of the app that the whole listener belongs to. */
  readonly app?: string;
  /** PEM. Absent: plain HTTP, which is accepted only on a loopback address unless `plaintext` says otherwise. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCertificates?: boolean };
  readonly plaintext?: 'loopback' | 'behind-proxy';
  /** What clients call it, when they don't reach it directly: `https://gateway.example.com`. Default: their Host. */
  readonly publicUrl?: string;
}

export type ProxyConfig = Omit<ListenerConfig, 'kind' | 'app' | 'publicUrl'> & {
  /** Where clients' ids and secrets are exchanged for tokens; without it only tokens and certificates are accepted. */
  readonly tokenUrl?: string;
};

/** Bounds on what a client may make the gateway hold. Times in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
  readonly pathBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  readonly requestsPerConnectionMax: number;
  /** Bodies held in memory by all calls together; past it new bodies are refused with 503. */
  readonly heldBytesMax: number;
  /** Decoded size that a compressed body may reach, as a multiple of its encoded size; never below 1 MiB. */
  readonly inflationRatioMax: number;
  readonly upstreamConnectionsMax: number;
  readonly drainMs: number;
  /** Failed identifications a source address may make in a burst; afterwards one per second. */
  readonly failuresPerSource: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  headerBytesMax: 32 * 1024,
  headerCountMax: 100,
  pathBytesMax: 8 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 65_000,
  connectionsMax: 10_000,
  requestsPerConnectionMax: 0,
  heldBytesMax: 256 * 1024 * 1024,
  inflationRatioMax: 100,
  upstreamConnectionsMax: 128,
  drainMs: 10_000,
  failuresPerSource: 20,
};

export interface GatewayConfig {
  /** Names this gateway in events and status reports; the same for all its processes. */
  readonly gatewayId: string;
  /** Holds `snapshot/`, `blobs/` and `spool/`. One machine's gateway processes share it. */
  readonly dataDir: string;
  readonly control: { readonly url: string };
  readonly worker: { readonly url: string };
  /** Bearer key for control and worker. */
  readonly key: string;
  /** Ed25519 public keys that may sign snapshots. */
  readonly snapshotKeys: readonly KeyObject[];
  /** Age of the last contact with control after which calls are refused. 0: never. */
  readonly stalenessMsMax: number;
  /** The authorization server's address, told to clients that need an approval. */
  readonly issuer?: string;
  /** Addresses of TLS proxies whose Client-Cert field (RFC 9440) is believed. */
  readonly trustedProxies?: readonly string[];
  /** `aud` that JWT access tokens must carry. */
  readonly audience?: string;
  readonly listeners: readonly ListenerConfig[];
  /** Whether apps with a port of their own get a listener, and with which TLS settings. */
  readonly appPorts?: Omit<ListenerConfig, 'port' | 'kind' | 'app'>;
  /** The forward proxy. Absent: there is none. */
  readonly proxy?: ProxyConfig;
  /** The forward proxy once more, by TLS, for clients that prove themselves by a certificate. */
  readonly secureProxy?: ProxyConfig;
  /** Several processes listen on the same ports, the kernel spreads connections. */
  readonly reusePort?: boolean;
  /** Gateway processes of this data directory, which share their counters of limits. Default 1: nothing to share. */
  readonly processes?: number;
  /** Valkey or Redis that counts for a whole fleet: `valkey://`, `redis://`, or with `s` over TLS. */
  readonly valkeyUrl?: string;
  /** What becomes of a DPoP proof while nobody can say whether another process took it. Default `accept`, and noted. */
  readonly unsharedProofs?: 'accept' | 'refuse';
  /** Prometheus text and health, on an internal address. */
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly limits?: Partial<GatewayLimits>;
  readonly spool?: { readonly bytesMax?: number; readonly segmentBytesMax?: number };
  /** CA certificates (PEM) trusted for control and worker, when they aren't publicly issued. */
  readonly internalCa?: readonly string[];
}

export const STALENESS_MS_MAX_DEFAULT = 24 * 3_600_000;
