import { z } from 'zod';

/** Everything a role process needs, resolved: given over IPC by the supervisor, or made from file and environment. */
export const roleConfig = z.object({
  dataDir: z.string(),
  logLevel: z.string(),
  databaseUrl: z.string(),
  lake: z.object({ url: z.string(), username: z.string(), password: z.string(), database: z.string() }),
  /** Base64 key-encryption keys, newest first, comma separated. */
  kek: z.string(),
  /** Bearer between gateways, control and worker. */
  internalKey: z.string(),
  control: z.object({
    host: z.string(),
    port: z.int(),
    publicUrl: z.string(),
    internalUrl: z.string(),
    operatorAccess: z.enum(['file', 'none']),
    /** The listener that asks for client certificates; null: none. */
    mtls: z
      .object({ port: z.int(), publicUrl: z.string(), cert: z.string(), key: z.string(), ca: z.string().nullable() })
      .nullable(),
  }),
  clients: z.object({
    /** PEM bundles. */
    authorities: z.string(),
    spiffe: z.record(z.string(), z.string()),
    trustedProxies: z.array(z.string()),
    certificateDays: z.int(),
    dpopNonce: z.enum(['optional', 'required']),
  }),
  worker: z.object({
    host: z.string(),
    port: z.int(),
    internalUrl: z.string(),
    collect: z.object({
      host: z.string(),
      folders: z.array(z.string()),
      tls: z.object({ cert: z.string(), key: z.string() }),
    }),
  }),
  gateway: z.object({
    id: z.string(),
    host: z.string(),
    port: z.int(),
    plainPort: z.int(),
    processPort: z.int(),
    /** 0: no forward proxy. */
    proxyPort: z.int(),
    /** 0: no forward proxy by TLS beside the one above. */
    proxyTlsPort: z.int(),
    publicUrl: z.string(),
    tls: z.object({ cert: z.string(), key: z.string() }).nullable(),
    staleAfterMs: z.int(),
    metricsHost: z.string(),
    metricsPort: z.int(),
    index: z.int(),
    /** How many of these processes share the data directory. */
    processes: z.int(),
    /** Counts limits for a fleet. */
    valkeyUrl: z.string().nullable(),
    unsharedProofs: z.enum(['accept', 'refuse']),
  }),
  objects: z.object({
    /** `file:/folder` or `s3://bucket/prefix`. */
    url: z.string(),
    endpoint: z.string(),
    region: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    lock: z.enum(['none', 'governance', 'compliance']),
    holdMs: z.int(),
  }),
  /** Name servers for vendors' hosts; none: the system's. */
  dnsServers: z.array(z.string()),
  mail: z.object({ smtpUrl: z.string().nullable(), from: z.string() }),
  telemetry: z.object({ otlpUrl: z.string().nullable(), otlpHeaders: z.record(z.string(), z.string()) }),
  /** A folder of the customer's own detections. */
  rulesFolder: z.string().nullable(),
  /** Files of networks of the customer's. */
  networkFiles: z.array(z.string()).default([]),
  /** What the lake takes goes into a Merkle log. */
  proveLake: z.boolean().default(false),
  accessTokenS: z.int(),
  /** `host:port` of corporate providers on a private network. */
  signOnPrivateHosts: z.array(z.string()).default([]),
  retentionDays: z.int(),
});
export type RoleConfig = z.output<typeof roleConfig>;

export const ROLE_NAMES = ['control', 'worker', 'gateway'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** A running role. */
export interface Role {
  /** Finishes what is under way, then closes. */
  stop(): Promise<void>;
  /** Resolves with the reason when the role can't go on and its process should end. */
  readonly ended?: Promise<string>;
}
