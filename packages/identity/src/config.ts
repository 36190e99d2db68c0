import { z } from 'zod';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A resource server that a client can name with `resource` (RFC 8707). */
const resourceSchema = z.object({
  id: z.url(),
  /** `jwt` tokens can't be looked up, so they live five minutes at most. */
  tokenFormat: z.enum(['opaque', 'jwt']).default('opaque'),
});

/** Extra attributes of people that a directory provisions, under a schema id of the customer's own. */
const scimExtensionSchema = z.object({
  id: z.string().regex(/^urn:[\w:.-]{3,200}$/),
  name: z.string().min(1).max(100),
  attributes: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z][\w-]{0,60}$/),
        type: z.enum(['string', 'boolean', 'integer', 'dateTime']).default('string'),
        multiValued: z.boolean().default(false),
        description: z.string().max(300).default(''),
      }),
    )
    .min(1)
    .max(50),
});

/** Which client certificates are believed, and how proofs of possession must be. */
const clientTrustSchema = z.object({
  /** PEM bundle of authorities whose certificates identify clients by their subject. */
  authorities: z.string().default(''),
  /** SPIFFE trust domain → PEM bundle. */
  spiffe: z.record(z.string(), z.string()).default({}),
  /** Addresses whose Client-Cert field (RFC 9440) is believed. */
  trustedProxies: z.array(z.string()).default([]),
  certificateDays: z.int().min(1).max(90).default(7),
  dpopNonce: z.enum(['optional', 'required']).default('optional'),
  /** 32 bytes in hex that all control processes share; random when absent. */
  nonceSecret: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/** Settings of this package. Everything has a default but the public address. */
export const identityConfigSchema = z.object({
  /** The address under which browsers and clients reach Cordon; OAuth issuer, WebAuthn origin. No trailing slash. */
  publicUrl: z
    .url()
    .transform((value) => value.replace(/\/+$/, ''))
    .refine((value) => new URL(value).pathname === '/', 'must have no path'),
  /** More origins that may sign in, for example a development server's. */
  extraOrigins: z.array(z.url()).default([]),
  organisation: z.string().min(1).max(100).default('Cordon'),
  sessionIdleMs: z
    .int()
    .min(MINUTE_MS)
    .max(24 * HOUR_MS)
    .default(HOUR_MS),
  sessionAbsoluteMs: z
    .int()
    .min(MINUTE_MS)
    .max(30 * 24 * HOUR_MS)
    .default(12 * HOUR_MS),
  /** Lifetime of an access token when its client doesn't say otherwise, seconds. */
  tokenTtlS: z.int().min(60).max(86_400).default(3_600),
  resources: z.array(resourceSchema).default([]),
  /** Below this address every app is a resource that a token can be meant for: `<gatewayUrl>/<app>`. */
  gatewayUrl: z
    .url()
    .transform((value) => value.replace(/\/+$/, ''))
    .optional(),
  /** Address of the listener that asks for client certificates. */
  mtlsUrl: z
    .url()
    .transform((value) => value.replace(/\/+$/, ''))
    .optional(),
  clients: clientTrustSchema.prefault({}),
  scimExtension: scimExtensionSchema.optional(),
  /** `host:port` of corporate providers on a private network, or over plain HTTP on loopback. */
  signOnPrivateHosts: z
    .array(z.string().regex(/^[^/@\s]{1,255}:\d{1,5}$/))
    .max(20)
    .default([]),
  attestation: z.enum(['direct', 'none']).default('direct'),
});

export type IdentityConfig = z.output<typeof identityConfigSchema>;
export type IdentityConfigInput = z.input<typeof identityConfigSchema>;

/** What a browser must send as Origin. */
export function allowedOrigins(config: IdentityConfig): readonly string[] {
  return [new URL(config.publicUrl).origin, ...config.extraOrigins.map((origin) => new URL(origin).origin)];
}
