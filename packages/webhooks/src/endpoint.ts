import { WEBHOOK_BODY_BYTES_MAX, webhookEntry, webhookRate, webhookScheme } from '@cordon/policy';
import { z } from 'zod';

const MIB = 1024 * 1024;
/** Room for the certificates of a vendor. */
const SECRET_CHARS_MAX = 8_192;
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a-z, 0-9 and inner dashes');

const targetUrl = z
  .string()
  .max(2_048)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password, hash } = new URL(text);
    return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === '';
  }, 'expected an http(s) URL without credentials and fragment');

const settingsShape = {
  /** The name of a scheme that Cordon ships, or one of your own. */
  scheme: z.union([name, webhookScheme]),
  types: webhookEntry.shape.types.unwrap(),
  schema: webhookEntry.shape.schema.unwrap(),
  validate: webhookEntry.shape.validate.unwrap(),
  inspect: webhookEntry.shape.inspect.unwrap(),
  replay: webhookEntry.shape.replay.unwrap(),
  order: webhookEntry.shape.order.unwrap(),
  bodyBytesMax: z.int().min(1).max(WEBHOOK_BODY_BYTES_MAX),
  /** Verified deliveries that are taken; null: as many as come. */
  rate: webhookRate.nullable().default(null),
  /** A detection source that gets each delivery too: parsed, in the lake, in front of the rules. */
  source: z.uuid().nullable().default(null),
  /** Where the integration takes deliveries. */
  url: targetUrl,
  /** http:// is refused unless somebody who may said otherwise. */
  plaintext: z.enum(['refuse', 'allow']),
  /** Exact addresses allowed although private, loopback or link-local. */
  privateAddresses: z.array(z.union([z.ipv4(), z.ipv6()])).max(16),
  timeoutMs: z.int().min(500).max(30_000),
  /** After so many in vain a delivery is dead until somebody sends it again. */
  attemptsMax: z.int().min(1).max(20),
  /** How long contents are kept after they were delivered or died. */
  keepDays: z.int().min(0).max(30),
};

/** How an endpoint works; what is stored of it besides names and secrets. */
export const endpointSettings = z.strictObject(settingsShape);
export type EndpointSettings = z.output<typeof endpointSettings>;

const secret = z.string().trim().min(8, 'expected at least 8 characters').max(SECRET_CHARS_MAX);

export const endpointInput = z.strictObject({
  name,
  appId: z.uuid(),
  integrationId: z.uuid(),
  /** What the vendor signs with; its public key for Ed25519. */
  secret,
  ...settingsShape,
  types: settingsShape.types.default([]),
  schema: settingsShape.schema.default(null),
  validate: settingsShape.validate.default('enforce'),
  inspect: settingsShape.inspect.default('rules'),
  replay: settingsShape.replay.default('signed'),
  order: settingsShape.order.default('none'),
  bodyBytesMax: settingsShape.bodyBytesMax.default(2 * MIB),
  plaintext: settingsShape.plaintext.default('refuse'),
  privateAddresses: settingsShape.privateAddresses.default([]),
  timeoutMs: settingsShape.timeoutMs.default(10_000),
  attemptsMax: settingsShape.attemptsMax.default(12),
  keepDays: settingsShape.keepDays.default(7),
});
export type EndpointInput = z.input<typeof endpointInput>;

/** A change names only what it changes. */
export const endpointPatch = endpointSettings
  .partial()
  // No default may creep into a change.
  .extend({
    rate: webhookRate.nullable().optional(),
    source: z.uuid().nullable().optional(),
    status: z.enum(['active', 'paused', 'disabled']).optional(),
  });

/** How long a replaced secret stays good. */
const OVERLAP_MS_MAX = 30 * 86_400_000;
export const rotationInput = z.strictObject({
  secret,
  overlapMs: z.int().min(0).max(OVERLAP_MS_MAX).default(86_400_000),
});
export const signingRotationInput = rotationInput.omit({ secret: true });

interface EndpointSecret {
  readonly id: string;
  readonly purpose: 'vendor' | 'signing';
  readonly notAfter: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface Endpoint {
  readonly id: string;
  readonly name: string;
  readonly appId: string;
  readonly integrationId: string;
  readonly status: 'active' | 'paused' | 'disabled';
  readonly settings: EndpointSettings;
  readonly secrets: readonly EndpointSecret[];
  readonly counts: {
    readonly waiting: number;
    readonly delivered: number;
    readonly dead: number;
    readonly duplicate: number;
  };
  readonly lastReceivedAt: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
}

export interface Delivery {
  readonly id: string;
  readonly endpointId: string;
  readonly receivedAt: number;
  readonly type: string;
  readonly vendorId: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly status: 'waiting' | 'delivered' | 'dead' | 'duplicate';
  readonly attempts: number;
  /** When it is tried next; null when it isn't. */
  readonly nextAt: number | null;
  readonly settledAt: number | null;
  /** Whether its content is still here. */
  readonly isKept: boolean;
}

export interface Attempt {
  readonly id: string;
  readonly number: number;
  readonly at: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly byHand: string | null;
}
