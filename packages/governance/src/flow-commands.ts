import { type Actor, appendAudit, authorize, type Clock, type Database } from '@cordon/kernel';
import { z } from 'zod';
import { DataUnknown, InputInvalid } from './errors.ts';
import { tablesOf } from './tables.ts';

/** Article 6(1) GDPR, its letters in order. */
export const LEGAL_BASES = [
  'consent',
  'contract',
  'legal obligation',
  'vital interests',
  'public task',
  'legitimate interests',
] as const;

const TEXT_MAX = 500;
const text = z.string().trim().min(3).max(TEXT_MAX).nullable();

export const flowInput = z.strictObject({
  purpose: text,
  legalBasis: z.enum(LEGAL_BASES).nullable(),
  /** What makes a transfer to another region lawful (Articles 45 to 49). */
  safeguard: text,
});

/** Says what a flow is for: nobody can see that from traffic. */
export async function describeFlow(
  deps: { readonly db: Database; readonly clock: Clock },
  actor: Actor,
  id: string,
  raw: z.input<typeof flowInput>,
): Promise<void> {
  authorize(actor, 'data.write');
  const parsed = flowInput.safeParse(raw);
  if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
  const { purpose, legalBasis, safeguard } = parsed.data;
  await deps.db.transaction(async (tx) => {
    const row = await tablesOf(tx)
      .updateTable('data_flow')
      .set({ purpose, legal_basis: legalBasis, safeguard })
      .where('id', '=', id)
      .returning('integration_name')
      .executeTakeFirst();
    if (!row) throw new DataUnknown('There is no such flow.', { id });
    const target = { type: 'data_flow', id, name: row.integration_name };
    await appendAudit(tx, { actor, action: 'data.flow_described', target, detail: parsed.data, at: deps.clock.now() });
  });
}
