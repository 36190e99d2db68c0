import type { Queryable } from '@cordon/kernel';
import { z } from 'zod';
import type { NetworkDatabase } from './network-database.ts';
import type { EnrichmentTables } from './tables.ts';

const file = z.object({
  name: z.string(),
  origin: z.enum(['shipped', 'own']),
  gives: z.array(z.enum(['country', 'asn', 'flags'])),
  builtAt: z.int(),
  entries: z.int(),
  licence: z.string().nullable(),
  attribution: z.string().nullable(),
  attributionUrl: z.string().nullable(),
});
export const enrichmentState = z.object({
  files: z.array(file),
  problems: z.array(z.object({ file: z.string(), message: z.string() })),
  /** Entries of threat lists in force. */
  indicators: z.int(),
  /** When the worker said so; ms since epoch. */
  at: z.int(),
});
export type EnrichmentState = z.output<typeof enrichmentState>;

/** What the worker enriches from; null until one ran. */
export async function readEnrichmentState(db: Queryable): Promise<EnrichmentState | null> {
  const row = await db.tables<EnrichmentTables>().selectFrom('enrichment_state').selectAll().executeTakeFirst();
  return row ? enrichmentState.parse(row) : null;
}

export async function writeEnrichmentState(
  db: Queryable,
  { files, problems }: Pick<NetworkDatabase, 'files' | 'problems'>,
  indicators: number,
  now: number,
): Promise<void> {
  const row = { files: JSON.stringify(files), problems: JSON.stringify(problems), indicators, at: now };
  await db
    .tables<EnrichmentTables>()
    .insertInto('enrichment_state')
    .values({ one: true, ...row })
    .onConflict((conflict) => conflict.column('one').doUpdateSet(row))
    .execute();
}
