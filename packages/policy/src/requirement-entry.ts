import { z } from 'zod';
import { grantSelector } from './access-entry.ts';
import { assurance, entryId, label } from './app-entry.ts';
import { argumentPointer } from './approved-call.ts';

/**
 * `requirement:<RequirementId>`: what a sensitive call needs beyond a grant. Every requirement whose scope covers a
 * call applies.
 */
export const requirementEntry = z.strictObject({
  id: entryId,
  name: label,
  /** null: every app. */
  appId: entryId.nullable().default(null),
  /** null: every integration. */
  integrationId: entryId.nullable().default(null),
  /** Which operations; empty: all. */
  select: z.array(grantSelector).max(50).default([]),
  /** The weakest client proof accepted. */
  assurance: assurance.default('m0'),
  /** DPoP proofs must carry a nonce of the gateway (RFC 9449, section 9). */
  dpopNonce: z.boolean().default(false),
  /** A second person must have approved this very call. */
  approval: z
    .strictObject({
      /** What the approval must hold beside the operation: the whole body, some members of it, or nothing. */
      bind: z.enum(['body', 'arguments', 'operation']).default('body'),
      arguments: z.array(argumentPointer).max(20).default([]),
      /** How many calls one approval may cover. */
      countMax: z.int().min(1).max(100).default(1),
    })
    .refine(
      ({ bind, arguments: names }) => (bind === 'arguments') === names.length > 0,
      'name the arguments exactly when bind is arguments',
    )
    .nullable()
    .default(null),
  note: z.string().max(2000).default(''),
});
export type RequirementEntry = z.output<typeof requirementEntry>;
export type RequirementEntryInput = z.input<typeof requirementEntry>;
