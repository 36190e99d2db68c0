import { isIP } from 'node:net';
import { z } from 'zod';

export const FORWARD_KINDS = ['splunk', 'elastic', 'syslog', 's3', 'webhook'] as const;
export type ForwardKind = (typeof FORWARD_KINDS)[number];

const QUERY_CHARS_MAX = 4_000;
const PEM_CHARS_MAX = 20_000;
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const url = z.url({ protocol: /^https?$/ }).max(2_000);
const secret = z.string().min(1).max(4_000);
/** A certificate authority of the customer's own, PEM; it replaces the public ones for this target. */
const ca = z.string().max(PEM_CHARS_MAX).startsWith('-----BEGIN CERTIFICATE-----').nullable().default(null);

const settingsByKind = {
  /** HTTP Event Collector; the address ends in `/services/collector/event`. */
  splunk: z.strictObject({
    url,
    ca,
    index: z.string().max(200).nullable().default(null),
    sourcetype: z.string().min(1).max(200).default('cordon:ocsf'),
  }),
  /** Address of the cluster; events go to `/_bulk` with their id, so a repeat is no second document. */
  elastic: z.strictObject({ url, ca, index: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,199}$/) }),
  /** CEF in RFC 5424 messages, framed by octet counting (RFC 6587, RFC 5425). */
  syslog: z.strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535),
    transport: z.enum(['tcp', 'tls']).default('tls'),
    ca,
  }),
  /** Gzipped NDJSON objects; the bucket is addressed by path. */
  s3: z.strictObject({
    endpoint: url,
    region: z.string().regex(/^[a-z0-9-]{1,50}$/),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,62}$/),
    prefix: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .max(200)
      .or(z.literal(''))
      .default(''),
    accessKeyId: z.string().min(1).max(200),
  }),
  /** Signed as Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
  webhook: z.strictObject({ url, ca }),
} as const;

export type ForwardSettings = {
  readonly [Kind in ForwardKind]: { readonly kind: Kind } & Readonly<z.output<(typeof settingsByKind)[Kind]>>;
}[ForwardKind];

const common = {
  name: z.string().regex(NAME),
  /** What is forwarded, in the search language; empty is everything. */
  query: z.string().max(QUERY_CHARS_MAX).default(''),
  /** Exact private addresses that the target may lie at; all others are refused. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(10)
    .default([]),
  /** Events that the lake took from here on, milliseconds since the epoch; default: now. */
  from: z.int().nonnegative().optional(),
};

/** `secret`: HEC token, Elastic API key (base64), S3 secret access key, or the webhook's signing key. */
export const forwardInput = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('splunk'), settings: settingsByKind.splunk, secret }),
  z.strictObject({ ...common, kind: z.literal('elastic'), settings: settingsByKind.elastic, secret }),
  z.strictObject({ ...common, kind: z.literal('syslog'), settings: settingsByKind.syslog }),
  z.strictObject({ ...common, kind: z.literal('s3'), settings: settingsByKind.s3, secret }),
  z.strictObject({ ...common, kind: z.literal('webhook'), settings: settingsByKind.webhook, secret }),
]);
export type ForwardInput = z.output<typeof forwardInput>;

export const forwardPatch = z.strictObject({
  status: z.enum(['active', 'paused']).optional(),
  /** Go back, or on, to what the lake took at this moment. */
  from: z.int().nonnegative().optional(),
});
export type ForwardPatch = z.output<typeof forwardPatch>;

/** Stored settings, read again. Throws where somebody changed the row by hand. */
export function readSettings(kind: ForwardKind, value: unknown): ForwardSettings {
  // The schema that was looked up by the kind gives the settings of that kind.
  return { kind, ...settingsByKind[kind].parse(value) } as ForwardSettings;
}

/** Where it goes, for people; holds no secret. */
export function placeOf(settings: ForwardSettings): string {
  if (settings.kind === 'syslog') return `${settings.transport}://${settings.host}:${settings.port}`;
  if (settings.kind !== 's3') return new URL(settings.url).host;
  const { endpoint, bucket, prefix } = settings;
  return [new URL(endpoint).host, bucket, ...(prefix === '' ? [] : [prefix])].join('/');
}

/**
 * Why a target may not be: events and secrets leave in clear only towards a private address that an administrator
 * named exactly. Null when it may.
 */
export function plaintextRefusal(settings: ForwardSettings, privateAddresses: readonly string[]): string | null {
  let host = '';
  if (settings.kind === 'syslog') {
    if (settings.transport === 'tls') return null;
    host = settings.host;
  } else {
    const address = new URL(settings.kind === 's3' ? settings.endpoint : settings.url);
    if (address.username !== '' || address.password !== '') return 'The address may not hold a password.';
    if (address.protocol === 'https:') return null;
    host = address.hostname.replace(/^\[|\]$/g, '');
  }
  return isIP(host) !== 0 && privateAddresses.includes(host)
    ? null
    : 'Without TLS a target must be a private address that is written as such and listed in privateAddresses.';
}

/** An event as the lake gives it. */
export interface ForwardEvent {
  readonly id: string;
  /** When it happened and when the lake took it, milliseconds since the epoch. */
  readonly time: number;
  readonly ingestedAt: number;
  readonly event: Readonly<Record<string, unknown>>;
}

export interface ForwardPosition {
  readonly at: number;
  readonly id: string;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 5 * 60_000;

/** Doubles with each failure, up to five minutes: a target that is away for days is tried for days. */
export function forwardDelayMs(failures: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures, 20));
}
