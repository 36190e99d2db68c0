import { z } from 'zod';
import { APP_NAMES } from './vendors.ts';

/** What the parent tells the process of the estate, over the IPC channel of `fork`. */
export const commandSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    seed: z.string(),
    portBase: z.int().min(0).max(65_000).optional(),
    tls: z.object({ key: z.string(), cert: z.string() }).optional(),
  }),
  z.object({ kind: z.literal('forbid'), tokens: z.array(z.string().min(8)) }),
  z.object({ kind: z.literal('report'), id: z.int() }),
]);
export type Command = z.infer<typeof commandSchema>;

const reportSchema = z.object({
  app: z.string(),
  requests: z.int(),
  violationsCount: z.int(),
  violations: z.array(
    z.object({
      kind: z.enum(['credential_missing', 'credential_wrong', 'cordon_token_seen', 'cordon_header_seen']),
      method: z.string(),
      path: z.string(),
    }),
  ),
});

/** What the process of the estate answers. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('started'),
    apps: z.array(z.object({ name: z.enum(APP_NAMES), origin: z.url(), secret: z.string() })),
  }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
  z.object({ kind: z.literal('forbidden') }),
  z.object({ kind: z.literal('reported'), id: z.int(), reports: z.array(reportSchema) }),
]);
export type Answer = z.infer<typeof answerSchema>;
