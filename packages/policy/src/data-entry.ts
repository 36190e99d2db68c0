import { z } from 'zod';
import { entryId } from './app-entry.ts';

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
