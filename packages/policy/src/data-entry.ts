import { z } from 'zod';
import { entryId, sha256Hex } from './app-entry.ts';

export const dataLabel = z.enum(['public', 'internal', 'confidential', 'restricted']);
export type DataLabel = z.output<typeof dataLabel>;

const OPERATIONS_MAX = 2_000;

/** `data-label:<AppId>`: what governance knows of the data that an app's operations move. */
export const dataLabelEntry = z.strictObject({
  id: entryId,
  /** Of the strictest data set. */
  label: dataLabel,
  /** By operation id; an operation that isn't here has no label of its own. */
  operations: z
    .record(z.string().min(1).max(512), dataLabel)
    .refine((operations) => Object.keys(operations).length <= OPERATIONS_MAX)
    .default({}),
});
export type DataLabelEntry = z.output<typeof dataLabelEntry>;

/** `fingerprint-key:<id>`: the key of fingerprints, sealed with context `fingerprint-key:<id>`. Never clear text. */
export const fingerprintKeyEntry = z.strictObject({ id: entryId, sealed: z.string().min(1).max(16_384) });
export type FingerprintKeyEntry = z.output<typeof fingerprintKeyEntry>;

/**
 * `own-detector:<id>`: what an organisation looks for beside the shipped detectors. Its bytes are fetched by their hash;
 * values and documents are in them as hashes under the key, sealed with context `own-detector-key:<keyId>`.
 */
export const ownDetectorEntry = z.strictObject({
  id: entryId,
  name: z
    .string()
    .max(63)
    .regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string().min(1).max(200),
  label: dataLabel,
  category: z
    .string()
    .max(128)
    .regex(/^[a-z_]+(?:\.[a-z_]+)*$/),
  confidence: z.number().min(0).max(1),
  sha256: sha256Hex,
  bytes: z.int().min(1),
  keyId: z.string().min(1).max(64),
  sealed: z.string().min(1).max(16_384),
});
export type OwnDetectorEntry = z.output<typeof ownDetectorEntry>;
