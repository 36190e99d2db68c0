import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes');
const query = z.string().trim().max(4_000);
const moment = z.int().nonnegative();

export const eventRuleInput = z.strictObject({
  name,
  /** In the search language: `label:restricted`, `app:github`, `data_class:*`. */
  query: query.min(1),
  days: z.int().min(1).max(3_650),
});
export type EventRuleInput = z.output<typeof eventRuleInput>;

export const eventHoldInput = z
  .strictObject({
    name,
    /** Empty: everything in the span. */
    query: query.default(''),
    /** When it happened: milliseconds since the epoch. */
    from: moment.optional(),
    to: moment.optional(),
    reason: z.string().trim().min(3).max(1_000),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    message: 'The span is empty.',
  });
export type EventHoldInput = z.output<typeof eventHoldInput>;

/** Bytes on disk; null: no limit. */
export const sizeLimitInput = z.strictObject({ bytesMax: z.int().min(100_000_000).max(1e15).nullable() });

/** Deletes what its search finds once it is older than so many days. Of two rules the shorter counts. */
export interface EventRule {
  readonly id: string;
  readonly name: string;
  readonly query: string;
  readonly days: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly runAt: number | null;
  /** Events that it deleted so far. */
  readonly deleted: number;
  readonly lastError: string | null;
}

/** Events that stay whatever a rule, the age or the size of the lake says. */
export interface EventHold {
  readonly id: string;
  readonly name: string;
  readonly query: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: string;
  readonly createdAt: number;
  readonly createdBy: string;
}
