import { z } from 'zod';

/** RFC 8693, section 4.1: who acts, and whom it got the token from. */
export interface ActClaim {
  readonly sub: string;
  readonly act?: ActClaim | undefined;
}

export const actClaim: z.ZodType<ActClaim> = z.lazy(() => z.object({ sub: z.string(), act: actClaim.optional() }));
