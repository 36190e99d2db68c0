import { z } from 'zod';
import { graphqlSettings } from './graphql-entry.ts';
import { mcpSettings } from './mcp-entry.ts';

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

/** Which vault credential a short-lived token was minted from, and how often that has happened. */
const renewal = z.strictObject({ id: entryId, generation: z.int().nonnegative() });

/**
 * What the gateway attaches upstream. What the sealed text holds, once opened:
 * bearer: the token. basic: `user:password`. api-key-*: the key. aws-sigv4: a JSON object of `accessKeyId`,
 * `secretAccessKey` and perhaps `sessionToken`. Refresh tokens, client secrets and private keys never come here: what
 * mints short-lived tokens stays with control and worker.
 */
export const credential = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bearer'),
    sealed,
    /** Sent before the token: `Bearer`, `token`, `SSWS`. */
    scheme: z.string().max(32).default('Bearer'),
    /** When the vendor's token ends, for short-lived ones that control refreshes. */
    expiresAt: instant.nullable().default(null),
    /** Set when the token can be renewed: a gateway whose vendor refuses it may ask for a newer one. */
    renewal: renewal.nullable().default(null),
  }),
  z.strictObject({ kind: z.literal('basic'), sealed }),
  z.strictObject({
    kind: z.literal('api-key-header'),
    sealed,
    header: headerName,
    prefix: z.string().max(64).default(''),
  }),
  z.strictObject({ kind: z.literal('api-key-query'), sealed, parameter: z.string().min(1).max(128) }),
  /** A field of a form body (application/x-www-form-urlencoded). */
  z.strictObject({ kind: z.literal('api-key-form'), sealed, field: z.string().min(1).max(128) }),
  z.strictObject({
    kind: z.literal('aws-sigv4'),
    sealed,
    region: z.string().min(1).max(64),
    service: z.string().min(1).max(64),
  }),
  /** There should be one and there is none: calls are refused, never sent without it. */
  z.strictObject({ kind: z.literal('unavailable'), reason: z.enum(['not-connected', 'expired', 'refused']) }),
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

/** Milliseconds, from a tenth of a second to an hour. */
const wait = z.int().min(100).max(3_600_000);

/** How calls behave when the upstream is slow, broken or gone. Times in milliseconds. */
const resilience = z.strictObject({
  connectMs: wait.default(5_000),
  /** Until the answer's header is there; null: `limits.timeoutMs`. */
  headersMs: wait.nullable().default(null),
  /** Between two pieces of the answer; null: `limits.timeoutMs`. */
  idleMs: wait.nullable().default(null),
  /** From the first byte sent to the last one received, repeats included; streams of events are exempt. */
  totalMs: wait.default(900_000),
  /** Further tries of a call that is safe to repeat. 0: none. */
  retriesMax: z.int().min(0).max(5).default(2),
  /** Further tries as a share of all calls; a few a second are always allowed. */
  retryPercent: z.int().min(0).max(100).default(10),
  breaker: z
    .strictObject({
      mode: z.enum(['on', 'off']).default('on'),
      /** Fewer calls than this in the window say nothing. */
      callsMin: z.int().min(1).max(10_000).default(10),
      failurePercent: z.int().min(1).max(100).default(50),
      windowMs: wait.default(10_000),
      /** How long it stays open at first; doubled with each failed probe, up to a minute. */
      openMs: wait.default(5_000),
    })
    .prefault({}),
  /** Calls in flight to one upstream host from one gateway process; more are refused, or wait. */
  concurrencyMax: z.int().min(1).max(1_024).default(128),
  /** Calls that may wait for a place. 0: no queue. */
  queueMax: z.int().min(0).max(10_000).default(0),
  queueMs: wait.default(1_000),
});

/** How a vendor's own rate limit is divided between integrations. */
const sharing = z.strictObject({
  mode: z.enum(['on', 'off']).default('on'),
  /** From this share of the vendor's budget on, each integration gets its part of what is left. */
  reservePercent: z.int().min(1).max(100).default(20),
  /** Integrations that count for more (or less) than 1. */
  weights: z.record(entryId, z.number().min(0.1).max(100)).default({}),
});

/** A field whose values may read like an attack: findings there are neither recorded nor refused until it expires. */
export const injectionException = z.strictObject({
  in: z.enum(['path', 'query', 'header', 'body']),
  // A slash after a star would end a block comment: the example is /items/*/query.
  /** JSON Pointer of the field, with `*` for any one name or index. A parameter is `/` and its name. */
  pointer: z
    .string()
    .max(512)
    .regex(/^(?:\/[^\p{Cc}]*)?$/u, 'expected a JSON Pointer such as /items/*/query'),
  /** null: every kind. */
  kind: z
    .enum([
      'sql',
      'nosql',
      'command',
      'path-traversal',
      'ldap',
      'xss',
      'template',
      'xxe',
      'header',
      'ssrf',
      'deserialization',
    ])
    .nullable()
    .default(null),
  /** null: every operation of the app. */
  operationId: z.string().max(512).nullable().default(null),
  /** When it ends. An exception that nobody looks at again is a hole. */
  expiresAt: instant,
  note: z.string().max(500).default(''),
});
export type InjectionException = z.output<typeof injectionException>;

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
  /** `observe`: gateways tell the shapes of calls and answers, from which control proposes a description. */
  learn: z.enum(['off', 'observe']).default('off'),
  /**
   * What the forward proxy does with connections to this app's hosts: `inspect` opens TLS and every call takes the
   * pipeline, `tunnel` records host and volume only.
   */
  forwardProxy: z.enum(['inspect', 'tunnel', 'refuse']).default('refuse'),
  injection: z.enum(['refuse', 'detect', 'off']).default('detect'),
  /** The same for what the app answers: text that somebody planted there. */
  injectionAnswers: z.enum(['refuse', 'detect', 'off']).default('off'),
  injectionExceptions: z.array(injectionException).max(200).default([]),
  credential: credential.nullable().default(null),
  /** The weakest client proof accepted for this app. */
  assurance: assurance.default('m0'),
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable().default(null),
  limits: limits.prefault({}),
  /** Set for an MCP server: its tools are the operations. */
  mcp: mcpSettings.nullable().default(null),
  /** Set where some paths speak GraphQL: its fields are the operations. */
  graphql: graphqlSettings.nullable().default(null),
  resilience: resilience.prefault({}),
  sharing: sharing.prefault({}),
});
export type AppEntry = z.output<typeof appEntry>;
export type AppEntryInput = z.input<typeof appEntry>;

/** `credential:<AppId>.<IntegrationId>`: what is attached to the calls of one integration instead of the app's own. */
export const credentialEntry = z.strictObject({ id: entryId, credential });
export type CredentialEntry = z.output<typeof credentialEntry>;
