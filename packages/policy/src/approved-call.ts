import { z } from 'zod';

/** A JSON Pointer (RFC 6901) into a request body: `/amount`, `/to/account`. */
export const argumentPointer = z
  .string()
  .max(200)
  .regex(/^(?:\/(?:[^~/\s]|~[01])+)+$/, 'expected a JSON Pointer such as /amount');

/** The `type` of Cordon's authorization details (RFC 9396). */
export const CALL_DETAIL_TYPE = 'cordon_call';

/** What one approval covers, as an integration asks for it and as its token carries it (RFC 9396, section 2). */
export const approvedCall = z.strictObject({
  type: z.literal(CALL_DETAIL_TYPE),
  /** Name of the app. */
  app: z.string().min(1).max(63),
  /** Id of the operation, as refusals and `cordon app operations` name it. */
  operation: z.string().min(1).max(512),
  method: z.string().regex(/^[A-Z]{1,16}$/),
  /** Path below the app, with its query, as it will be called. */
  path: z.string().startsWith('/').max(8192),
  /** Lower-case hex SHA-256 of the body's bytes without content coding. */
  body_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Members of the JSON body and the values they must have. */
  arguments: z.record(argumentPointer, z.union([z.string().max(2000), z.number(), z.boolean(), z.null()])).optional(),
  /** How many calls. */
  count: z.int().min(1).max(100).default(1),
});
export type ApprovedCall = z.output<typeof approvedCall>;
