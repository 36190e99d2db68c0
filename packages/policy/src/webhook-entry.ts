import { z } from 'zod';
import { entryId, instant, label, slug } from './app-entry.ts';

const KIB = 1024;
const MIB = KIB * KIB;
export const WEBHOOK_BODY_BYTES_MAX = 8 * MIB;

const fieldName = z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'expected a lower-case HTTP field name');
const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'expected a lower-case host name');
const path = z.string().regex(/^[A-Za-z0-9_$-]+(?:\.[A-Za-z0-9_$-]+)*$/, 'expected names joined by dots');

/** Where a value of a delivery stands: a header, the query, the body (JSON or form), or a part of the signature's field. */
export const webhookPlace = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('header'), name: fieldName }),
  z.strictObject({ from: z.literal('query'), name: z.string().min(1).max(128) }),
  z.strictObject({ from: z.literal('body'), path }),
  z.strictObject({ from: z.literal('signature'), key: z.string().min(1).max(32) }),
]);
export type WebhookPlace = z.output<typeof webhookPlace>;

/** One way in which a vendor signs. */
const webhookVariant = z.strictObject({
  /** `sha256` hashes content that holds the secret itself (HubSpot v1 and v2); `token` compares a shared secret. */
  algorithm: z.enum(['hmac-sha1', 'hmac-sha256', 'hmac-sha512', 'sha256', 'ed25519', 'token']),
  signature: z.strictObject({
    header: fieldName,
    encoding: z.enum(['hex', 'base64', 'text']).default('hex'),
    /** Stands before each signature: `sha256=`, `v1,`. What doesn't begin with it is no signature of this variant. */
    prefix: z.string().max(32).default(''),
    /** Between several signatures in one field. */
    separator: z.string().min(1).max(1).nullable().default(null),
  }),
  /** The variant counts only for deliveries with this field's value, or of this kind of body. */
  when: z
    .strictObject({ header: fieldName, value: z.string().max(128) })
    .nullable()
    .default(null),
  body: z.enum(['any', 'form', 'not-form']).default('any'),
  /** What is signed: text with {body} {timestamp} {id} {method} {url} {decodedUrl} {secret} {form}. */
  content: z.string().max(256).default('{body}'),
  /** The body isn't part of what is signed, but its SHA-256 in hex stands in the signed query (Twilio). */
  bodyDigestQuery: z.string().max(64).nullable().default(null),
});
export type WebhookVariant = z.output<typeof webhookVariant>;

/** Answers a vendor that asks whether the address is real. */
const webhookHandshake = z.strictObject({
  method: z.enum(['GET', 'POST']).default('POST'),
  /** What makes a request a handshake: this value is there and, when given, equals. */
  when: z.strictObject({ place: webhookPlace, equals: z.string().max(128).nullable().default(null) }),
  /** The value that is given back as {value}. */
  value: webhookPlace.nullable().default(null),
  /** Whether it must be signed like a delivery. */
  signed: z.boolean().default(true),
  contentType: z.enum(['text/plain', 'application/json']).default('text/plain'),
  /** {value}; {hmac}: its HMAC-SHA256 with the secret, in hex. In JSON both are escaped. */
  respond: z.string().max(512).default('{value}'),
});
export type WebhookHandshake = z.output<typeof webhookHandshake>;

/** How a vendor signs, as data: what `content/webhooks/<vendor>.yaml` holds, or what a customer declares. */
export const webhookScheme = z.strictObject({
  name: slug,
  title: label,
  variants: z.array(webhookVariant).max(8).default([]),
  /**
   * The vendor proves itself by a TLS client certificate instead of a signature. The secret is then PEM text: its
   * certificate, or the authority that issues it; `names`: DNS names of which its certificate must have one.
   */
  certificate: z
    .strictObject({ names: z.array(dnsName).max(16).default([]) })
    .nullable()
    .default(null),
  secret: z
    .strictObject({
      encoding: z.enum(['utf8', 'base64', 'hex']).default('utf8'),
      /** Taken off before decoding: `whsec_`. */
      prefix: z.string().max(32).default(''),
      hint: z.string().max(500).default(''),
    })
    .prefault({}),
  timestamp: z
    .strictObject({ place: webhookPlace, unit: z.enum(['s', 'ms', 'iso']) })
    .nullable()
    .default(null),
  toleranceMs: z.int().min(1_000).max(86_400_000).default(300_000),
  /** The vendor's id of a delivery; `signed` when the signature covers it. */
  id: z
    .strictObject({ places: z.array(webhookPlace).min(1).max(8), signed: z.boolean() })
    .nullable()
    .default(null),
  /** The event's type: the first place that holds a value. */
  type: z.array(webhookPlace).max(8).default([]),
  /** Header fields that are given on to the integration. Signatures never are: it doesn't hold their secret. */
  forward: z.array(fieldName).max(32).default([]),
  handshakes: z.array(webhookHandshake).max(8).default([]),
});
export type WebhookScheme = z.output<typeof webhookScheme>;
export type WebhookSchemeInput = z.input<typeof webhookScheme>;

/** `count` deliveries per `periodMs`. */
export const webhookRate = z.strictObject({
  count: z.int().min(1).max(1_000_000),
  periodMs: z.int().min(1_000).max(86_400_000),
});

/** `webhook:<WebhookEndpointId>`: an address under `/hooks/` and how the gateway judges what comes there. */
export const webhookEntry = z.strictObject({
  id: entryId,
  name: label,
  appId: entryId,
  integrationId: entryId,
  status: z.enum(['active', 'paused', 'disabled']),
  scheme: webhookScheme,
  /** Sealed with context `webhook:<id>`. Two while a secret is replaced: each is good until its `notAfter`. */
  secrets: z
    .array(
      z.strictObject({
        id: entryId,
        sealed: z.string().min(1).max(16_384),
        notAfter: instant.nullable().default(null),
      }),
    )
    .min(1)
    .max(2),
  /** Types that are taken; `issues.*` takes all that begin so. Empty: all. */
  types: z.array(z.string().min(1).max(256)).max(200).default([]),
  /** JSON Schema as text, or null. */
  schema: z.string().max(65_536).nullable().default(null),
  validate: z.enum(['enforce', 'observe']).default('enforce'),
  /** `rules` does what the inspection rules say, `log` only notes what was found. */
  inspect: z.enum(['rules', 'log', 'off']).default('rules'),
  /** What makes two deliveries one: what the vendor signed, or the vendor's own id although it isn't signed. */
  replay: z.enum(['signed', 'vendor-id']).default('signed'),
  /** Deliveries with the same value here go to the integration one after another. */
  order: z.union([z.enum(['none', 'endpoint']), webhookPlace]).default('none'),
  /** Verified deliveries that are taken; more are answered with 429, and the vendor sends them again. */
  rate: webhookRate.nullable().default(null),
  bodyBytesMax: z
    .int()
    .min(1)
    .max(WEBHOOK_BODY_BYTES_MAX)
    .default(2 * MIB),
});
export type WebhookEntry = z.output<typeof webhookEntry>;
export type WebhookEntryInput = z.input<typeof webhookEntry>;
