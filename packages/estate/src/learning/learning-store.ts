import { sql } from 'kysely';
import type { Queryable, Transaction } from '@cordon/kernel';
import { tablesOf } from '../tables.ts';

export interface LearnedTraffic {
  readonly integrationId: string;
  readonly integrationName: string;
  readonly calls: number;
  /** Calls whose lessons found no room. */
  readonly dropped: number;
  readonly state: unknown;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** False: this batch was taken before. */
export async function markBatch(tx: Transaction, key: string, at: Date, forgetBefore: Date): Promise<boolean> {
  await tablesOf(tx).deleteFrom('learned_batches').where('at', '<', forgetBefore).execute();
  const result = await tablesOf(tx)
    .insertInto('learned_batches')
    .values({ key, at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}

export async function isApp(db: Queryable, appId: string): Promise<boolean> {
  const row = await tablesOf(db).selectFrom('apps').select('id').where('id', '=', appId).executeTakeFirst();
  return row !== undefined;
}

/** The state stored for one integration, under its row's lock. */
export async function lockTraffic(tx: Transaction, appId: string, integrationId: string): Promise<unknown> {
  const row = await tablesOf(tx)
    .selectFrom('learned_traffic')
    .select('state')
    .where('app_id', '=', appId)
    .where('integration_id', '=', integrationId)
    .forUpdate()
    .executeTakeFirst();
  return row?.state;
}

export async function saveTraffic(
  tx: Transaction,
  appId: string,
  added: {
    readonly integration: { readonly id: string; readonly name: string };
    readonly calls: number;
    readonly dropped: number;
    readonly state: unknown;
    readonly at: Date;
  },
): Promise<void> {
  const { integration, calls, dropped, at } = added;
  const state = JSON.stringify(added.state);
  await tablesOf(tx)
    .insertInto('learned_traffic')
    .values({
      app_id: appId,
      integration_id: integration.id,
      integration_name: integration.name,
      calls,
      dropped,
      state,
      first_at: at,
      last_at: at,
    })
    .onConflict((conflict) =>
      conflict.columns(['app_id', 'integration_id']).doUpdateSet({
        integration_name: integration.name,
        calls: sql`learned_traffic.calls + ${calls}`,
        dropped: sql`learned_traffic.dropped + ${dropped}`,
        state,
        last_at: sql`greatest(learned_traffic.last_at, ${at})`,
      }),
    )
    .execute();
}

export async function listTraffic(db: Queryable, appId: string): Promise<LearnedTraffic[]> {
  const rows = await tablesOf(db)
    .selectFrom('learned_traffic')
    .selectAll()
    .where('app_id', '=', appId)
    .orderBy('calls', 'desc')
    .execute();
  return rows.map((row) => ({
    integrationId: row.integration_id,
    integrationName: row.integration_name,
    calls: Number(row.calls),
    dropped: Number(row.dropped),
    state: row.state,
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
  }));
}

export async function deleteTraffic(tx: Transaction, appId: string, integrationId: string | null): Promise<number> {
  let query = tablesOf(tx).deleteFrom('learned_traffic').where('app_id', '=', appId);
  if (integrationId !== null) query = query.where('integration_id', '=', integrationId);
  const result = await query.executeTakeFirst();
  return Number(result.numDeletedRows);
}
