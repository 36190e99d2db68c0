import { z } from 'zod';
import { ConnectorInputInvalid } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { credentialSecret } from './manifest-auth.ts';
import type { ConnectionStatus, StreamStatus } from './tables.ts';

const EVERY_MINUTES_MIN = 5;
const EVERY_MINUTES_MAX = 7 * 1_440;

const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(512)
  .refine((text) => new URL(text).username === '' && new URL(text).search === '', 'must be a plain address');

/** A connection to one tool, as a person or the API makes it. */
export const connectionInput = z.strictObject({
  app: z.string().min(1).max(64),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes'),
  config: z.record(z.string().max(64), z.string().max(512)).default({}),
  plan: z.string().max(64).nullable().default(null),
  /** Instead of the vendor's address: a server of the customer's own. */
  baseUrl: baseUrl.nullable().default(null),
  /** Exact private addresses that the tool may resolve to; plain http is allowed only to these. */
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(16)
    .default([]),
  everyMinutes: z.int().min(EVERY_MINUTES_MIN).max(EVERY_MINUTES_MAX).nullable().default(60),
  credential: credentialSecret,
});
export type ConnectionInput = z.output<typeof connectionInput>;

/** Where calls go can change only together with the credential: a secret must not follow by itself. */
export const connectionPatch = z.strictObject({
  config: z.record(z.string().max(64), z.string().max(512)).optional(),
  plan: z.string().max(64).nullable().optional(),
  baseUrl: baseUrl.nullable().optional(),
  privateAddresses: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .max(16)
    .optional(),
  everyMinutes: z.int().min(EVERY_MINUTES_MIN).max(EVERY_MINUTES_MAX).nullable().optional(),
  status: z.enum(['active', 'paused']).optional(),
  credential: credentialSecret.optional(),
});
export type ConnectionPatch = z.output<typeof connectionPatch>;

export interface StreamState {
  readonly stream: string;
  readonly status: StreamStatus;
  readonly reason: string | null;
  readonly readAt: number | null;
  readonly okAt: number | null;
}

/** As the API shows it: of the credential only kind and age. */
export interface Connection {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly plan: string | null;
  readonly baseUrl: string | null;
  readonly privateAddresses: readonly string[];
  readonly credential: { readonly kind: string; readonly createdAt: number };
  readonly status: ConnectionStatus;
  readonly statusReason: string | null;
  readonly everyMinutes: number | null;
  readonly nextSyncAt: number | null;
  readonly sourceId: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
}

/** Throws `ConnectorInputInvalid` unless config and plan are what the manifest asks for. Fills in defaults. */
export function checkConfig(
  manifest: Manifest,
  config: Readonly<Record<string, string>>,
  plan: string | null,
): Record<string, string> {
  const known = new Set(manifest.config.map((field) => field.name));
  const unknown = Object.keys(config).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new ConnectorInputInvalid(`${manifest.title} has no field ${unknown.join(', ')}.`);
  const filled: Record<string, string> = {};
  for (const field of manifest.config) {
    const value = config[field.name] ?? field.default;
    if (value === undefined || value === '') {
      if (field.required) throw new ConnectorInputInvalid(`${field.title} (${field.name}) is missing.`);
      continue;
    }
    if (field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`).test(value)) {
      throw new ConnectorInputInvalid(
        `${field.title} (${field.name}) has another form, such as ${field.example ?? ''}.`,
      );
    }
    filled[field.name] = value;
  }
  if (plan !== null && !manifest.plans.some((one) => one.name === plan)) {
    throw new ConnectorInputInvalid(`${manifest.title} has no plan ${plan}.`);
  }
  return filled;
}

export function checkCredentialKind(manifest: Manifest, kind: string): void {
  const kinds = manifest.auth.map((auth) => auth.kind);
  if (!kinds.some((one) => one === kind)) {
    throw new ConnectorInputInvalid(`${manifest.title} takes ${kinds.join(' or ')}, not ${kind}.`);
  }
}
