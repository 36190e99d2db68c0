import { z } from 'zod';
import { entryId, label } from './app-entry.ts';
import { dataLabel } from './data-entry.ts';

export const inspectionAction = z.enum(['allow', 'log', 'redact', 'block']);
export type InspectionAction = z.output<typeof inspectionAction>;
export type Direction = 'request' | 'response';

/** `inspection:<InspectionRuleId>`: what happens to a class of data on its way. */
export const inspectionEntry = z.strictObject({
  id: entryId,
  name: label,
  /** A class (`payment.card`), a prefix (`credential.*`), or `*`. */
  class: z
    .string()
    .max(128)
    .regex(
      /^(?:\*|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:\.\*)?)$/,
      'expected a class such as payment.card, credential.* or *',
    ),
  /** null: both directions. */
  direction: z.enum(['request', 'response']).nullable().default(null),
  appId: entryId.nullable().default(null),
  integrationId: entryId.nullable().default(null),
  /** Only where the data is labelled at least so: the operation's data set, or the class by itself. null: any. */
  label: dataLabel.nullable().default(null),
  action: inspectionAction,
  note: z.string().max(2000).default(''),
});
export type InspectionEntry = z.output<typeof inspectionEntry>;
export type InspectionEntryInput = z.input<typeof inspectionEntry>;

/** `limit:<LimitId>`: every limit whose scope fits a call applies; the first exhausted one refuses it. */
export const limitEntry = z.strictObject({
  id: entryId,
  name: label,
  /** Which calls: null means any. */
  scope: z
    .strictObject({
      integrationId: entryId.nullable().default(null),
      appId: entryId.nullable().default(null),
      operationId: z.string().max(512).nullable().default(null),
    })
    .prefault({}),
  /** One counter for each combination of these; empty: one for all calls in scope together. */
  countBy: z
    .array(z.enum(['integration', 'app', 'operation', 'address']))
    .max(4)
    .default(['integration', 'app']),
  /** GCRA: `count` calls in `periodMs`, with bursts of up to `burst`. */
  rate: z
    .strictObject({
      count: z.int().min(1).max(10_000_000),
      periodMs: z.int().min(1).max(86_400_000),
      burst: z.int().min(1).max(10_000_000),
    })
    .nullable()
    .default(null),
  /** Calls in flight. */
  concurrency: z.int().min(1).max(100_000).nullable().default(null),
  /** Per UTC day. */
  quota: z
    .strictObject({
      callsPerDay: z.int().min(1).nullable().default(null),
      /** Both ways together. */
      bytesPerDay: z.int().min(1).nullable().default(null),
      /** Of answers alone. */
      bytesOutPerDay: z.int().min(1).nullable().default(null),
      /** Items of lists in answers; an answer that is no list is one. */
      recordsPerDay: z.int().min(1).nullable().default(null),
    })
    .nullable()
    .default(null),
});
export type LimitEntry = z.output<typeof limitEntry>;
export type LimitEntryInput = z.input<typeof limitEntry>;
