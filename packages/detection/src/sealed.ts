import type { SecretEnvelope, Transaction } from '@cordon/kernel';
import type { WatchTables } from './watch-tables.ts';

/** Tables of this package whose column `sealed` holds a secret. */
export type SealedTable = 'forward_target' | 'event_source' | 'notification_target';

const ROWS_MAX = 200;
const PURPOSES: Readonly<Record<SealedTable, string>> = {
  forward_target: 'forward-target',
  event_source: 'event-source',
  notification_target: 'notification-target',
};

/** What a row's secret is bound to: sealed for one row, it can't be opened for another. */
export const sealContext = (table: SealedTable, id: string): string => `${PURPOSES[table]}:${id}`;

/** Puts secrets that an older key sealed under the current one. */
export async function rewrapSealed(
  deps: {
    readonly db: { transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R> };
    readonly envelope: SecretEnvelope;
  },
  table: SealedTable,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const tables = tx.tables<Pick<WatchTables, 'forward_target'>>();
    const rows = await tables
      .selectFrom(table as 'forward_target') // all three have these columns
      .select(['id', 'sealed'])
      .where('sealed', 'not like', `cse1.${deps.envelope.currentKeyId}.%`)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed } of rows) {
      const fresh = sealed === null ? null : deps.envelope.rewrap(sealed, sealContext(table, id));
      if (fresh === null) continue;
      await tables
        .updateTable(table as 'forward_target') // as above
        .set({ sealed: fresh })
        .where('id', '=', id)
        .execute();
    }
  });
}
