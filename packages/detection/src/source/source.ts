import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Collect, collectInput } from './collect.ts';

/** Where vendor events come from. */
export interface Source {
  readonly id: string;
  readonly name: string;
  /** A product (`okta`), a stream (`okta/system`) or a log type (`Okta.SystemLog`): which parser reads its records. */
  readonly product: string;
  /** The credential's last characters. */
  readonly credentialHint: string;
  readonly status: 'active' | 'paused';
  /** Events a second, averaged over ten. */
  readonly rateMax: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly accepted: number;
  readonly duplicates: number;
  /** Records that no event could be made of. */
  readonly failed: number;
  readonly lastReceivedAt: number | null;
  /** Event time of the newest event. */
  readonly watermark: number | null;
  /** How far the last delivery's newest event lay behind its arrival. */
  readonly lagMs: number | null;
  /** Share of records that failed within the last day, 0 to 1; null when nothing came. */
  readonly errorRate: number | null;
  readonly deadLetters: number;
  /** How the worker gets the events by itself; null: senders push them. */
  readonly collect: Collect | null;
  readonly collectError: string | null;
}

const RATE_MAX_DEFAULT = 5_000;

export const sourceInput = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes'),
  product: z.string().min(1).max(200),
  rateMax: z.int().min(1).max(100_000).default(RATE_MAX_DEFAULT),
  collect: collectInput.nullable().optional(),
  /** The secret key of a bucket that is read; it is sealed, and shown to nobody again. */
  collectSecret: z.string().min(1).max(4_000).optional(),
});

export const sourcePatch = z.strictObject({
  product: z.string().min(1).max(200).optional(),
  status: z.enum(['active', 'paused']).optional(),
  rateMax: z.int().min(1).max(100_000).optional(),
  collect: collectInput.nullable().optional(),
  collectSecret: z.string().min(1).max(4_000).optional(),
});

const CREDENTIAL_BYTES = 32;
const CREDENTIAL_PREFIX = 'cns_';
const HINT_CHARS = 4;

/** A bearer of 256 random bits: nothing shorter than its hash has to be kept, and no salt is needed. */
export function createCredential(random: (bytes: number) => Buffer): { value: string; hash: string; hint: string } {
  const value = `${CREDENTIAL_PREFIX}${random(CREDENTIAL_BYTES).toString('base64url')}`;
  return { value, hash: credentialHash(value), hint: value.slice(-HINT_CHARS) };
}

export function credentialHash(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
