import { LABELS, OWN_TERMS_MAX } from '@cordon/classifier';
import { z } from 'zod';

export const OWN_KINDS = ['dictionary', 'regex', 'exact', 'document'] as const;
const TERM_CHARS_MAX = 200;
const PATTERN_CHARS_MAX = 1_000;

/** Lower-case letters, digits and hyphens; findings are of class `custom.<name>`. */
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens, such as project-names');

const described = {
  title: z.string().trim().min(1).max(200),
  label: z.enum(LABELS).default('confidential'),
  /** fideslang data category. */
  category: z
    .string()
    .max(128)
    .regex(/^[a-z_]+(?:\.[a-z_]+)*$/)
    .default('user'),
  /** From 0.5 on inline rules act on it. */
  confidence: z.number().min(0.25).max(0.99).default(0.9),
};

const terms = z.array(z.string().trim().min(2).max(TERM_CHARS_MAX)).min(1).max(OWN_TERMS_MAX);
const pattern = z.string().min(2).max(PATTERN_CHARS_MAX);

/** A dictionary and an expression come with what they look for; lists and documents are sent afterwards. */
export const ownDetectorInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dictionary'), name, ...described, terms }),
  z.strictObject({ kind: z.literal('regex'), name, ...described, pattern }),
  z.strictObject({ kind: z.literal('exact'), name, ...described }),
  z.strictObject({ kind: z.literal('document'), name, ...described }),
]);
export type OwnDetectorInput = z.output<typeof ownDetectorInput>;

/** What changes; terms and pattern only of the kind that has them. */
export const ownDetectorChange = z.strictObject({
  title: described.title.optional(),
  label: z.enum(LABELS).optional(),
  category: described.category.unwrap().optional(),
  confidence: described.confidence.unwrap().optional(),
  enabled: z.boolean().optional(),
  terms: terms.optional(),
  pattern: pattern.optional(),
});
export type OwnDetectorChange = z.output<typeof ownDetectorChange>;

const TRY_CHARS_MAX = 20_000;
/** A text to try all enabled detectors on; it is kept nowhere. */
export const tryInput = z.strictObject({ text: z.string().min(1).max(TRY_CHARS_MAX) });
