import { z } from 'zod';

/** Ids are minted by control (UUIDv7); the snapshot only needs them to be short, printable and unambiguous. */
export const entryId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'expected a short id of A-Z a-z 0-9 _ . -');
/** Milliseconds since the epoch. */
export const instant = z.int().nonnegative();
/** Lower-case hex SHA-256. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');
/** A name people read. */
export const label = z.string().min(1).max(200);
/** Part of a URL path: an app's `/<name>/…`, a host's role. */
export const slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a-z, 0-9 and inner dashes');
const hostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'expected a lower-case host name');

const baseUrl = z
  .string()
  .max(2048)
  .refine(isBaseUrl, 'expected an http(s) URL without credentials, query, fragment or trailing slash');

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text) || text.endsWith('/')) return false;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && (url.protocol === 'https:' || url.protocol === 'http:') && !text.endsWith('?') && !text.endsWith('#');
}

/** How strongly a client proved itself: m0 a shared secret, m1 one key, m2 two different keys. */
export const assurance = z.enum(['m0', 'm1', 'm2']);
export type Assurance = z.output<typeof assurance>;

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'expected an HTTP field name');
/** SecretEnvelope output, sealed with context `credential:<AppId>`. Never clear text. */
const sealed = z.string().min(1).max(16_384);

/**
 * What the gateway attaches upstream. What the sealed text holds, once opened:
 * bearer: the token. basic: `user:password`. api-key-*: the key. The rest: a JSON object as their vault kind defines;
 * `tokenUrl` is where short-lived tokens are minted.
 */
export const credential = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bearer'),
    sealed,
    /** Sent before the token: `Bearer`, `token`, `SSWS`. */
    scheme: z.string().max(32).default('Bearer'),
    /** When the vendor's token ends, for short-lived ones that control refreshes. */
    expiresAt: instant.nullable().default(null),
  }),
  z.strictObject({ kind: z.literal('basic'), sealed }),
  z.strictObject({
    kind: z.literal('api-key-header'),
    sealed,
    header: headerName,
    prefix: z.string().max(64).default(''),
  }),
  z.strictObject({ kind: z.literal('api-key-query'), sealed, parameter: z.string().min(1).max(128) }),
  z.strictObject({
    kind: z.enum(['oauth2-client-credentials', 'oauth2-refresh-token', 'github-app', 'google-service-account']),
    sealed,
    tokenUrl: z.string().max(2048).nullable().default(null),
    scopes: z.array(z.string().max(256)).max(100).default([]),
  }),
  z.strictObject({
    kind: z.literal('aws-sigv4'),
    sealed,
    region: z.string().min(1).max(64),
    service: z.string().min(1).max(64),
  }),
]);
export type Credential = z.output<typeof credential>;

const check = z.enum(['enforce', 'observe', 'off']);
const KIB = 1024;
const MIB = KIB * KIB;

const limits = z.strictObject({
  requestBytesMax: z
    .int()
    .min(0)
    .max(1024 * MIB)
    .default(10 * MIB),
  responseBytesMax: z
    .int()
    .min(0)
    .max(1024 * MIB)
    .default(64 * MIB),
  headerBytesMax: z
    .int()
    .min(1024)
    .max(256 * KIB)
    .default(32 * KIB),
  timeoutMs: z.int().min(100).max(600_000).default(30_000),
  jsonDepthMax: z.int().min(1).max(1000).default(64),
});

/** `app:<AppId>`: one SaaS tool and how the gateway treats it. */
export const appEntry = z.strictObject({
  id: entryId,
  /** Path prefix: `/<name>/…`. Unique among apps. */
  name: slug,
  title: label,
  /** Base URL of the API, no trailing slash: `https://api.github.com`. Reached at `/<name>/…`. */
  upstream: baseUrl,
  /** Further hosts of the vendor, each reached at `/<name>~<role>/…` (`~` can't occur in a name). */
  hosts: z
    .array(z.strictObject({ role: slug, upstream: baseUrl }))
    .max(64)
    .default([]),
  /** A listener of its own for SDKs that drop path prefixes. */
  port: z.int().min(1).max(65_535).nullable().default(null),
  /** Host names (SNI and Host) under which the gateway serves this app without a prefix. */
  hostNames: z.array(hostName).max(64).default([]),
  /** Other host names whose URLs mean `upstream`; those of `upstream` and `hosts` are always rewritten. */
  rewriteHosts: z.array(hostName).max(64).default([]),
  /** Rewrite absolute URLs in response bodies, not only in Link and Location. */
  rewriteBodies: z.boolean().default(true),
  /** Exact addresses allowed although private, loopback or link-local. No ranges: each is shown and audited. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(64)
    .default([]),
  /** http:// upstreams are refused unless an administrator said otherwise for this app. */
  plaintext: z.enum(['refuse', 'allow']).default('refuse'),
  /** PEM certificates trusted for this upstream in addition to the system's. */
  caCertificates: z.array(z.string().max(16_384)).max(16).default([]),
  /** SHA-256 of acceptable SubjectPublicKeyInfo (base64); empty: no pinning. */
  publicKeyPins: z.array(z.string().max(64)).max(16).default([]),
  tlsVersionMin: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  /** fsync the event before the response ends. */
  strict: z.boolean().default(false),
  /** What happens to calls when the event spool is full. */
  backPressure: z.enum(['refuse', 'serve-and-count']).default('refuse'),
  /** The compiled operation table (`@cordon/openapi`), fetched by content address. */
  description: z.strictObject({ sha256: sha256Hex, bytes: z.int().nonnegative() }).nullable().default(null),
  unknownOperations: z.enum(['refuse', 'allow']).default('refuse'),
  validateRequests: check.default('enforce'),
  validateResponses: check.default('observe'),
  injection: z.enum(['refuse', 'detect', 'off']).default('detect'),
  credential: credential.nullable().default(null),
  /** The weakest client proof accepted for this app. */
  assurance: assurance.default('m0'),
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable().default(null),
  limits: limits.prefault({}),
});
export type AppEntry = z.output<typeof appEntry>;
export type AppEntryInput = z.input<typeof appEntry>;
