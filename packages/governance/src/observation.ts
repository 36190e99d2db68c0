import { z } from 'zod';
import { PRINT_KINDS } from './fingerprint.ts';

export const FIELDS_PER_LINE_MAX = 500;
export const PRINTS_PER_LINE_MAX = 5_000;
const DETECTIONS_MAX = 300;

const count = z.int().nonnegative();
const named = z.strictObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(200) });

/** What a gateway tells of the traffic of one operation, direction and integration in one period. */
export const observationLine = z.strictObject({
  app: named,
  integration: named,
  operation: z.strictObject({ id: z.string().min(1).max(512), template: z.string().max(1_024) }),
  direction: z.enum(['read', 'write']),
  firstAt: count,
  lastAt: count,
  calls: count,
  bytes: count,
  records: count,
  /** Of the fingerprints; null: there are none. */
  keyId: z.string().max(100).nullable(),
  fields: z
    .array(
      z.strictObject({
        path: z.string().max(300),
        type: z.enum(['string', 'number', 'boolean', 'null']),
        samples: count,
        /** Detector type to number of findings. */
        detections: z
          .record(z.string().max(100), count)
          .refine((detections) => Object.keys(detections).length <= DETECTIONS_MAX),
      }),
    )
    .max(FIELDS_PER_LINE_MAX),
  prints: z
    .array(
      z.strictObject({
        /** 128 bits, base64url. */
        print: z.string().regex(/^[\w-]{22}$/),
        kind: z.enum(PRINT_KINDS),
        path: z.string().max(300),
        seen: count,
      }),
    )
    .max(PRINTS_PER_LINE_MAX),
});

interface ObservedField {
  readonly path: string;
  readonly type: string;
  readonly samples: number;
  readonly detections: Readonly<Record<string, number>>;
}

export interface ObservationLine {
  readonly app: { readonly id: string; readonly name: string };
  readonly integration: { readonly id: string; readonly name: string };
  readonly operation: { readonly id: string; readonly template: string };
  readonly direction: 'read' | 'write';
  readonly firstAt: number;
  readonly lastAt: number;
  readonly calls: number;
  readonly bytes: number;
  readonly records: number;
  readonly keyId: string | null;
  readonly fields: readonly ObservedField[];
  readonly prints: readonly {
    readonly print: string;
    readonly kind: (typeof PRINT_KINDS)[number];
    readonly path: string;
    readonly seen: number;
  }[];
}
